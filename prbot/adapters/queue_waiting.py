"""Waiting for a queue without asking it again and again; what both queues share.

Who finds nothing to claim sleeps until something changes or the next message's time has
come. Nothing else wakes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from prbot.adapters.store_transaction import to_the_end
from prbot.ports.queue import Claim

LONGEST_NAP = 60.0
"""Seconds. The wall clock may jump (suspend, NTP) while a timer sleeps; look again then."""

Taking = Callable[[], Awaitable[tuple[Claim | None, float | None]]]
"""A claim, or how many seconds to sleep at most (None: until something changes)."""
GivingBack = Callable[[Claim, datetime | None], Awaitable[None]]


class Waiting:
    """Those of one process who wait. `sleep` is replaced by tests together with the clock."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sleep = sleep
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Wake everybody who waits; who comes later waits for the next change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def claim(self, take: Taking, give_back: GivingBack) -> Claim:
        while True:
            changed = self._changed  # before looking, so that no change slips in between
            claim, nap = await _take_or_give_back(take, give_back)
            if claim is not None:
                return claim
            await self._rest(changed, nap)

    async def _rest(self, changed: asyncio.Event, nap: float | None) -> None:
        sleepers: list[asyncio.Future[Any]] = [asyncio.ensure_future(changed.wait())]
        if nap is not None:
            sleepers.append(asyncio.ensure_future(self._sleep(min(nap, LONGEST_NAP))))
        try:
            await asyncio.wait(sleepers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for sleeper in sleepers:
                sleeper.cancel()


async def _take_or_give_back(
    take: Taking, give_back: GivingBack
) -> tuple[Claim | None, float | None]:
    """A worker that is cancelled while the database answers must not leave a message in
    hand that nobody holds."""
    taking = asyncio.ensure_future(take())
    try:
        return await to_the_end(taking)
    except asyncio.CancelledError:
        claim = None if taking.exception() else taking.result()[0]
        if claim is not None:
            await to_the_end(give_back(claim, claim.message.not_before))
        raise
