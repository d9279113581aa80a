"""What a heart concludes from its beats, and a sweep from a run; the stories do the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from prbot.engine.heart import Pulse, is_lost
from prbot.engine.recovery import messages_of
from prbot.model import JobId, Login, ProjectKey, PullRef, RepoRef, RunId
from prbot.ports.queue import AdvanceRun, PerformJob
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Run

START = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)
RUN = Run(
    RunId("r-1"),
    PullRef(RepoRef("forge", "acme/infra"), 5),
    Ask(AskKind.PLAN, Login("alice"), "opened"),
    START,
)
JOB = Job(
    JobId("j-1"), RUN.id, ProjectKey("app", "default"), JobKind.PLAN, JobState.RUNNING, fence=3
)


@pytest.mark.parametrize(
    ("beats", "expected"),
    [
        pytest.param([10, 20, 29], [False] * 3, id="just started"),
        pytest.param([10, 20, 30, 40], [False, False, True, True], id="steady"),
        pytest.param([10, 20, 30, 50], [False, False, True, True], id="one beat missed"),
        pytest.param([10, 20, 30, 51, 61, 71, 81], [0, 0, 1, 0, 0, 0, 1], id="two missed"),
        pytest.param([10, 20, 30, 3600, 3610], [0, 0, 1, 0, 0], id="the machine slept"),
        pytest.param([40, 50, 60, 70], [False, False, False, True], id="a slow start"),
    ],
)
def test_pulse(beats: list[int], expected: list[bool]) -> None:
    """It trusts leases only after it reached the database for as long as one lasts."""
    pulse = Pulse(LEASE, START)
    assert [pulse.beat(START + timedelta(seconds=beat)) for beat in beats] == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param({"state": JobState.RUNNING}, False, id="ours"),
        pytest.param({"state": JobState.PLANNED}, False, id="just ended by us"),
        pytest.param({"state": JobState.DROPPED}, False, id="just dropped by us"),
        pytest.param({"state": JobState.QUEUED}, True, id="given back"),
        pytest.param({"state": JobState.RUNNING, "fence": 4}, True, id="another's"),
        pytest.param({"state": JobState.PLANNED, "fence": 4}, True, id="ended by another"),
    ],
)
def test_is_lost(now: dict[str, object], expected: bool) -> None:
    """It tells a job that somebody took from one that just ended here."""
    assert is_lost(JOB, replace(JOB, **now)) is expected  # type: ignore[arg-type] # a table


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param([], [AdvanceRun(RUN.id)], id="not begun"),
        pytest.param([JobState.PLANNED, JobState.FAILED], [AdvanceRun(RUN.id)], id="all ended"),
        pytest.param([JobState.PLANNED, JobState.RUNNING], [], id="one works"),
        pytest.param(
            [JobState.QUEUED, JobState.RUNNING, JobState.QUEUED],
            [PerformJob(JobId("j-0")), PerformJob(JobId("j-2"))],
            id="some wait",
        ),
    ],
)
def test_messages_of(states: list[JobState], expected: list[object]) -> None:
    """It names the messages without which the run would stand still."""
    jobs = tuple(
        replace(JOB, id=JobId(f"j-{number}"), state=state) for number, state in enumerate(states)
    )
    assert [message.work for message in messages_of(replace(RUN, jobs=jobs))] == expected
