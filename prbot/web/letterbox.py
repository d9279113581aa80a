"""The letterbox: deliveries that come at the same time are stored in one transaction.

Why: a commit that outlives a power cut waits for the disk, for a hundred deliveries as
long as for one. So while one transaction commits others gather, and the next takes all
of them. Nobody waits for company: a delivery that comes alone is stored at once. Each
sender is answered after the commit that stored what it sent.

When the database cannot keep up, deliveries wait here, in memory: at most `ROOM` of
them, or `ROOM_BYTES` of their bodies, and each sender for at most `PATIENCE`. Who found
no room, waited in vain or was in a transaction that failed, hears NotStored.

Not promised: that what was answered with NotStored is not stored. The commit may have
come late; sent again, the delivery is known by its id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from prbot.errors import PrbotError
from prbot.errors.webhooks import NotStored
from prbot.ports.deliveries import Delivery
from prbot.ports.store import Store

log = structlog.get_logger()

BATCH = 200
"""Deliveries in one transaction; whoever else wants to write waits as long."""
ROOM = 2000
ROOM_BYTES = 128 << 20
PATIENCE = 8.0
"""Seconds. GitHub waits 10 for its answer."""


@dataclass(frozen=True)
class _Letter:
    """`answer`: whether the delivery was new; None where nobody knows it is stored."""

    delivery: Delivery
    answer: asyncio.Future[bool | None]


class Letterbox:
    """One per web server. `delivered` is called after each commit."""

    def __init__(
        self, store: Store, delivered: Callable[[], None], patience: float = PATIENCE
    ) -> None:
        self._store = store
        self._delivered = delivered
        self._patience = patience
        self._waiting: list[_Letter] = []
        self._bytes = 0
        self._emptying: asyncio.Task[None] | None = None

    async def put(self, delivery: Delivery) -> bool:
        """Return once it is stored; False when it was known before. Raises NotStored."""
        if len(self._waiting) >= ROOM or self._bytes >= ROOM_BYTES:
            raise NotStored("too many others are waiting")
        letter = _Letter(delivery, asyncio.get_running_loop().create_future())
        self._waiting.append(letter)
        self._bytes += len(delivery.body)
        if self._emptying is None:
            self._emptying = asyncio.create_task(self._empty())
        answered, _ = await asyncio.wait([letter.answer], timeout=self._patience)
        if not answered:
            raise NotStored("the database did not take it in time")
        new = letter.answer.result()
        if new is None:
            raise NotStored("the database did not take it")
        return new

    async def close(self) -> None:
        """Wait until all of it is stored or refused, also what nobody waits for any more."""
        if self._emptying is not None:
            await self._emptying

    async def _empty(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._answer(batch)
        finally:
            self._emptying = None

    async def _answer(self, batch: Sequence[_Letter]) -> None:
        news: Sequence[bool | None] = [None] * len(batch)
        try:
            news = await self._stored([letter.delivery for letter in batch])
        finally:
            for letter, new in zip(batch, news, strict=True):
                self._bytes -= len(letter.delivery.body)
                letter.answer.set_result(new)

    async def _stored(self, batch: Sequence[Delivery]) -> Sequence[bool | None]:
        """Whether each was new, or None for all; an error here is the batch's own."""
        try:
            async with self._store.begin() as unit:
                news = await unit.deliveries.add_all(batch)
        except Exception as error:
            known = isinstance(error, PrbotError)
            said = {"count": len(batch), "error": str(error)}
            log.error("deliveries not stored", action="hook", **said, exc_info=not known)
            return [None] * len(batch)
        self._delivered()
        log.info("deliveries stored", action="hook", deliveries=[each.id for each in batch])
        return news
