"""Every queue adapter, on a clock that only the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from migrated import with_tables
from postgres import PostgresServer

from prbot.adapters.queue_postgres import PostgresQueue
from prbot.adapters.queue_sqlite import SqliteQueue
from prbot.adapters.store import SqlStore
from prbot.model import JobId, RunId
from prbot.ports.queue import (
    NO_LIMITS,
    AdvanceRun,
    Claim,
    Limits,
    Message,
    PerformJob,
    Priority,
    Queue,
    Work,
)


@dataclass
class FastForward:
    """Time and sleep that pass only when the test says so."""

    time: datetime = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
    sleepers: list[tuple[datetime, asyncio.Event]] = field(default_factory=list)
    naps: list[float] = field(default_factory=list)
    fell_asleep: asyncio.Condition = field(default_factory=asyncio.Condition)

    def now(self) -> datetime:
        return self.time

    def after(self, seconds: float) -> datetime:
        return self.time + timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        alarm = asyncio.Event()
        self.sleepers.append((self.after(seconds), alarm))
        async with self.fell_asleep:
            self.naps.append(seconds)
            self.fell_asleep.notify_all()
        await alarm.wait()

    async def asleep(self, times: int) -> None:
        """Wait until somebody fell asleep so many times since the start."""
        async with self.fell_asleep:
            enough = self.fell_asleep.wait_for(lambda: len(self.naps) >= times)
            await asyncio.wait_for(enough, 10)

    def pass_(self, seconds: float) -> None:
        self.time = self.after(seconds)
        for at, alarm in self.sleepers:
            if at <= self.time:
                alarm.set()


def advance(run: str, **options: Any) -> Message:
    return _message(AdvanceRun(RunId(run)), f"run:{run}", Priority.ADVANCE, options)


def perform(job: str, **options: Any) -> Message:
    return _message(PerformJob(JobId(job)), f"project:{job}", Priority.PLAN, options)


def _message(work: Work, key: str, priority: Priority, options: dict[str, Any]) -> Message:
    return Message(work, **({"key": key, "priority": priority} | options))


@dataclass
class Bench:
    """A queue under test, with short words for what the tests do."""

    queue: Queue
    clock: FastForward
    another: Callable[[Limits], Awaitable[Queue]]
    kill: Callable[[Queue], Awaitable[None]]
    heard: Callable[[Queue], Awaitable[None]]
    limits: Limits = NO_LIMITS
    claiming: list[asyncio.Task[Claim]] = field(default_factory=list)

    advance = staticmethod(advance)
    perform = staticmethod(perform)

    async def put(self, *messages: Message) -> None:
        for message in messages:
            await self.queue.put(message)
        await self.heard(self.queue)

    async def put_for_tomorrow(self, priority: Priority = Priority.PLAN) -> None:
        """Work so far away that who has nothing else to do sleeps with a timer: a test
        sees that, and need not guess when a worker is at rest."""
        tomorrow = self.clock.after(86_400)
        await self.put(perform("far", not_before=tomorrow, priority=priority))

    async def take(self) -> Message:
        """Claim what must be there."""
        return (await self.claim()).message

    async def claim(self) -> Claim:
        return await asyncio.wait_for(self.queue.claim(), 10)

    def start_claim(self, *priorities: Priority) -> asyncio.Task[Claim]:
        """A worker that waits."""
        wanted = frozenset(priorities or Priority)
        self.claiming.append(asyncio.create_task(self.queue.claim(wanted)))
        return self.claiming[-1]

    async def nothing_more(self) -> None:
        """Put a last message behind all others, and see it come next: so no other would."""
        sentinel = Message(AdvanceRun(RunId("last")), "last", Priority.DRIFT)
        await self.queue.put(sentinel)
        claim = await self.claim()
        assert claim.message == sentinel
        await self.queue.done(claim)

    async def die(self) -> None:
        """The process is gone, with all it had in hand; another one takes its place."""
        await self.kill(self.queue)
        self.queue = await self.reopen()
        await self.queue.recover()

    async def limit(self, per_repository: int | None = None, total: int | None = None) -> None:
        self.limits = Limits(per_repository, total)
        self.queue = await self.reopen()

    async def reopen(self) -> Queue:
        """An adapter as another process would have it."""
        return await self.another(self.limits)

    async def close(self) -> None:
        for task in self.claiming:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture(params=["sqlite", "postgres"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    if request.param == "sqlite":
        async with on_sqlite(tmp_path) as bench:
            yield bench
    else:
        server = request.getfixturevalue("postgres_server")
        with server.database(like=request.getfixturevalue("queue_schema")) as url:
            async with on_postgres(url) as bench:
                yield bench


@pytest.fixture(scope="session")
def queue_schema(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a database in which the queue's schema stands, to copy from."""
    with postgres_server.database() as url:
        queue = PostgresQueue(url, FastForward())
        with ThreadPoolExecutor(1) as aside:  # here an event loop runs already
            aside.submit(lambda: asyncio.run(queue.migrate())).result()
        yield url.rpartition("/")[2]


@asynccontextmanager
async def on_sqlite(directory: Path) -> AsyncIterator[Bench]:
    clock = FastForward()
    store = SqlStore(f"sqlite+aiosqlite:///{with_tables(directory / 'prbot.db')}", clock)

    async def another(limits: Limits) -> Queue:
        return SqliteQueue(store, clock, clock.sleep, limits)

    async def kill(queue: Queue) -> None:
        """On SQLite a process is dead as soon as the next one opens the queue."""

    async def heard(queue: Queue) -> None:
        """On SQLite it is heard at once."""

    bench = Bench(await another(NO_LIMITS), clock, another, kill, heard)
    yield bench
    await bench.close()
    await store.close()


class Echoing(PostgresQueue):
    """Says when it heard what a test told it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.echo = asyncio.Event()

    def _hear(self, told: psycopg.Notify) -> None:
        super()._hear(told)
        if told.payload == "echo":
            self.echo.set()


@asynccontextmanager
async def on_postgres(url: str) -> AsyncIterator[Bench]:
    clock = FastForward()
    opened: list[Echoing] = []

    async def another(limits: Limits) -> Queue:
        queue = Echoing(url, clock, clock.sleep, limits)
        await queue.open()
        opened.append(queue)
        return queue

    async def kill(queue: Queue) -> None:
        """As if its last heartbeat had been an hour ago."""
        late = (
            "UPDATE prbot_queue.procrastinate_workers"
            " SET last_heartbeat = now() - interval '1 hour' WHERE id = %s"
        )
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await connection.execute(late, (queue._worker,))

    async def heard(queue: Queue) -> None:
        """What is told comes in order: after this, everything told before was heard."""
        queue.echo.clear()
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await connection.execute("NOTIFY prbot_queue, 'echo'")
        await asyncio.wait_for(queue.echo.wait(), 10)

    bench = Bench(await another(NO_LIMITS), clock, another, kill, heard)
    yield bench
    await bench.close()
    for queue in opened:
        await queue.close()
