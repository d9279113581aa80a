"""What `apply --override` leaves behind, before and after a merge."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from scenes import (
    AUTHOR,
    DONE_MERGED,
    MERGER,
    NO_APPROVALS,
    PULL,
    RULES,
    WRITER,
    World,
    after_merge,
    applying,
    at,
    by_comment,
    keys,
    plan,
    planned,
)

from prbot.config.environments import Environments, Needs, Override, Skip
from prbot.config.windows import window_of
from prbot.model import RunId
from prbot.runs.journal import JournalEntry
from prbot.runs.overrides import OVERRIDDEN, overridden
from prbot.runs.run import AskKind, JobState
from prbot.runs.say import ApplyReport, Overridden, OverrideIssue
from prbot.runs.steps import Record, Say, TakeLocks, WriteIssue

WHY = "all is on fire"
EVERYTHING = frozenset({Skip.APPROVED, Skip.WINDOWS})
MAY = replace(RULES, override=Override(users=("writer",), skips=EVERYTHING))
NOTHING_ASKED = replace(MAY, environments=NO_APPROVALS.environments)
SHUT = replace(
    MAY, environments=Environments(Needs(approvals=(), windows=(window_of("Tue 09:00-16:00 UTC"),)))
)
FRESH = after_merge("a", 3, run="r-now")
AGAIN = plan("a", 2, run="r-now")
STALE = (applying(JobState.STALE), planned(AGAIN, reviewed=1))


def line(*passed_over: str) -> JournalEntry:
    said = overridden(WHY, passed_over)
    return JournalEntry(at(42), PULL, WRITER, RunId("r-now"), OVERRIDDEN, said)


def world(**odd: object) -> World:
    ask = by_comment(AskKind.APPLY, override=WHY)
    return World(**{"ask": ask, "rules": MAY, "reviews": (), **odd})  # type: ignore[arg-type] # rows


def merged(**odd: object) -> World:
    return world(**{"pull": DONE_MERGED, "rules": SHUT, **odd})


NOT_MAY = replace(MAY, override=replace(MAY.override, users=("somebody",)))
MERGED_AGAIN = {"plans": (FRESH, plan("a")), "jobs": (planned(FRESH, reviewed=1),)}
ROWS = {
    "not approved": (world(), ["approved"]),
    "outside the window": (world(rules=SHUT), ["windows"]),
    "all is met": (world(rules=NOTHING_ASKED), []),
    "not allowed to": (world(rules=NOT_MAY), None),
    "without one": (world(ask=by_comment(AskKind.APPLY)), None),
    "merged, to be planned again": (merged(), None),
    "merged, planned again": (merged(**MERGED_AGAIN), ["windows"]),
    "merged, all is met": (merged(rules=NOTHING_ASKED, **MERGED_AGAIN), []),
    "merged, not allowed to": (merged(rules=NOT_MAY, **MERGED_AGAIN), None),
    "merged, and the plan is of the merge": (
        merged(plans=(after_merge("a", 3),), ask=replace(world().ask, accept_changes=True)),
        ["windows"],
    ),
    "its plan was stale": (world(jobs=STALE, plans=(AGAIN, plan("a"))), ["approved"]),
    "its plan was stale, and it stands there": (
        world(jobs=STALE, plans=(AGAIN, plan("a")), journal=(line("approved"),)),
        None,
    ),
    "its plan was stale, and the window closed meanwhile": (
        world(jobs=STALE, plans=(AGAIN, plan("a")), rules=SHUT, journal=(line("approved"),)),
        ["windows"],
    ),
}


@pytest.mark.parametrize(("world", "expected"), ROWS.values(), ids=ROWS)
def test_noted(world: World, expected: list[str] | None) -> None:
    """Whatever is applied with an override stands in the journal before it begins, once."""
    steps = world.outcome()
    lines = [step for step in steps if isinstance(step, Record)]
    assert [json.loads(line.detail) for line in lines] == (
        [] if expected is None else [{"reason": WHY, "passed_over": expected}]
    )
    assert {line.action for line in lines} <= {OVERRIDDEN}
    begun = [n for n, step in enumerate(steps) if isinstance(step, TakeLocks)]
    assert all(steps.index(line) < begun[0] for line in lines)


@pytest.mark.parametrize(("world", "expected"), ROWS.values(), ids=ROWS)
def test_issue(world: World, expected: list[str] | None) -> None:
    """What was passed over has an issue, and nothing else has."""
    issues = [step.message for step in world.outcome() if isinstance(step, WriteIssue)]
    assert all(isinstance(issue, OverrideIssue) for issue in issues)
    passed = [issue.overridden.passed_over for issue in issues if isinstance(issue, OverrideIssue)]
    assert passed == ([tuple(expected)] if expected else [])


def test_who_is_called() -> None:
    """The issue calls author, merger and commenter, and names what is applied."""
    steps = merged(**MERGED_AGAIN).outcome()
    (issue,) = (step for step in steps if isinstance(step, WriteIssue))
    told = Overridden(WHY, ("windows",))
    people = (AUTHOR, MERGER, WRITER)
    assert issue.message == OverrideIssue(7, WRITER, told, keys("a"), people)
    assert (issue.topic, issue.is_open) == ("override-r-now", True)


def test_one_more_is_another_issue() -> None:
    """What is passed over later in the same run has an issue of its own."""
    world, _ = ROWS["its plan was stale, and the window closed meanwhile"]
    (issue,) = (step for step in world.outcome() if isinstance(step, WriteIssue))
    assert issue.topic == "override-r-now-2"


DONE = (applying(JobState.APPLIED),)
REPORTS = {
    "open": (world(jobs=DONE, journal=(line("approved"),)), ("approved",)),
    "merged": (merged(jobs=DONE, journal=(line("windows"),)), ("windows",)),
    "twice": (
        world(jobs=DONE, journal=(line("approved"), line("windows"))),
        ("approved", "windows"),
    ),
    "all was met": (world(jobs=DONE, journal=(line(),)), ()),
    "without one": (world(ask=by_comment(AskKind.APPLY), jobs=DONE), None),
    "of another run": (
        world(jobs=DONE, journal=(replace(line("approved"), subject=RunId("r-other")),)),
        None,
    ),
}


@pytest.mark.parametrize(("world", "expected"), REPORTS.values(), ids=REPORTS)
def test_report(world: World, expected: tuple[str, ...] | None) -> None:
    """The comment about the apply tells why, and what was passed over."""
    (report,) = (step.message for step in world.outcome() if isinstance(step, Say))
    assert isinstance(report, ApplyReport)
    assert report.overridden == (None if expected is None else Overridden(WHY, expected))
