"""A correction, from its plan to the plan that proves it, and every reason that ends it before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from scenes import (
    MERGED,
    NOON,
    REPO,
    RULES,
    WRONG,
    World,
    after_merge,
    applying,
    job,
    merged,
    of_the_branch,
    planned,
    planning,
    words,
)

from prbot.config.environments import Environments, Needs
from prbot.model import Permission, PullRef, Sha
from prbot.plans.record import Applied, StoredPlan
from prbot.runs.correcting import decide_correct
from prbot.runs.correction import (
    OfDrift,
    correction_place,
    holder_words,
    is_correction,
    way_to_free,
)
from prbot.runs.drifting import place_for
from prbot.runs.queued import place_of
from prbot.runs.run import AskKind, JobKind, JobState
from prbot.runs.say import CorrectionReport, Reason, Refusal
from prbot.runs.steps import Say, StartJob

PLAN = after_merge("a", 3, run="r-now")
CLEAN = after_merge("a", 4, run="r-now", changes=0)
STILL = after_merge("a", 4, run="r-now")
OTHER = Applied(Sha("e" * 40), replace(PLAN.inputs, files="other"), NOON)
FREE = replace(RULES, environments=Environments(others=Needs(approvals=())))
HELD = Reason("lock", "the project is held by pull request 7", "it is merged", comes=True)
ASKED = OfDrift("c-1", by_rule=False, shown=("f",), place=REPO, marker="<!-- m -->")
RULED = replace(ASKED, by_rule=True)
APPLIED = applying(JobState.APPLIED, number=3)
LOOKED = job(JobKind.LOOK, JobState.LOOKED)
GOES_ON = {"lock a", "apply a=p3"}


def correct(about: OfDrift = ASKED, **odd: Any) -> World:
    usual: dict[str, Any] = {
        "ask": of_the_branch(AskKind.CORRECT, correction=about),
        "pull": merged(head_sha=MERGED),
        "plans": (),
        "others": (),
        "rules": FREE,
        "newest": MERGED,
        "against": (),
    }
    return World(**(usual | odd))


def made(about: OfDrift = ASKED, **odd: Any) -> World:
    """Planned, and nothing is against it."""
    return correct(about, **{"plans": (PLAN,), "jobs": (planned(PLAN),), **odd})


def after(*jobs: object, about: OfDrift = ASKED, **odd: Any) -> World:
    """Something was done about its apply."""
    plans = {"plans": (STILL, PLAN), "jobs": (planned(PLAN), *jobs)}
    return correct(about, **{**plans, **odd})


def refused(*requirements: str) -> set[str]:
    return {f"refuse: {', '.join(requirements)}", "drop-workspaces", "refused"}


QUIET = {"drop-workspaces", "refused"}
ROWS: dict[str, tuple[World, set[str]]] = {
    "new": (correct(), {"plan a"}),
    "being planned": (correct(jobs=(planning(JobState.RUNNING),)), set()),
    "planned, nothing is against it": (made(), GOES_ON),
    "by rule, nothing is against it": (made(RULED), GOES_ON),
    "by rule, where approvals are needed": (made(RULED, rules=RULES), GOES_ON),
    "by rule, nobody's access is asked": (made(RULED, permission=Permission.NONE), GOES_ON),
    "other code is known to run": (
        made(ask=replace(correct().ask, applied=OTHER), base=OTHER.commit),
        {"plan what was applied a"},
    ),
    "the situation is against it": (made(against=(HELD,)), refused("lock")),
    "by rule, the situation is against it": (made(RULED, against=(HELD,)), QUIET),
    "the situation is not known": (made(against=None), refused("unknown")),
    "approvals are needed": (made(rules=RULES), refused("approved")),
    "who asked cannot write any more": (
        made(permission=Permission.READ),
        refused("permission"),
    ),
    "the branch moved on": (made(newest=Sha("f" * 40)), refused("head")),
    "the branch is not known": (made(newest=None), refused("head")),
    "by rule, the branch moved on": (made(RULED, newest=Sha("f" * 40)), QUIET),
    "the server only plans": (made(rules=replace(FREE, may_apply=False)), refused("mode")),
    "the state would be lost": (
        made(plans=(replace(PLAN, state_is_lost=True),)),
        refused("state"),
    ),
    "it is not whole": (
        made(plans=(replace(PLAN, summary=replace(PLAN.summary, applyable=False)),)),
        refused("failed"),
    ),
    "it could not be planned": (
        correct(jobs=(planning(JobState.FAILED),)),
        {"failure", "drop-workspaces", "refused"},
    ),
    "by rule, it could not be planned": (correct(RULED, jobs=(planning(JobState.FAILED),)), QUIET),
    "the rules are broken": (
        correct(rules=WRONG),
        {"failure", "drop-workspaces", "failed"},
    ),
    "the project is no more": (
        correct(projects="b"),
        {"failure", "drop-workspaces", "failed"},
    ),
    "the branch is served no more": (correct(served=False), {"ignored"}),
    "being applied": (after(applying(JobState.RUNNING, number=3)), set()),
    "applied": (after(APPLIED), {"plan a"}),
    "applied, the branch is served no more": (after(APPLIED, served=False), {"plan a"}),
    "applied, being planned again": (after(APPLIED, planning(JobState.RUNNING)), set()),
    "applied and proven": (
        after(APPLIED, planned(CLEAN), plans=(CLEAN, PLAN)),
        {"correction-report", "free a", "drop-workspaces", "done"},
    ),
    "by rule, applied and proven": (
        after(APPLIED, planned(CLEAN), plans=(CLEAN, PLAN), about=RULED),
        {"correction-report", "free a", "drop-workspaces", "done"},
    ),
    "applied, and not proven": (
        after(APPLIED, planned(STILL)),
        {"correction-report", "free a", "drop-workspaces", "done"},
    ),
    "applied, and not planned again": (
        after(APPLIED, planning(JobState.FAILED)),
        {"correction-report", "free a", "drop-workspaces", "done"},
    ),
    "the apply failed": (
        after(applying(JobState.FAILED, number=3)),
        {"correction-report", "free a", "drop-workspaces", "failed"},
    ),
    "it was not fresh any more": (
        after(applying(JobState.STALE, number=3)),
        {"failure", "free a", "drop-workspaces", "failed"},
    ),
    "frozen a moment before": (
        after(applying(JobState.DROPPED, number=3)),
        {"failure", "free a", "drop-workspaces", "failed"},
    ),
    "by rule, frozen a moment before": (
        after(applying(JobState.DROPPED, number=3), about=RULED),
        {"failure", "free a", "drop-workspaces", "failed"},
    ),
    "interrupted": (after(applying(JobState.INTERRUPTED, number=3)), {"look a=p3"}),
    "interrupted and looked at": (
        after(applying(JobState.INTERRUPTED, number=3), LOOKED),
        {"left-behind", "interrupted"},
    ),
}


@pytest.mark.parametrize(("world", "wanted"), ROWS.values(), ids=ROWS)
def test_corrections(world: World, wanted: set[str]) -> None:
    """It applies the one plan that nothing is against, once, and holds the project until that is
    proven; after an interruption it holds it still."""
    assert words(world.outcome()) == wanted


def test_nothing_is_applied_that_was_tried() -> None:
    """It takes no second try, whatever became of the first."""
    for state in JobState:
        steps = after(applying(state, number=3)).outcome()
        assert not any(isinstance(s, StartJob) and s.kind is JobKind.APPLY for s in steps), state


def test_too_late() -> None:
    """It ends when it could not be judged for half an hour."""
    world = made()
    run = replace(world.run(), created_at=NOON)
    (said, *_) = decide_correct(run, world.scene(run))
    assert isinstance(said, Say)
    assert isinstance(said.message, Refusal)
    assert [reason.requirement for reason in said.message.reasons] == ["age"]


@pytest.mark.parametrize(
    ("again", "proven"), [(CLEAN, True), (STILL, False), (None, False)], ids=str
)
def test_what_is_told(again: StoredPlan | None, proven: bool) -> None:
    """It tells who asked, which plan was applied, and whether the plan after it proves that."""
    last = planning(JobState.FAILED) if again is None else planned(again)
    plans = (PLAN,) if again is None else (again, PLAN)
    (report,) = [
        step.message
        for step in after(APPLIED, last, plans=plans).outcome()
        if isinstance(step, Say) and isinstance(step.message, CorrectionReport)
    ]
    assert (report.actor, report.plan, report.proven) == ("author", PLAN.id, proven)
    assert (report.trouble == WRONG) is (again is None)


def test_places() -> None:
    """It keeps corrections apart from looks, queued commits and pull requests, and names them."""
    mine = [correction_place(REPO, number) for number in (1, 2, 1_000_000)]
    others = [place_for(REPO, 1_000_000), place_of(REPO, Sha("f" * 40)), PullRef(REPO, 7)]
    assert len({place.number for place in mine}) == 3
    assert all(map(is_correction, mine))
    assert not any(map(is_correction, others))
    assert min(place.number for place in mine) > -(2**31)
    assert holder_words(mine[0]) == "a correction of its drift"
    assert holder_words(others[2]) == "pull request 7"
    assert "on the issue" in way_to_free(mine[0])
