"""The embedded queue: a table in the store's database, and waiting without polling.

Who waits is woken by what changes in this process: a message put, given back or done.
Idle workers cost nothing.

Not promised: two processes on one database. Each would not hear the other's puts, and
`recover` of one would give away what the other has in hand; that is what the PostgreSQL
queue is for. Nor is there a limit on all parallel work: as many claims are in hand as
there are workers that ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from prbot.adapters.queue_waiting import Waiting
from prbot.adapters.store import SqlStore
from prbot.adapters.store_queue import QueueTable
from prbot.ports.clock import Clock
from prbot.ports.queue import NO_LIMITS, Claim, Limits, Message, Priority, Work


class SqliteQueue:
    """Meets `Queue`. `sleep` is replaced by tests together with the clock.

    What another process had in hand is lost as soon as this one begins.
    """

    def __init__(
        self,
        store: SqlStore,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits
        self._held: set[int] = set()
        self._waiting = Waiting(sleep)

    async def open(self) -> None:
        await self.recover()

    async def close(self) -> None:
        async with self._changing() as table:
            for claim_id in self._held:
                await table.give_back(claim_id, None)
        self._held.clear()

    async def put(self, message: Message) -> None:
        async with self._changing() as table:
            await table.put(message)

    async def claim(self, priorities: frozenset[Priority] = frozenset(Priority)) -> Claim:
        return await self._waiting.claim(lambda: self._take(priorities), self._give_back)

    async def done(self, claim: Claim) -> None:
        async with self._changing() as table:
            await table.finish(claim.id)
        self._held.discard(claim.id)

    async def again(self, claim: Claim, not_before: datetime) -> None:
        await self._give_back(claim, not_before)

    async def cancel(self, work: Work) -> bool:
        async with self._changing() as table:
            return await table.cancel(work)

    async def known(self) -> frozenset[Work]:
        async with self._store.transaction() as db:
            return await QueueTable(db).known()

    async def recover(self) -> None:
        """What this process did not claim itself was claimed by one that is dead."""
        async with self._changing() as table:
            for claim_id in await table.in_hand():
                if claim_id not in self._held:
                    await table.give_back(claim_id, None)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[QueueTable]:
        """Wake everybody who waits, also when we are cancelled just after the commit."""
        try:
            async with self._store.transaction() as db:
                yield QueueTable(db, self._limits)
        finally:
            self._waiting.wake()

    async def _take(self, priorities: frozenset[Priority]) -> tuple[Claim | None, float | None]:
        now = self._clock.now()
        async with self._store.transaction() as db:
            table = QueueTable(db, self._limits)
            claim = await table.take(now, priorities)
            ready = None if claim else await table.next_ready(now, priorities)
            if claim is not None:  # before it can be seen, or `recover` would give it away
                self._held.add(claim.id)
        return claim, (ready - now).total_seconds() if ready else None

    async def _give_back(self, claim: Claim, not_before: datetime | None) -> None:
        async with self._changing() as table:
            await table.give_back(claim.id, not_before)
        self._held.discard(claim.id)
