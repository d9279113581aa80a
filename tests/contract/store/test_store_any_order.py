"""Whatever two workers try, in whatever order: no illegal path, no second apply."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prbot.errors.runs import IllegalTransition, LostLease
from prbot.runs.run import JOB_MOVES, Job, JobKind, JobState

WORKERS = st.sampled_from((0, 1))
PLANS = st.sampled_from((0, 1))
OUTCOMES = st.sampled_from(("applied", "failed", "stale", "interrupted"))
ATTEMPTS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), WORKERS),
        st.tuples(st.just("move"), WORKERS, st.sampled_from(JobState)),
        st.tuples(st.just("intend"), WORKERS, PLANS),
        st.tuples(st.just("settle"), PLANS, OUTCOMES),
    ),
    max_size=20,
)


@dataclass
class TwoWorkers:
    """Each acts on the job as it last knew it, however long ago that was."""

    scene: Any
    job: Job
    plans: list[Any]
    known: dict[int, Job] = field(default_factory=dict)
    begun: Counter[str] = field(default_factory=Counter)

    async def attempt(self, verb: str, *args: Any) -> None:
        """Try it in a transaction of its own; a refusal is a fine answer."""
        try:
            async with self.scene.store.begin() as tables:
                await getattr(self, verb)(tables, *args)
        except (IllegalTransition, LostLease):
            return

    async def start(self, tables: Any, worker: int) -> None:
        started = await tables.runs.start_job(self.job.id, f"w-{worker}", self.scene.until)
        self.known[worker] = started or self.known.get(worker, self.job)

    async def move(self, tables: Any, worker: int, new: JobState) -> None:
        self.known[worker] = await tables.runs.move_job(self.known.get(worker, self.job), new)

    async def intend(self, tables: Any, worker: int, plan: int) -> None:
        mine, now = self.known.get(worker, self.job), self.scene.clock.now()
        if await tables.plans.intend(self.plans[plan].id, mine, now):
            self.begun[self.plans[plan].id] += 1

    async def settle(self, tables: Any, plan: int, outcome: str) -> None:
        await tables.plans.settle(self.plans[plan].id, outcome, None)

    async def check(self) -> None:
        """What must hold after every attempt."""
        async with self.scene.store.begin() as tables:
            job = await tables.runs.get_job(self.job.id)
            open_plan = await tables.plans.intended(job)
        assert not (job.state is JobState.QUEUED and open_plan)
        assert all(times == 1 for times in self.begun.values())

    async def path(self) -> list[tuple[JobState, JobState]]:
        """The job's moves, as the journal tells them."""
        lines = [action for subject, action in await self.scene.told() if subject == self.job.id]
        moves = [line.removeprefix("apply job ").split("->") for line in lines[1:]]
        return [(JobState(old), JobState(new)) for old, new in moves]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(attempts=ATTEMPTS)
async def test_no_order_of_attempts_breaks_the_rules(scene: Any, attempts: Any) -> None:
    """It takes only moves of the table, each from where the last one led, begins each
    plan's apply at most once, and never queues a begun apply again."""
    job = await scene.a_stored_job()
    both = TwoWorkers(scene, job, [await scene.a_stored_plan(job) for _ in range(2)])
    for attempt in attempts:
        await both.attempt(*attempt)
        await both.check()
    path = await both.path()
    assert all(new in JOB_MOVES[JobKind.APPLY, old] for old, new in path)
    assert [old for old, _ in path[:1]] in ([], [JobState.QUEUED])
    assert all(before[1] == after[0] for before, after in itertools.pairwise(path))
