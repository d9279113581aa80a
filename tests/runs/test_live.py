"""The summary that fills in: when it is due, where it stands, what comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import scenes
from scenes import NOON

from prbot.comments.render import render
from prbot.model import JobId, RunId
from prbot.runs.live import begins_a_comment, pause, progress
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Run, RunState

EVERY = timedelta(seconds=10)
STATES = {
    "waits": JobState.BLOCKED,
    "queued": JobState.QUEUED,
    "runs": JobState.RUNNING,
    "planned": JobState.PLANNED,
    "failed": JobState.FAILED,
}


def a_run(
    *jobs: str, number: int = 1, comment: int | None = None, kind: AskKind = AskKind.PLAN
) -> Run:
    """`"a planned"`, …: the run that has these jobs."""
    made = []
    for word in jobs:
        project, state = word.split()
        plan = scenes.plan(project, number).id if state == "planned" else None
        trouble = scenes.WRONG if state == "failed" else None
        job_id, run_id = JobId(f"j-{number}{project}"), RunId(f"r-{number}")
        key = scenes.keys(project)[0]
        done = STATES[state]
        made.append(Job(job_id, run_id, key, JobKind.PLAN, done, plan, trouble=trouble))
    ask = Ask(kind, scenes.WRITER, "x", scenes.HEAD, comment)
    begun = NOON + timedelta(minutes=number)
    return Run(RunId(f"r-{number}"), scenes.PULL, ask, begun, RunState.WORKING, jobs=tuple(made))


@pytest.mark.parametrize(
    ("run", "told", "now", "seconds"),
    [
        (a_run("a queued", "b queued"), None, 0, 10),
        (a_run("a queued", "b planned"), None, 9.5, 0.5),
        (a_run("a queued", "b planned"), None, 10, 0),
        (a_run("a queued", "b planned"), None, 999, 0),
        (a_run("a queued", "b planned"), 12, 14, 8),
        (a_run("a queued", "b planned"), 12, 22, 0),
        (a_run("a queued"), None, 999, None),
        (a_run("a planned", "b failed"), None, 999, None),
        (a_run(), None, 999, None),
        (a_run("a queued", "b queued", kind=AskKind.MERGE), None, 999, None),
        (a_run("a queued", "b queued", kind=AskKind.APPLY), None, 999, 0),
    ],
)
def test_when(run: Run, told: float | None, now: float, seconds: float | None) -> None:
    """It is due so long after the last one, or after the run began."""
    at = None if told is None else run.created_at + timedelta(seconds=told)
    wait = pause(run, at, run.created_at + timedelta(seconds=now), EVERY)
    assert (wait and wait.total_seconds()) == (seconds or wait)
    assert (wait is None) is (seconds is None)


SAME = {"content": "same"}


@pytest.mark.parametrize(
    ("before", "now", "comment", "same", "begins"),
    [
        ((), ("a planned", "b queued"), None, True, True),
        (("a planned", "b planned"), ("a planned", "b queued"), 42, True, True),
        (("a planned", "b planned"), ("a planned", "b queued"), None, True, False),
        (("a planned", "b planned"), ("a queued", "b queued"), None, True, False),
        (("a planned", "b planned"), ("a planned", "b queued"), None, False, True),
        (("a planned", "b planned"), ("a failed", "b queued"), None, True, True),
        (("a planned", "b planned"), ("a planned", "c queued"), None, True, True),
        (("a planned", "b failed"), ("a planned", "b queued"), None, True, True),
    ],
)
def test_where(before, now, comment, same, begins) -> None:
    """It begins once the report can only be a new comment."""
    earlier = replace(a_run(*before, number=1), state=RunState.DONE)
    run = a_run(*now, number=2, comment=comment)
    content = ("same", "same" if same else "other")
    plans = [
        scenes.plan(project, number, content=text)
        for number, text in zip((1, 2), content, strict=True)
        for project in ("a", "b")
    ]
    known = {(plan.id, plan.project): plan for plan in plans}
    jobs = [*earlier.jobs, *run.jobs]
    by_id = {}
    renamed = []
    for job in jobs:  # plans of one number share an id in these tests; give each its own
        plan = known.get((job.plan_id, job.project)) if job.plan_id else None
        if plan is not None:
            own = replace(plan, id=f"p-{job.id}")
            by_id[own.id] = own
            job = replace(job, plan_id=own.id)
        renamed.append(job)
    split = len(earlier.jobs)
    earlier = replace(earlier, jobs=tuple(renamed[:split]))
    run = replace(run, jobs=tuple(renamed[split:]))
    assert begins_a_comment(run, (run, earlier), by_id) is begins


def test_what_needs_a_person_comes_first() -> None:
    """It tells failures first, then what runs, what waits, and what is done last."""
    run = a_run("z failed", "a planned", "q queued", "r runs", "w waits")
    plan = scenes.plan("a", 1)
    told = progress(run, {plan.id: plan})
    assert [(row.name, row.doing) for row in told.rows] == [
        ("z", ""),
        ("r", "planning"),
        ("q", "queued"),
        ("w", "waits for others"),
        ("a", ""),
    ]
    text = render(told, marker="m")
    assert "## Planning 5 projects: 2 done" in text
    assert text.index("`z` | failed") < text.index("`r` | planning") < text.index("`a` | 1 to ")


def test_one_that_is_stopped() -> None:
    """It shows nothing as running once its run has ended without a report."""
    told = progress(a_run("a runs", "b queued"), {}, "Stopped: something newer came.")
    assert {row.doing for row in told.rows} == {"stopped"}
    assert "planning" not in render(told, marker="m")


@pytest.mark.parametrize("limit", [1_000, 60_000])
def test_any_number_of_projects_fits(limit: int) -> None:
    """It fits whatever a comment may hold."""
    run = a_run(*(f"{'long' * 20}{n} queued" for n in range(1_500)))
    assert len(render(progress(run, {}), marker="m", limit=limit)) <= limit
