"""What nobody can have read is neither approved, nor asked for, nor reviewed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    DONE_MERGED,
    NO_APPROVALS,
    World,
    approval,
    at,
    by_comment,
    by_event,
    earlier,
    plan,
    planned,
    words,
)

from prbot.runs.run import AskKind, Run, RunState

APPLY = World(by_comment(AskKind.APPLY))
MERGE = World(by_event(AskKind.MERGE), pull=DONE_MERGED)


def told(minute: float) -> tuple[Run, ...]:
    """The run that made the plan at minute 0, and told it only then."""
    return (replace(earlier(planned(plan("a"))), told_at=at(minute)),)


UNTOLD = (earlier(planned(plan("a")), state=RunState.WORKING),)
LATE = (approval(minute=50),)
ROWS = {
    "approved after it was told": (replace(APPLY, others=told(4)), {"lock a", "apply a=p1"}),
    "approved when made, before it was told": (
        replace(APPLY, others=told(6)),
        {"refuse: approved", "refused"},
    ),
    "made, but not told yet": (
        replace(APPLY, others=UNTOLD, rules=NO_APPROVALS),
        {"refuse: seen", "refused"},
    ),
    "told and approved after somebody said apply": (
        replace(APPLY, others=told(45), reviews=LATE),
        {"refuse: seen", "refused"},
    ),
    "told before the merge": (replace(MERGE, others=told(10)), {"plan a~p1"}),
}


@pytest.mark.parametrize(("world", "expected"), ROWS.values(), ids=ROWS)
def test_seen(world: World, expected: set[str]) -> None:
    """It counts from when the comment stood there, not from when the plan was made."""
    assert words(world.outcome()) == expected


def test_merged_before_it_was_told() -> None:
    """It takes no plan as reviewed that was told only after the merge."""
    assert words(replace(MERGE, others=told(26)).outcome()) == {"plan a"}
