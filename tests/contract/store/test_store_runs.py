"""Runs and jobs in the store: what is put is got, and only legal moves happen."""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from prbot.errors.runs import IllegalTransition, LostLease
from prbot.model import Checkout, JobId, Login, PlanId, ProjectKey, RunId, Selector, Sha
from prbot.runs.run import (
    JOB_MOVES,
    RUN_MOVES,
    Ask,
    AskKind,
    JobKind,
    JobState,
    RunState,
    Trouble,
)

CHECKOUT = Checkout("/w/1", Sha("c" * 40), Sha("b" * 40), Sha("a" * 40), ("a b.tf", "é/ü.tf"))
PROJECTS = (ProjectKey("a b"), ProjectKey("é", "prod"))
TROUBLE = Trouble("It broke.", "Mend it.", "Error: \x1b[31mno\x00")


async def test_a_run_comes_back_as_it_went_in(scene: Any) -> None:
    """It gives back every field of a run and its jobs, however nested."""
    ask = Ask(
        AskKind.APPLY,
        Login("ann"),
        "comment",
        head_sha=Sha("a" * 40),
        comment_id=2**40,
        commented_at=scene.clock.now(),
        select=Selector(("net*",), ("prod",)),
        plan_id=PlanId("p-000001"),
        accept_changes=True,
    )
    run = scene.a_run(ask=ask, checkout=CHECKOUT, projects=PROJECTS, trouble=TROUBLE)
    jobs = (
        scene.a_job(run, JobKind.PLAN, differences=("x",), plan_id=PlanId("p-1"), fence=3),
        scene.a_job(run, JobKind.APPLY, reviewed=PlanId("p-1"), trouble=TROUBLE),
    )
    run = replace(run, jobs=jobs)
    async with scene.store.begin() as tables:
        await tables.runs.add(run)
    async with scene.store.begin() as tables:
        assert await tables.runs.get(run.id) == run
        assert await tables.runs.of_pull(run.pull) == (run,)
        assert await tables.runs.get_job(jobs[1].id) == jobs[1]


async def test_an_unknown_run_or_job_is_a_key_error(scene: Any) -> None:
    """It raises KeyError for ids it never saw."""
    async with scene.store.begin() as tables:
        with pytest.raises(KeyError):
            await tables.runs.get(RunId("r-0"))
        with pytest.raises(KeyError):
            await tables.runs.get_job(JobId("j-0"))
        assert await tables.runs.start_job(JobId("j-0"), "w-1", scene.until) is None


async def test_laying_out_is_kept_and_may_be_empty(scene: Any) -> None:
    """It tells a run without projects (an empty tuple) from one not laid out (None)."""
    run = scene.a_run()
    async with scene.store.begin() as tables:
        await tables.runs.add(run)
        assert (await tables.runs.get(run.id)).projects is None
        await tables.runs.lay_out(run.id, CHECKOUT, ())
        assert await tables.runs.get(run.id) == replace(run, checkout=CHECKOUT, projects=())


async def test_runs_are_listed_by_age(scene: Any) -> None:
    """It lists unfinished runs oldest first and those of a pull request newest first,
    although all were made at the same moment."""
    runs = [scene.a_run() for _ in range(3)]
    other = scene.a_run(pull=replace(scene.pull, number=8))
    async with scene.store.begin() as tables:
        for run in [*runs, other]:
            await tables.runs.add(run)
        await tables.runs.move(runs[1].id, RunState.QUEUED, RunState.DONE)
        unfinished = await tables.runs.unfinished()
        of_pull = await tables.runs.of_pull(scene.pull)
    assert unfinished == (runs[0].id, runs[2].id, other.id)
    assert [run.id for run in of_pull] == [run.id for run in reversed(runs)]


async def test_runs_move_as_the_table_says(scene: Any) -> None:
    """It makes every move of the table, and no other, and journals exactly those made."""
    for old, new in itertools.product(RunState, RunState):
        run = scene.a_run(state=old)
        allowed = new in RUN_MOVES.get(old, ())
        async with scene.store.begin() as tables:
            await tables.runs.add(run)
            with nullcontext() if allowed else pytest.raises(IllegalTransition):
                await tables.runs.move(run.id, old, new)
            assert (await tables.runs.get(run.id)).state is (new if allowed else old)
        lines = [action for subject, action in await scene.told() if subject == run.id]
        assert lines == [f"run {old}", f"run {old}->{new}"][: 1 + allowed]


async def test_only_one_of_two_movers_wins(scene: Any) -> None:
    """It refuses a move from a state the run has left, with LostLease."""
    run = scene.a_run()
    async with scene.store.begin() as tables:
        await tables.runs.add(run)
        await tables.runs.move(run.id, RunState.QUEUED, RunState.WORKING)
    with pytest.raises(LostLease):
        async with scene.store.begin() as tables:
            await tables.runs.move(run.id, RunState.QUEUED, RunState.SUPERSEDED)
    with pytest.raises(LostLease):
        async with scene.store.begin() as tables:
            await tables.runs.move(RunId("r-0"), RunState.QUEUED, RunState.WORKING)


