"""What a check comes to: every combination of what the plans say and what is known as applied."""

from __future__ import annotations

from itertools import product

import pytest

from prbot.drift.verdict import Check, LastApplied, Outcome, Planned, ProjectVerdict, verdict
from prbot.runs.run import Trouble

SAME, DIFFERENT, NOTHING = LastApplied
CLEAN, CLEAN_NOW = Planned("0", changes=False), Planned("0'", changes=False)
FAILING = Planned("0", changes=False, failing_checks=2)
DRIFT = Planned("d", changes=True, drifted=True)
CODE = Planned("c", changes=True, more=True)
BOTH = Planned("b", changes=True, drifted=True, more=True)
UNSEEN = Planned("u", changes=True, more=True)
"""The world moved where no resource's drift tells of it, such as in a data source."""
BROKEN = Trouble("no credentials")

ROWS: dict[str, tuple[Check, str]] = {
    "never looked at": (Check(None, NOTHING), "unknown"),
    "not planned this time": (Check(None, SAME), "unknown"),
    "no changes": (Check(CLEAN, SAME), "in-sync"),
    "no changes, the code is newer": (Check(CLEAN, DIFFERENT), "in-sync"),
    "no changes, nothing known: the baseline": (Check(CLEAN, NOTHING), "in-sync"),
    "no changes, and an apply that was not merged": (
        Check(CLEAN, DIFFERENT, unmerged=True),
        "in-sync",
    ),
    "a failing check block": (Check(FAILING, SAME), "check-failed"),
    "a failing check block, the code is newer": (Check(FAILING, DIFFERENT), "check-failed"),
    "drift, and a failing check block": (
        Check(Planned("d", changes=True, drifted=True, failing_checks=1), SAME),
        "drifted",
    ),
    "it cannot be planned": (Check(BROKEN, SAME), "error"),
    "it cannot be planned, an apply was not merged": (
        Check(BROKEN, SAME, unmerged=True),
        "error",
    ),
    "drift": (Check(DRIFT, SAME), "drifted"),
    "a change that no resource's drift explains": (Check(UNSEEN, SAME), "drifted"),
    "an apply that was not merged": (Check(CODE, SAME, unmerged=True), "applied-unmerged"),
    "an apply that was not merged, and more": (
        Check(BOTH, DIFFERENT, CLEAN, unmerged=True),
        "applied-unmerged",
    ),
    "unapplied code": (Check(CODE, DIFFERENT, CLEAN), "behind"),
    "unapplied code that wants what others did": (Check(BOTH, DIFFERENT, CLEAN_NOW), "behind"),
    "new code without effect, and drift": (Check(DRIFT, DIFFERENT, DRIFT), "drifted"),
    "unapplied code and drift": (Check(BOTH, DIFFERENT, DRIFT), "mixed"),
    "unapplied code, what was applied cannot be planned": (
        Check(CODE, DIFFERENT, BROKEN),
        "error",
    ),
    "unapplied code, what was applied is gone": (Check(CODE, DIFFERENT, None), "unknown"),
    "nothing known, drift alone": (Check(DRIFT, NOTHING), "drifted"),
    "nothing known, code alone": (Check(CODE, NOTHING), "behind"),
    "nothing known, both": (Check(BOTH, NOTHING), "mixed"),
}


@pytest.mark.parametrize(("check", "expected"), ROWS.values(), ids=ROWS.keys())
def test_verdict(check: Check, expected: str) -> None:
    """It says what the plans prove, and no more."""
    assert verdict(check) == expected


PLANS: tuple[Outcome, ...] = (None, BROKEN, CLEAN, FAILING, DRIFT, CODE, BOTH)
EVERY = [
    Check(head, last, applied, unmerged)
    for head, last, applied, unmerged in product(PLANS, LastApplied, PLANS, (False, True))
]


def test_what_is_never_said() -> None:
    """It never calls in sync what could not be planned or would change, and never drift what
    only code explains."""
    for check in EVERY:
        found = verdict(check)
        if not isinstance(check.head, Planned) or check.head.changes:
            assert found is not ProjectVerdict.IN_SYNC, check
        drifting = (ProjectVerdict.DRIFTED, ProjectVerdict.MIXED)
        if check.last_applied is DIFFERENT and check.applied in (CLEAN, FAILING):
            assert found not in drifting, check


def test_every_verdict_is_reached() -> None:
    """It has no verdict that nothing leads to."""
    assert {verdict(check) for check in EVERY} == set(ProjectVerdict)
