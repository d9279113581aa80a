"""Leases: a job belongs to one worker until it ends, or until it is given up for dead."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from prbot.errors.runs import IllegalTransition, LostLease
from prbot.model import PlanId, PullRef, RepoRef
from prbot.ports.store import Held
from prbot.runs.run import STATE_JOBS, JobKind, JobState, RunState


async def test_a_worker_renews_what_it_holds(scene: Any) -> None:
    """It lengthens the leases of this worker's running jobs, of no waiting, ended or other
    one, and names those it lengthened."""
    mine, ended = [await scene.a_running_job() for _ in range(2)]
    waiting = await scene.a_stored_job()
    other = await scene.a_stored_job()
    await scene.start(other.id, "w-2")
    scene.clock.pass_(20)
    async with scene.store.begin() as tables:
        await tables.runs.move_job(ended, JobState.FAILED)
        assert await tables.runs.renew("w-1", scene.until) == (Held(mine.id, False),)
        assert (await tables.runs.get_job(mine.id)).lease_until == scene.until
        assert (await tables.runs.get_job(waiting.id)) == waiting
        assert (await tables.runs.get_job(ended.id)).lease_until is None
        assert await tables.runs.renew("w-3", scene.until) == ()


async def test_leases_run_out(scene: Any) -> None:
    """It names the running jobs whose worker has not renewed in time, oldest first."""
    dead, alive = await scene.a_running_job(), await scene.a_stored_job()
    await scene.start(alive.id, "w-2")
    scene.clock.pass_(20)
    async with scene.store.begin() as tables:
        await tables.runs.renew("w-2", scene.until)
        assert await tables.runs.expired(scene.clock.pass_(9)) == ()
        assert await tables.runs.expired(scene.clock.pass_(1)) == (dead,)
        await tables.runs.move_job(dead, JobState.QUEUED)
        assert await tables.runs.expired(scene.clock.now()) == ()


async def test_a_worker_learns_that_it_lost_a_job(scene: Any) -> None:
    """It no longer names a job that was given to another worker."""
    lost = await scene.a_running_job(JobKind.PLAN)
    async with scene.store.begin() as tables:
        await tables.runs.move_job(lost, JobState.QUEUED)
        again = await tables.runs.start_job(lost.id, "w-2", scene.until)
        assert (again.worker, again.fence) == ("w-2", 2)
        assert await tables.runs.renew("w-1", scene.until) == ()
        assert await tables.runs.renew("w-2", scene.until) == (Held(lost.id, False),)


async def test_a_running_job_is_asked_to_stop(scene: Any) -> None:
    """It tells the worker when it renews, writes the first asking down, and leaves a
    waiting job alone."""
    job, waiting = await scene.a_running_job(), await scene.a_stored_job()
    async with scene.store.begin() as tables:
        for asked in (job, job, waiting):
            await tables.runs.ask_to_stop(asked.id)
        assert await tables.runs.renew("w-1", scene.until) == (Held(job.id, True),)
        assert not (await tables.runs.get_job(waiting.id)).stop_asked
    lines = [action for _, action in await scene.told() if "stop" in action]
    assert lines == ["apply job asked to stop"]


async def test_an_ask_to_stop_outlives_the_worker(scene: Any) -> None:
    """It still stands when the worker died over it and another one starts the job."""
    job = await scene.a_running_job(JobKind.PLAN)
    async with scene.store.begin() as tables:
        await tables.runs.ask_to_stop(job.id)
        await tables.runs.move_job(job, JobState.QUEUED)
        assert (await tables.runs.start_job(job.id, "w-2", scene.until)).stop_asked


async def test_a_begun_apply_is_never_dropped(scene: Any) -> None:
    """It refuses RUNNING -> DROPPED while the intent is open, and allows it before; a job that
    changes the state by itself is its own intent."""
    begun, _ = await scene.an_intent()
    with pytest.raises(IllegalTransition):
        async with scene.store.begin() as tables:
            await tables.runs.move_job(begun, JobState.DROPPED)
    for kind in JobKind:
        job = await scene.a_running_job(kind)
        with pytest.raises(IllegalTransition) if kind in STATE_JOBS else nullcontext():
            async with scene.store.begin() as tables:
                moved = await tables.runs.move_job(job, JobState.DROPPED)
                assert moved.state is JobState.DROPPED


async def test_a_run_is_acted_on_in_its_version(scene: Any) -> None:
    """It gives the right to act once for each reading of the run."""
    run = scene.a_run()
    async with scene.store.begin() as tables:
        await tables.runs.add(run)
        acted = await tables.runs.act_on(run)
        assert acted == replace(run, version=1) == await tables.runs.get(run.id)
        with pytest.raises(LostLease):
            await tables.runs.act_on(run)
        assert (await tables.runs.act_on(acted)).version == 2


@pytest.mark.parametrize("state", [state for state in RunState if state.finished])
async def test_nobody_acts_on_a_finished_run(scene: Any, state: RunState) -> None:
    """It refuses, although the version is the one that was read."""
    run = scene.a_run(state=state)
    async with scene.store.begin() as tables:
        await tables.runs.add(run)
        with pytest.raises(LostLease):
            await tables.runs.act_on(run)


async def test_the_unfinished_runs_of_a_repository(scene: Any) -> None:
    """It lists them with their jobs, oldest first, over all pull requests of exactly this
    repository."""
    first, done, other = (scene.a_run(pull=replace(scene.pull, number=n)) for n in (9, 8, 7))
    first = replace(first, jobs=(scene.a_job(first),))
    elsewhere = scene.a_run(pull=PullRef(RepoRef("gh", "acme/infra-prod"), 7))
    async with scene.store.begin() as tables:
        for run in (first, done, other, elsewhere):
            await tables.runs.add(run)
        await tables.runs.move(done.id, RunState.QUEUED, RunState.DONE)
        assert await tables.runs.of_repo_unfinished(scene.pull.repo) == (first, other)


async def test_old_plans_are_found_and_dropped(scene: Any) -> None:
    """It finds those made before a moment whose apply never began, oldest first, and
    drops the named ones; what was begun stays, whoever names it."""
    _, begun = await scene.an_intent("failed")
    _, stale = await scene.an_intent("stale")
    old = await scene.a_stored_plan(await scene.a_stored_job())
    moment = scene.clock.pass_(1)
    young = await scene.a_stored_plan(await scene.a_stored_job())
    async with scene.store.begin() as tables:
        assert await tables.plans.older_than(moment) == (stale, old)
        named = (begun.id, old.id, PlanId("p-0"))
        kept = (old.plan_file, old.plan_json, f"{old.id}.log")
        assert await tables.plans.drop(named) == kept
        assert await tables.plans.drop(()) == ()
        assert await tables.plans.older_than(moment) == (stale,)
        assert await tables.plans.of_pull(scene.pull) == (young, stale, begun)
