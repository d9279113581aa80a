"""Plans and intents: kept whole, dropped with care, applied at most once."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prbot.errors.runs import IllegalTransition, LostLease
from prbot.errors.store import PlanIdTaken
from prbot.model import PlanId, ProjectKey
from prbot.plans.record import Inputs
from prbot.plans.summary import PlanSummary
from prbot.runs.run import STATE_JOBS, JobKind, JobState


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(summary=st.from_type(PlanSummary), inputs=st.from_type(Inputs))
async def test_a_plan_comes_back_as_it_went_in(
    scene: Any, summary: PlanSummary, inputs: Inputs
) -> None:
    """It gives back any plan, whatever its summary grows to hold."""
    job = await scene.a_stored_job()
    plan = await scene.a_stored_plan(job, summary=summary, inputs=inputs)
    async with scene.store.begin() as tables:
        assert await tables.plans.get(plan.id) == plan


async def test_an_unknown_plan_is_none(scene: Any) -> None:
    """It knows nothing of a plan id that was never given."""
    async with scene.store.begin() as tables:
        assert await tables.plans.get(PlanId("p-0")) is None


async def test_plans_are_listed_newest_first(scene: Any) -> None:
    """It lists the plans of exactly one pull request, newest first."""
    job = await scene.a_stored_job()
    first, second = [await scene.a_stored_plan(job) for _ in range(2)]
    await scene.a_stored_plan(job, pull=replace(scene.pull, number=8))
    async with scene.store.begin() as tables:
        assert await tables.plans.of_pull(scene.pull) == (second, first)


async def test_the_newest_json_of_each_project(scene: Any) -> None:
    """It names the JSON of each project's newest plan in exactly one pull request; a dropped
    plan's is none."""
    job, other = await scene.a_stored_job(), ProjectKey("net", "blue")
    await scene.a_stored_plan(job)
    kept = await scene.a_stored_plan(job, project=other)
    newest = await scene.a_stored_plan(job)
    await scene.a_stored_plan(job, pull=replace(scene.pull, number=8))
    async with scene.store.begin() as tables:
        assert set(await tables.plans.newest_json(scene.pull)) == {newest.plan_json, kept.plan_json}
        await tables.plans.drop([newest.id, kept.id])
        (older,) = await tables.plans.newest_json(scene.pull)
        assert older != newest.plan_json


async def test_a_plan_id_is_given_once(scene: Any) -> None:
    """It refuses an id that stood in an older comment, even one of a dropped plan, and
    the transaction can go on with another id."""
    job = await scene.a_stored_job()
    plan = await scene.a_stored_plan(job)
    async with scene.store.begin() as tables:
        await tables.plans.drop_of_pull(scene.pull)
        with pytest.raises(PlanIdTaken):
            await tables.plans.add(plan)
        await tables.plans.add(replace(plan, id=PlanId("p-fresh")))
    async with scene.store.begin() as tables:
        assert await tables.plans.get(plan.id) is None
        assert await tables.plans.get(PlanId("p-fresh")) is not None


async def test_dropping_forgets_plans_and_names_their_artifacts(scene: Any) -> None:
    """It hides the plans of exactly this pull request; a second time there are none."""
    job = await scene.a_stored_job()
    plan = await scene.a_stored_plan(job)
    other = await scene.a_stored_plan(job, pull=replace(scene.pull, number=8))
    async with scene.store.begin() as tables:
        named = (plan.plan_file, plan.plan_json, plan.log)
        assert await tables.plans.drop_of_pull(scene.pull) == named
        assert await tables.plans.of_pull(scene.pull) == ()
        assert await tables.plans.get(plan.id) is None
        assert await tables.plans.get(other.id) == other
        assert await tables.plans.drop_of_pull(scene.pull) == ()


@pytest.mark.parametrize(
    ("outcome", "kept"),
    [
        (None, True),
        ("applied", True),
        ("failed", True),
        ("interrupted", True),
        ("stale", False),
    ],
)
async def test_a_plan_whose_apply_began_is_not_dropped(
    scene: Any, outcome: str | None, kept: bool
) -> None:
    """It keeps what a person needs to clean up, unless the tool had changed nothing."""
    _, plan = await scene.an_intent(outcome)
    async with scene.store.begin() as tables:
        dropped = await tables.plans.drop_of_pull(scene.pull)
        assert (dropped == ()) is kept
        assert (await tables.plans.get(plan.id) is not None) is kept


async def test_an_intent_is_recorded_once_for_ever(scene: Any) -> None:
    """It says no to a second apply of a plan: by the same job, by another, and after
    the first was settled, however it ended."""
    job, plan = await scene.an_intent()
    other = await scene.a_running_job()
    now = scene.clock.now()
    async with scene.store.begin() as tables:
        assert await tables.plans.intended(job) == plan.id
        assert not await tables.plans.intend(plan.id, job, now)
        assert not await tables.plans.intend(plan.id, other, now)
        await tables.plans.settle(plan.id, "stale", None)
        assert await tables.plans.intended(job) is None
        assert not await tables.plans.intend(plan.id, other, now)


async def test_a_job_applies_one_plan_at_a_time(scene: Any) -> None:
    """It says no to a second open intent of one job, and yes once the first is settled."""
    job, plan = await scene.an_intent()
    second = await scene.a_stored_plan(job)
    async with scene.store.begin() as tables:
        assert not await tables.plans.intend(second.id, job, scene.clock.now())
        await tables.plans.settle(plan.id, "stale", None)
        assert await tables.plans.intend(second.id, job, scene.clock.now())
        assert await tables.plans.intended(job) == second.id