async def test_trouble_is_kept_with_the_move(scene: Any) -> None:
    """It stores what went wrong and names it in the journal, on the asker's behalf."""
    run = scene.a_run()
    async with scene.store.begin() as tables:
        await tables.runs.add(run)
        await tables.runs.move(run.id, RunState.QUEUED, RunState.FAILED, TROUBLE)
        assert (await tables.runs.get(run.id)).trouble == TROUBLE
        line = (await tables.journal.of_pull(scene.pull))[-1]
    assert (line.actor, line.at, line.detail) == ("ann", scene.clock.now(), TROUBLE.sentence)


async def test_jobs_move_as_the_table_says(scene: Any) -> None:
    """It makes every move of the table, and journals exactly those made. It makes no other: the
    table itself is asked for all of them where it is tested, here for one from each state."""
    expected: dict[JobId, list[str]] = {}
    for kind, old in itertools.product(JobKind, JobState):
        moves = JOB_MOVES.get((kind, old), frozenset())
        refused = next(new for new in JobState if new not in moves)
        async with scene.store.begin() as tables:
            for new in (*moves, refused):
                run = scene.a_run()
                job = scene.a_job(run, kind, state=old)
                await tables.runs.add(replace(run, jobs=(job,)))
                with nullcontext() if new in moves else pytest.raises(IllegalTransition):
                    assert await tables.runs.move_job(job, new) == replace(job, state=new)
                kept = await tables.runs.get_job(job.id)
                assert kept == replace(job, state=new if new in moves else old)
                told = [f"{kind} job {old}", f"{kind} job {old}->{new}"]
                expected[job.id] = told[: 1 + (new in moves)]
    lines: dict[JobId, list[str]] = {job: [] for job in expected}
    for subject, action in await scene.told():
        if subject in lines:
            lines[subject].append(action)
    assert lines == expected


async def test_a_job_starts_once(scene: Any) -> None:
    """It hands a waiting job to one worker only, under a new fence."""
    job = await scene.a_stored_job()
    async with scene.store.begin() as tables:
        assert await tables.runs.waiting_jobs() == (job,)
        started = await tables.runs.start_job(job.id, "w-1", scene.until)
        running = replace(job, state=JobState.RUNNING, fence=1)
        assert started == replace(running, worker="w-1", lease_until=scene.until)
        assert await tables.runs.start_job(job.id, "w-2", scene.until) is None
        assert await tables.runs.waiting_jobs() == ()
        assert await tables.runs.running_jobs() == (started,)


async def test_a_worker_given_up_for_dead_reports_nothing(scene: Any) -> None:
    """It refuses the word of a worker whose job was queued again, and after that
    started again, because the fence has grown."""
    zombie = await scene.a_running_job(JobKind.PLAN)
    async with scene.store.begin() as tables:
        await tables.runs.move_job(zombie, JobState.QUEUED)
    with pytest.raises(LostLease):
        async with scene.store.begin() as tables:
            await tables.runs.move_job(zombie, JobState.PLANNED)
    async with scene.store.begin() as tables:
        alive = await tables.runs.start_job(zombie.id, "w-2", scene.until)
        assert alive.fence == zombie.fence + 1
    with pytest.raises(LostLease):
        async with scene.store.begin() as tables:
            await tables.runs.move_job(zombie, JobState.PLANNED)
    async with scene.store.begin() as tables:
        assert (await tables.runs.move_job(alive, JobState.PLANNED)).state is JobState.PLANNED


async def test_the_result_comes_with_the_move(scene: Any) -> None:
    """It stores plan, trouble and differences of the result, and nothing else of it."""
    job = await scene.a_running_job()
    result = replace(
        job, plan_id=PlanId("p-2"), trouble=TROUBLE, differences=("one", "two"), fence=99
    )
    async with scene.store.begin() as tables:
        moved = await tables.runs.move_job(job, JobState.FAILED, result)
        kept = replace(result, state=JobState.FAILED, fence=job.fence)
        assert moved == replace(kept, lease_until=None)
        assert await tables.runs.get_job(job.id) == moved


async def test_a_move_without_a_result_keeps_the_old_one(scene: Any) -> None:
    """It leaves plan, trouble and differences alone when no result is given."""
    run = scene.a_run()
    job = scene.a_job(run, plan_id=PlanId("p-1"), state=JobState.RUNNING)
    async with scene.store.begin() as tables:
        await tables.runs.add(replace(run, jobs=(job,)))
        assert (await tables.runs.move_job(job, JobState.FAILED)).plan_id == "p-1"
