"""The issue of a pull request that was closed after an apply: when it stands, and when not."""

from __future__ import annotations

import pytest
from scenes import (
    CLOSED,
    DONE_MERGED,
    OTHER_PULL,
    World,
    by_comment,
    by_event,
    earlier,
    job,
    lock,
    only,
    plan,
    planned,
    pull,
)

from prbot.runs.run import AskKind, JobKind, JobState, Run, RunState
from prbot.runs.say import UnmergedIssue, UnmergedSettled
from prbot.runs.steps import FreeLocks, Record, Say, WriteIssue

APPLIED = (plan("a", applied=True),)
WAS_CLOSED = (earlier(kind=AskKind.CLOSE), earlier(planned(plan("a"))))
UNLOCK = by_comment(AskKind.UNLOCK)
MINE = (lock("a"),)


def world(**odd: object) -> World:
    usual = {"ask": UNLOCK, "pull": CLOSED, "plans": APPLIED, "locks": MINE, "others": WAS_CLOSED}
    return World(**{**usual, **odd})  # type: ignore[arg-type] # rows name fields freely


def merge(**odd: object) -> World:
    return world(**{"ask": by_event(AskKind.MERGE), "pull": DONE_MERGED, **odd})


SUPERSEDED: tuple[Run, ...] = (earlier(kind=AskKind.CLOSE, state=RunState.SUPERSEDED),)

ISSUES = {
    "closed": (world(ask=by_event(AskKind.CLOSE), others=()), "open"),
    "closed, nothing applied": (world(ask=by_event(AskKind.CLOSE), plans=()), None),
    "closed, and no file was changed": (
        world(ask=by_event(AskKind.CLOSE), others=(earlier(planned(plan("a")), changed=()),)),
        None,
    ),
    "unlocked": (world(), "closed"),
    "unlocked in part": (
        world(ask=by_comment(AskKind.UNLOCK, select=only("b")), locks=(lock("a"), lock("b"))),
        None,
    ),
    "unlocked, somebody else holds another": (
        world(locks=(*MINE, lock("b", OTHER_PULL))),
        "closed",
    ),
    "unlocked while it is open": (world(pull=pull()), None),
    "never closed": (world(others=(earlier(planned(plan("a"))),)), None),
    "the close was none": (world(others=SUPERSEDED), None),
    "nothing was applied": (world(plans=()), None),
    "reopened and merged": (merge(), "closed"),
    "merged, never closed": (merge(others=(earlier(planned(plan("a"))),)), None),
    "merged, and something is left": (merge(projects="a b"), None),
}


@pytest.mark.parametrize(("world", "expected"), ISSUES.values(), ids=ISSUES.keys())
def test_issue(world: World, expected: str | None) -> None:
    """It stands from the close until the pull request is merged or holds nothing any more."""
    steps = [step for step in world.outcome() if isinstance(step, WriteIssue)]
    states = ["open" if step.is_open else "closed" for step in steps]
    assert states == ([expected] if expected else [])
    assert {step.topic for step in steps} <= {"unmerged-7"}


def test_nothing_to_merge() -> None:
    """It holds nothing where no file was changed: what runs is what the base says. What an
    interrupted apply left nobody knows."""
    empty = earlier(planned(plan("a")), changed=())
    closed = world(ask=by_event(AskKind.CLOSE), others=(empty,))
    assert FreeLocks((plan("a").project,)) in closed.outcome()
    cut = earlier(job(JobKind.APPLY, JobState.INTERRUPTED), changed=())
    unclear = world(ask=by_event(AskKind.CLOSE), others=(cut, empty))
    assert FreeLocks((plan("a").project,)) not in unclear.outcome()
    assert any(isinstance(step, WriteIssue) for step in unclear.outcome())


def test_what_is_told() -> None:
    """It names the projects, calls author and closer, and leaves a line in the journal."""
    steps = world(ask=by_event(AskKind.CLOSE), others=()).outcome()
    (issue,) = (step.message for step in steps if isinstance(step, WriteIssue))
    said = next(step.message for step in steps if isinstance(step, Say))
    assert isinstance(issue, UnmergedIssue)
    assert (issue.number, issue.projects, issue.mention) == (7, said.projects, said.mention)
    assert [step.action for step in steps if isinstance(step, Record)] == ["applied-unmerged"]


def test_how_it_ends() -> None:
    """It tells who let go of it, and nobody's name when it was merged."""
    ends = [w.outcome() for w in (world(), merge())]
    told = [step.message for steps in ends for step in steps if isinstance(step, WriteIssue)]
    assert told == [UnmergedSettled(7, UNLOCK.actor), UnmergedSettled(7, None)]
