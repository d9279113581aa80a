"""A real, migrated store on each database, a clock that stands still, and rows for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from migrated import with_tables
from postgres import PostgresServer

from prbot.adapters.store import SqlStore
from prbot.model import JobId, Login, PlanId, ProjectKey, PullRef, RepoRef, RunId, Sha
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.summary import Counts, PlanSummary
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Run

PULL = PullRef(RepoRef("gh", "acme/infra"), 7)
START = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)


@dataclass
class StillClock:
    """Tells the same time until somebody moves it."""

    time: datetime = START

    def now(self) -> datetime:
        return self.time

    def pass_(self, seconds: float) -> datetime:
        self.time += timedelta(seconds=seconds)
        return self.time


@dataclass
class Scene:
    """Makes runs, jobs and plans of one pull request, each with an id of its own."""

    store: SqlStore
    clock: StillClock
    pull: PullRef = PULL
    made: dict[str, int] = field(default_factory=dict)

    def _next(self, prefix: str) -> str:
        self.made[prefix] = self.made.get(prefix, 0) + 1
        return f"{prefix}-{self.made[prefix]}"

    def a_run(self, **changes: Any) -> Run:
        ask = Ask(AskKind.APPLY, Login("ann"), "comment")
        run = Run(RunId(self._next("r")), self.pull, ask, self.clock.now())
        return replace(run, **changes)

    def a_job(self, run: Run, kind: JobKind = JobKind.APPLY, **changes: Any) -> Job:
        job = Job(JobId(self._next("j")), run.id, ProjectKey("network"), kind)
        return replace(job, **changes)

    def a_plan(self, job: Job, **changes: Any) -> StoredPlan:
        plan_id = self._next("p")
        plan = StoredPlan(
            id=PlanId(plan_id),
            pull=self.pull,
            project=job.project,
            run_id=job.run_id,
            job_id=job.id,
            head=Sha("a" * 40),
            base=Sha("b" * 40),
            commit=Sha("c" * 40),
            hash="d" * 64,
            inputs=Inputs("e" * 64, "f" * 64, "terraform 1.11.4"),
            summary=PlanSummary(Counts(create=1)),
            plan_file=f"{plan_id}.tfplan",
            plan_file_sha256="0" * 64,
            plan_json=f"{plan_id}.json",
            state_is_lost=False,
            created_at=self.clock.now(),
            providers=(("registry.terraform.io/hashicorp/aws", "5.1.0"),),
        )
        return replace(plan, **changes)

    async def a_stored_job(self, kind: JobKind = JobKind.APPLY) -> Job:
        """A QUEUED job of a run of its own."""
        run = self.a_run()
        job = self.a_job(run, kind)
        async with self.store.begin() as tables:
            await tables.runs.add(replace(run, jobs=(job,)))
        return job

    async def a_running_job(self, kind: JobKind = JobKind.APPLY) -> Job:
        job = await self.a_stored_job(kind)
        started = await self.start(job.id)
        assert started is not None
        assert started.state is JobState.RUNNING
        return started

    async def start(self, job_id: JobId, worker: str = "w-1") -> Job | None:
        async with self.store.begin() as tables:
            return await tables.runs.start_job(job_id, worker, self.until)

    @property
    def until(self) -> datetime:
        """When a lease taken now runs out."""
        return self.clock.now() + LEASE

    async def a_stored_plan(self, job: Job, **changes: Any) -> StoredPlan:
        plan = self.a_plan(job, **changes)
        async with self.store.begin() as tables:
            await tables.plans.add(plan)
        return plan

    async def an_intent(self, outcome: str | None = None) -> tuple[Job, StoredPlan]:
        """A running job that intended to apply a plan, and perhaps settled it."""
        job = await self.a_running_job()
        plan = await self.a_stored_plan(job)
        async with self.store.begin() as tables:
            assert await tables.plans.intend(plan.id, job, self.clock.now())
            if outcome:
                await tables.plans.settle(plan.id, outcome, None)
        return job, plan

    async def told(self) -> tuple[tuple[str, str], ...]:
        """Subject and action of every line in the pull request's journal."""
        async with self.store.begin() as tables:
            lines = await tables.journal.of_pull(self.pull)
        return tuple((line.subject, line.action) for line in lines)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with today's tables where the test asks for a `store`, else an empty one; a
    test of only one kind says `parametrize("url", …, indirect)`."""
    made = "store" in request.fixturenames
    if request.param == "sqlite":
        file = tmp_path / "prbot.db"
        yield f"sqlite+aiosqlite:///{with_tables(file) if made else file}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    like = request.getfixturevalue("migrated") if made else "template1"
    with server.database(like) as fresh:
        yield fresh


@pytest.fixture
async def open_store(url: str, clock: StillClock) -> AsyncIterator[Callable[[], SqlStore]]:
    """Opens one more store on the same database, as another process would."""
    opened: list[SqlStore] = []

    def another() -> SqlStore:
        opened.append(SqlStore(url, clock))
        return opened[-1]

    yield another
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: Callable[[], SqlStore]) -> SqlStore:
    return open_store()


@pytest.fixture
def scene(store: SqlStore, clock: StillClock) -> Scene:
    return Scene(store, clock)
