"""When a run has nothing to decide, so that nobody need ask the forge about it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import NOON, PULL, keys

from prbot.model import JobId, Login, RunId
from prbot.runs.order import rests
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Run

RUN = Run(RunId("r-1"), PULL, Ask(AskKind.PLAN, Login("alice"), "opened"), NOON)
LATER = replace(RUN, id=RunId("r-2"))
ENDED, WORKS, QUEUED = JobState.PLANNED, JobState.RUNNING, JobState.QUEUED


def with_jobs(*states: JobState) -> Run:
    (project,) = keys("a")
    jobs = (Job(JobId(f"j-{n}"), RUN.id, project, JobKind.PLAN, s) for n, s in enumerate(states))
    return replace(RUN, jobs=tuple(jobs))


@pytest.mark.parametrize(
    ("states", "newest", "expected"),
    [
        pytest.param([], None, False, id="no jobs yet"),
        pytest.param([ENDED, ENDED], None, False, id="all ended"),
        pytest.param([ENDED, WORKS], None, True, id="one works"),
        pytest.param([ENDED, QUEUED], None, True, id="one waits"),
        pytest.param([ENDED, JobState.BLOCKED], None, False, id="one can be released"),
        pytest.param([WORKS, WORKS], LATER, False, id="something came after it"),
        pytest.param([ENDED, JobState.FAILED], LATER, False, id="ended, and something came"),
    ],
)
def test_rests(states: list[JobState], newest: Run | None, expected: bool) -> None:
    """It rests while jobs are under way and nobody asked for anything since."""
    run = with_jobs(*states)
    runs = (run,) if newest is None else (newest, run)
    assert rests(run, runs) is expected
