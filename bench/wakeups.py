"""How soon a message that is put is claimed by somebody who waits: the queues, alone.

SQLite's queue wakes inside its own process. PostgreSQL's is put into by one adapter and
claimed by another, as by a worker on another machine: the claimer hears NOTIFY.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from prbot.adapters.queue_postgres import PostgresQueue
from prbot.adapters.queue_sqlite import SqliteQueue
from prbot.adapters.store import SqlStore
from prbot.model import JobId
from prbot.ports.queue import Message, PerformJob, Priority, Queue

TESTS = Path(__file__).parents[1] / "tests" / "shared"
TIMES = 50


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def sqlite(directory: Path) -> list[float]:
    """Seconds from the call of `put` to the claim, each time."""
    store = SqlStore(f"sqlite+aiosqlite:///{directory / 'queue.sqlite3'}", Clock())
    await store.migrate()
    queue = SqliteQueue(store, Clock())
    try:
        return await _waits(queue, queue)
    finally:
        await store.close()


async def postgres() -> list[float]:
    """The same; empty where PostgreSQL is not on PATH."""
    if not shutil.which("postgres"):
        return []
    sys.path.insert(0, str(TESTS))
    from postgres import running_postgres

    async with AsyncExitStack() as opened:
        url = opened.enter_context(running_postgres()).url("postgres")
        here, there = PostgresQueue(url, Clock()), PostgresQueue(url, Clock())
        await here.migrate()
        for queue in (here, there):
            await queue.open()
            opened.push_async_callback(queue.close)
        return await _waits(here, there)


async def _waits(here: Queue, there: Queue) -> list[float]:
    waits = []
    for number in range(TIMES + 1):
        claiming = asyncio.create_task(there.claim())
        await asyncio.sleep(0.02)  # it looked, found nothing, and waits
        begun = time.perf_counter()
        name = str(number)
        await here.put(Message(PerformJob(JobId(name)), name, Priority.PLAN))
        claim = await claiming
        waits.append(time.perf_counter() - begun)
        await there.done(claim)
    return waits[1:]
