"""What a decision leaves in the journal: applies with their plan and approvals, merges, locks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import HEAD, NEW_HEAD, NOON, approval, keys, plan, pull

from prbot.model import Permission, PlanId, Review, ReviewState
from prbot.runs.noted import noted, standing
from prbot.runs.run import JobKind
from prbot.runs.scene import Scene
from prbot.runs.steps import DropPlans, FreeLocks, LayOut, MergePull, Record, StartJob, Step

PLAN = plan("a")
BOB = approval("bob")
SCENE = Scene(pull(), now=NOON, bot="prbot", plans=(PLAN,), reviews=(BOB,))  # type: ignore[arg-type] # a name
APPLY = StartJob(PLAN.project, JobKind.APPLY, PLAN.id)

LINES: dict[str, tuple[Step, Record | None]] = {
    "an apply": (APPLY, Record("apply decided", "a", PLAN.id, PLAN.head, (BOB.author,))),
    "an apply of a plan that is gone": (
        replace(APPLY, reviewed=PlanId("p-99")),
        Record("apply decided", "a", PlanId("p-99")),
    ),
    "a merge": (MergePull(HEAD, "squash"), Record("merge decided", "squash", commit=HEAD)),
    "locks": (FreeLocks(keys("a b")), Record("unlocked", "a, b")),
    "no locks": (FreeLocks(()), None),
    "a plan": (StartJob(PLAN.project, JobKind.PLAN), None),
    "plans that are dropped": (DropPlans(), None),
}


@pytest.mark.parametrize(("step", "line"), LINES.values(), ids=LINES.keys())
def test_lines(step: Step, line: Record | None) -> None:
    """It adds a line for what nothing else writes down, and changes no step."""
    assert noted((step,), SCENE) == ((line, step) if line else (step,))


def test_the_order_of_steps_stays() -> None:
    """It leaves what must be last at the end, and adds nothing to no decision."""
    steps = (APPLY, LayOut())
    assert noted(steps, SCENE)[1:] == steps
    assert noted((), SCENE) == ()


STANDING: dict[str, tuple[Review, bool]] = {
    "an approval": (BOB, True),
    "of somebody who may not write": (replace(BOB, permission=Permission.READ), False),
    "of another commit": (replace(BOB, commit=NEW_HEAD), False),
    "dismissed": (replace(BOB, state=ReviewState.DISMISSED), False),
    "changes requested": (replace(BOB, state=ReviewState.CHANGES_REQUESTED), False),
}


@pytest.mark.parametrize(("review", "stands"), STANDING.values(), ids=STANDING.keys())
def test_who_approves(review: Review, stands: bool) -> None:
    """It names whose approval of this commit stands."""
    scene = replace(SCENE, reviews=(review,))
    assert standing(PLAN, scene) == ((BOB.author,) if stands else ())
