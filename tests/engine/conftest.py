"""A world with a real store and a forge in the test's hand; its clock stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from migrated import with_tables
from postgres import PostgresServer

from prbot.adapters.queue_sqlite import SqliteQueue
from prbot.adapters.store import SqlStore
from prbot.engine.alarm import Alarm
from prbot.engine.postman import Postman
from prbot.engine.world import Forge, Settings, World
from prbot.model import PullRef, RepoRef
from prbot.ports.outbox import CommentLetter, Letter
from prbot.telemetry import Redactor

REPO = RepoRef("gh", "acme/infra")


@dataclass
class StillClock:
    time: datetime = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


class WatchedAlarm(Alarm):
    """Tells each time how long somebody is about to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: asyncio.Queue[timedelta | None] = asyncio.Queue()

    async def wait(self, at_most: timedelta | None = None) -> None:
        self.waits.put_nowait(at_most)
        await super().wait()  # until the test rings: no test sleeps


@dataclass
class Pen:
    """A forge's writer. `written` are (pull request, text) in their order; `trouble` is
    awaited before each and may raise."""

    written: list[tuple[int, str]] = field(default_factory=list)
    tried: list[tuple[int, str]] = field(default_factory=list)
    trouble: Callable[[int, str], Awaitable[None]] | None = None

    async def upsert_comment(self, pull: PullRef, marker: str, body: str, known: Any) -> int:
        self.tried.append((pull.number, body))
        if self.trouble is not None:
            await self.trouble(pull.number, body)
        self.written.append((pull.number, body))
        return len(self.written)

    async def upsert_issue(
        self,
        repo: RepoRef,
        marker: str,
        title: str,
        body: str,
        labels: Any,
        is_open: bool,
        known: Any,
    ) -> int:
        self.written.append((0, f"{title} {'open' if is_open else 'closed'} {known}"))
        return 41

    async def set_status(
        self, repo: RepoRef, sha: str, context: str, state: str, text: str, report: Any
    ) -> None:
        self.written.append((0, f"{sha[:1]} {context} {state} {text}"))


@dataclass
class Office:
    """An outbox, who writes from it, and the alarm that wakes him."""

    world: World
    clock: StillClock
    pen: Pen
    alarm: WatchedAlarm = field(default_factory=WatchedAlarm)

    def __post_init__(self) -> None:
        self.postman = Postman(self.world, self.alarm)

    async def put(self, number: int, *letters: str | Letter) -> None:
        async with self.world.store.begin() as unit:
            for letter in letters:
                whole = CommentLetter("<!-- m -->", letter) if isinstance(letter, str) else letter
                pull = PullRef(REPO, number)
                await unit.outbox.put(f"{number} {letter}", pull, whole, self.clock.now())

    async def round(self) -> timedelta | None:
        """Write what is due now, to its end; returns how long the postman would wait."""
        async with asyncio.TaskGroup() as group:
            await self.postman.write_due(group)
        async with self.world.store.begin() as unit:
            due = await unit.outbox.next_due()
        return None if due is None else due - self.clock.now()

    async def pause(self) -> timedelta | None:
        """The running postman's next pause."""
        async with asyncio.timeout(30):
            return await self.alarm.waits.get()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """The postman runs while the block lasts."""
        running = asyncio.create_task(self.postman.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert running.cancelled(), "the postman died"


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """What was logged, one dictionary a line."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with all tables; of the other kind by `parametrize("url", …, indirect)`."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{with_tables(tmp_path / 'prbot.db')}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database(request.getfixturevalue("migrated")) as fresh:
        yield fresh


@pytest.fixture
async def world(url: str) -> AsyncIterator[World]:
    """What a test does not use is None: touching it is an error that the test sees."""
    clock = StillClock()
    store = SqlStore(url, clock)
    absent: Any = None
    pen: Any = Pen()
    yield World(
        settings=_settings(),
        forges={"gh": Forge(absent, pen, absent, absent, absent, absent)},
        store=store,
        queue=SqliteQueue(store, clock),
        tools=absent,
        artifacts=absent,
        redactor=Redactor(),
        clock=clock,
        new_id=lambda kind: f"{kind}-1",
        worker="w-1",
        alone=True,
        facts=absent,
    )
    await store.close()


def _settings() -> Settings:
    absent: Any = None
    return Settings(
        serves=lambda _: True,
        serves_branch=lambda *_: True,
        rules_of=absent,
        bounds_of=absent,
        recipe_of=absent,
        aliases=(),
        bare_commands=True,
        plan_check="prbot/plan",
        apply_check="prbot/apply",
        parallel_jobs=1,
        job_timeout=1,
        jobs_dir=absent,
        tool_environment={},
        allow_tool_switch=False,
        hash_key=b"",
        installation="",
        reconcile_every=timedelta(minutes=5),
        max_event_age=timedelta(hours=2),
        plan_age=timedelta(days=7),
        lease=timedelta(seconds=30),
        summary_every=timedelta(seconds=10),
    )


@pytest.fixture
def office(world: World) -> Office:
    clock: Any = world.clock
    pen: Any = world.forges["gh"].writer
    return Office(world, clock, pen)