async def test_a_dropped_plan_cannot_be_applied(scene: Any) -> None:
    """It says no when the pull request was closed between decision and apply."""
    job = await scene.a_running_job()
    plan = await scene.a_stored_plan(job)
    async with scene.store.begin() as tables:
        await tables.plans.drop_of_pull(scene.pull)
        assert not await tables.plans.intend(plan.id, job, scene.clock.now())
        assert await tables.plans.intended(job) is None


async def test_a_worker_given_up_for_dead_cannot_begin_an_apply(scene: Any) -> None:
    """It raises LostLease for a job that is no longer this worker's; so nothing that was
    queued again can be applied by two."""
    zombie = await scene.a_running_job()
    plan = await scene.a_stored_plan(zombie)
    async with scene.store.begin() as tables:
        await tables.runs.move_job(zombie, JobState.QUEUED)
    with pytest.raises(LostLease):
        async with scene.store.begin() as tables:
            await tables.plans.intend(plan.id, zombie, scene.clock.now())
    async with scene.store.begin() as tables:
        alive = await tables.runs.start_job(zombie.id, "w-2", scene.until)
        assert await tables.plans.intend(plan.id, alive, scene.clock.now())


@pytest.mark.parametrize("kind", JobKind)
async def test_only_a_running_apply_begins_one(scene: Any, kind: JobKind) -> None:
    """It refuses an intent of a job that nobody has started, and of one that plans."""
    job = await scene.a_stored_job(kind)
    plan = await scene.a_stored_plan(job)
    async with scene.store.begin() as tables:
        with pytest.raises(IllegalTransition):
            await tables.plans.intend(plan.id, job, scene.clock.now())
        running = await tables.runs.start_job(job.id, "w-1", scene.until)
        with nullcontext() if kind is JobKind.APPLY else pytest.raises(IllegalTransition):
            assert await tables.plans.intend(plan.id, running, scene.clock.now())


async def test_a_begun_apply_is_never_queued_again(scene: Any) -> None:
    """It refuses RUNNING -> QUEUED while the intent is open; INTERRUPTED it allows."""
    job, _ = await scene.an_intent()
    with pytest.raises(IllegalTransition):
        async with scene.store.begin() as tables:
            await tables.runs.move_job(job, JobState.QUEUED)
    async with scene.store.begin() as tables:
        assert await tables.runs.get_job(job.id) == job
        interrupted = await tables.runs.move_job(job, JobState.INTERRUPTED)
        assert interrupted.state is JobState.INTERRUPTED


@pytest.mark.parametrize("kind", STATE_JOBS)
async def test_a_change_of_the_state_is_never_queued_again(scene: Any, kind: JobKind) -> None:
    """It holds that such a job may have changed something from the moment that it runs."""
    job = await scene.a_running_job(kind)
    with pytest.raises(IllegalTransition):
        async with scene.store.begin() as tables:
            await tables.runs.move_job(job, JobState.QUEUED)
    async with scene.store.begin() as tables:
        moved = await tables.runs.move_job(job, JobState.INTERRUPTED)
        assert moved.state is JobState.INTERRUPTED


@pytest.mark.parametrize("kind", [kind for kind in JobKind if kind not in STATE_JOBS])
async def test_a_job_that_did_not_begin_is_queued_again(scene: Any, kind: JobKind) -> None:
    """It lets a dead worker's job wait again while no apply can have begun."""
    job = await scene.a_running_job(kind)
    async with scene.store.begin() as tables:
        assert (await tables.runs.move_job(job, JobState.QUEUED)).state is JobState.QUEUED


async def test_settling_is_told_once(scene: Any) -> None:
    """It keeps the first outcome and the time of the apply; whoever comes later lost."""
    job, plan = await scene.an_intent()
    at = scene.clock.pass_(5)
    async with scene.store.begin() as tables:
        await tables.plans.settle(plan.id, "applied", at)
    with pytest.raises(LostLease):
        async with scene.store.begin() as tables:
            await tables.plans.settle(plan.id, "failed", None)
    async with scene.store.begin() as tables:
        assert await tables.plans.get(plan.id) == replace(plan, applied_at=at)
        assert await tables.plans.intended(job) is None
    lines = [line for line in await scene.told() if line[0] == plan.id]
    assert lines == [(plan.id, "apply intended"), (plan.id, "apply applied")]


async def test_an_apply_that_was_not_intended_cannot_be_settled(scene: Any) -> None:
    """It raises LostLease, and ValueError for an outcome nobody knows."""
    plan = await scene.a_stored_plan(await scene.a_stored_job())
    async with scene.store.begin() as tables:
        with pytest.raises(LostLease):
            await tables.plans.settle(plan.id, "applied", scene.clock.now())
        with pytest.raises(ValueError, match="perhaps"):
            await tables.plans.settle(plan.id, "perhaps", None)


async def test_what_was_applied_last(scene: Any) -> None:
    """It is the newest that was applied of just this project, in whichever pull request."""
    project = ProjectKey("network")
    async with scene.store.begin() as tables:
        assert await tables.plans.last_applied(scene.pull.repo, project) is None
    made = []
    for outcome in ("applied", "applied", "failed"):
        _, plan = await scene.an_intent()
        async with scene.store.begin() as tables:
            now = scene.clock.pass_(60) if outcome == "applied" else None
            await tables.plans.settle(plan.id, outcome, now)
        made.append(plan)
    async with scene.store.begin() as tables:
        found = await tables.plans.last_applied(scene.pull.repo, project)
        assert found is not None
        assert (found.id, found.applied_at) == (made[1].id, scene.clock.now())
        assert await tables.plans.last_applied(scene.pull.repo, ProjectKey("app")) is None
