"""How urgent each job is: people first, then what is looked at by night."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from prbot.engine.messages import job_message
from prbot.model import JobId, Login, ProjectKey, PullRef, RepoRef, RunId
from prbot.ports.queue import Priority
from prbot.runs.correction import OfDrift
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Run

PULL, AT = PullRef(RepoRef("gh", "acme/infra"), 7), datetime(2026, 3, 4, tzinfo=UTC)
WORD, RULE = OfDrift("c-1", False, ()), OfDrift("c-1", True, ())

JOBS: dict[str, tuple[Ask, JobKind, Priority]] = {
    "a plan": (Ask(AskKind.PLAN, Login("ann"), "x"), JobKind.PLAN, Priority.PLAN),
    "an apply": (Ask(AskKind.APPLY, Login("ann"), "x"), JobKind.APPLY, Priority.APPLY),
    "a look by night": (Ask(AskKind.DRIFT, Login("p"), "x"), JobKind.PLAN, Priority.DRIFT),
    "a correction that somebody waits for": (
        Ask(AskKind.CORRECT, Login("ann"), "x", correction=WORD),
        JobKind.PLAN,
        Priority.PLAN,
    ),
    "a correction by rule": (
        Ask(AskKind.CORRECT, Login("p"), "x", correction=RULE),
        JobKind.PLAN,
        Priority.DRIFT,
    ),
    "the apply of one": (
        Ask(AskKind.CORRECT, Login("p"), "x", correction=RULE),
        JobKind.APPLY,
        Priority.APPLY,
    ),
}


@pytest.mark.parametrize("name", JOBS)
def test_priority(name: str) -> None:
    """It lets nobody wait for what nobody waits for."""
    ask, kind, expected = JOBS[name]
    job = Job(JobId("j-1"), RunId("r-1"), ProjectKey("app"), kind, JobState.QUEUED)
    assert job_message(Run(RunId("r-1"), PULL, ask, AT), job).priority is expected
