"""Merged and not applied: what is noted, who goes first, and what settles what."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    ALWAYS_ON_MERGE,
    COMMENTS_ONLY,
    DONE_MERGED,
    MERGED,
    NEVER_ON_MERGE,
    PULL,
    REPO,
    World,
    after_merge,
    applying,
    at,
    by_comment,
    by_event,
    earlier,
    keys,
    lock,
    plan,
    planned,
    words,
)

from prbot.model import Checkout, ProjectKey, PullRef, RunId, Sha
from prbot.plans.record import StoredPlan
from prbot.runs.landings import Around, Landing
from prbot.runs.run import AskKind, JobState, Run, RunState
from prbot.runs.say import HoldReport, PlanReport, Settled
from prbot.runs.steps import Land, Say, Settle

BEFORE, AFTER = Sha("4" * 40), Sha("5" * 40)
FIRST, LAST = PullRef(REPO, 5), PullRef(REPO, 9)
LINE = Around(before=frozenset({BEFORE, MERGED}), after=frozenset({AFTER, MERGED}))
REVIEWED = plan("a")
FRESH = after_merge("a", 3, run="r-now")
SAME = after_merge("a", 3, run="r-now", content="none", changes=0)
CHANGED = after_merge("a", 3, run="r-now", content="other")
AGAIN = planned(FRESH, reviewed=1)
SETTLED = {"drop-plans", "drop-workspaces", "done"}


def landing(
    project: str, pull: PullRef = PULL, commit: Sha = MERGED, by: PullRef | None = None
) -> Landing:
    return Landing(pull, keys(project)[0], commit, at(20), by)


def merging(
    pull: PullRef = FIRST,
    commit: Sha | None = BEFORE,
    projects: str | None = "a",
    minute: float = 20,
    state: RunState = RunState.WORKING,
) -> Run:
    """Another pull request's merge run, which has not ended."""
    ask = by_event(AskKind.MERGE)
    run = Run(RunId(f"r-{pull.number}"), pull, ask, at(minute), state)
    if commit is None:
        return run
    known = None if projects is None else keys(projects)
    return replace(run, checkout=Checkout("/tree", commit, commit, commit, ()), projects=known)


def merge(**odd: object) -> World:
    usual = {"ask": by_event(AskKind.MERGE), "pull": DONE_MERGED, "reviews": (), "around": LINE}
    return World(**{**usual, **odd})  # type: ignore[arg-type] # rows name fields freely


def replanned(**odd: object) -> World:
    return merge(**{"plans": (FRESH, REVIEWED), "jobs": (AGAIN,), **odd})


def applied(state: JobState = JobState.APPLIED, **odd: object) -> World:
    return replanned(**{"jobs": (AGAIN, applying(state, number=3)), **odd})


def asked(*arguments: str) -> StoredPlan:
    """A plan made with arguments of a comment."""
    made = plan("a")
    return replace(made, inputs=replace(made.inputs, asked=arguments))


# --- what a merge leaves --------------------------------------------------------------------

LANDS = {
    "reviewed": (merge(), "a"),
    "two projects": (merge(projects="a b"), "a b"),
    "never planned": (merge(plans=()), "a"),
    "noted before": (merge(landings=(landing("a"),)), ""),
    "one noted before": (merge(projects="a b", landings=(landing("a"),)), "b"),
    "noted for another commit": (merge(landings=(landing("a", commit=BEFORE),)), "a"),
    "noted for another pull request": (merge(landings=(landing("a", FIRST, BEFORE),)), "a"),
    "applied by comment": (merge(plans=(plan("a", applied=True),)), ""),
    "nothing touched": (merge(projects="", plans=()), ""),
    "it has to wait": (merge(locks=(lock("a", LAST),)), "a"),
    "not applied on merge": (merge(rules=NEVER_ON_MERGE), "a"),
    "this server never applies": (merge(rules=COMMENTS_ONLY), ""),
}


@pytest.mark.parametrize(("world", "expected"), LANDS.values(), ids=LANDS.keys())
def test_landing(world: World, expected: str) -> None:
    """It notes once in which projects something merged is still to be applied."""
    noted = [step.projects for step in world.outcome() if isinstance(step, Land)]
    assert noted == ([keys(expected)] if expected else [])


# --- who goes first -------------------------------------------------------------------------

WAITS, GOES = {"told-to-wait", "waiting"}, {"plan a~p1"}

ORDER = {
    "merged before, same project": (merge(merging=(merging(),)), WAITS),
    "merged before, it waits itself": (merge(merging=(merging(state=RunState.WAITING),)), WAITS),
    "merged before, another project": (merge(merging=(merging(projects="b"),)), GOES),
    "merged before, projects not known yet": (merge(merging=(merging(projects=None),)), WAITS),
    "merged after": (merge(merging=(merging(LAST, AFTER),)), GOES),
    "merged elsewhere": (merge(merging=(merging(LAST, Sha("6" * 40)),)), GOES),
    "heard of before, commit not known yet": (merge(merging=(merging(commit=None),)), WAITS),
    "heard of later, commit not known yet": (
        merge(merging=(merging(commit=None, minute=26),)),
        GOES,
    ),
    "one commit, the older pull request": (merge(merging=(merging(FIRST, MERGED),)), WAITS),
    "one commit, the younger pull request": (merge(merging=(merging(LAST, MERGED),)), GOES),
    "we hold the project": (merge(merging=(merging(),), locks=(lock("a"),)), GOES),
    "we hold what is applied": (
        merge(
            projects="a b",
            plans=(plan("a", 2, applied=True), plan("b")),
            merging=(merging(projects="a b"),),
            locks=(lock("a"),),
        ),
        {"free a", *WAITS},
    ),
    "waiting already": (
        merge(merging=(merging(),), state=RunState.WAITING, landings=(landing("a"),), jobs=()),
        set(),
    ),
    "it is done": (merge(state=RunState.WAITING, landings=(landing("a"),), jobs=()), GOES),
    "not applied on merge anyway": (merge(merging=(merging(),), rules=NEVER_ON_MERGE), GOES),
    "heard of after we planned": (
        replanned(merging=(merging(),)),
        {"hold", "apply:failure", "held"},
    ),
    "applied by comment after the merge": (
        replace(
            merge(
                ask=by_comment(AskKind.APPLY, accept_changes=True),
                plans=(after_merge("a", 3), REVIEWED),
                merging=(merging(),),
                jobs=(),
            ),
            others=(
                earlier(planned(after_merge("a", 3)), kind=AskKind.MERGE, state=RunState.HELD),
            ),
        ),
        WAITS,
    ),
}


@pytest.mark.parametrize(("world", "expected"), ORDER.values(), ids=ORDER.keys())
def test_order(world: World, expected: set[str]) -> None:
    """It applies in the order of the base branch: an earlier merge into a project goes first."""
    assert words(world.outcome()) == expected


# --- what settles what ----------------------------------------------------------------------

SETTLES = {
    "our own": (applied(landings=(landing("a"),)), "a#7"),
    "one merged before": (
        applied(landings=(landing("a", FIRST, BEFORE), landing("a"))),
        "a#7 a#5",
    ),
    "one merged after": (applied(landings=(landing("a"), landing("a", LAST, AFTER))), "a#7"),
    "another project": (applied(landings=(landing("a"), landing("b", FIRST, BEFORE))), "a#7"),
    "settled already": (applied(landings=(landing("a", FIRST, BEFORE, FIRST),)), ""),
    "an apply that failed": (applied(JobState.FAILED, landings=(landing("a"),)), ""),
    "an apply that was interrupted": (applied(JobState.INTERRUPTED, landings=(landing("a"),)), ""),
    "nothing changes any more": (
        replanned(
            plans=(SAME, REVIEWED),
            jobs=(planned(SAME, reviewed=1),),
            landings=(landing("a", FIRST, BEFORE), landing("a")),
        ),
        "a#7 a#5",
    ),
    "held": (replanned(rules=NEVER_ON_MERGE, landings=(landing("a"),)), ""),
    "applied by comment before the merge": (
        World(
            ask=by_comment(AskKind.APPLY),
            jobs=(applying(JobState.APPLIED),),
            landings=(landing("a", FIRST, BEFORE),),
            around=LINE,
        ),
        "a#5",
    ),
    "applied with arguments": (
        World(
            ask=by_comment(AskKind.APPLY),
            plans=(asked("-target=x.y"),),
            jobs=(applying(JobState.APPLIED),),
            landings=(landing("a", FIRST, BEFORE),),
            around=LINE,
        ),
        "",
    ),
    "applied by comment on an older base": (
        World(
            ask=by_comment(AskKind.APPLY),
            jobs=(applying(JobState.APPLIED),),
            landings=(landing("a", FIRST, AFTER),),
            around=Around(before=frozenset({BEFORE})),
        ),
        "",
    ),
}


@pytest.mark.parametrize(("world", "expected"), SETTLES.values(), ids=SETTLES.keys())
def test_settling(world: World, expected: str) -> None:
    """It settles what is applied, and with it all that the applied commit holds."""
    steps = [step for step in world.outcome() if isinstance(step, Settle)]
    found = [f"{one.project}#{one.pull.number}" for step in steps for one in step.landings]
    assert " ".join(found) == expected


def test_overtaken() -> None:
    """It never applies an earlier commit over a later one: nothing is left of it, and says so."""
    world = merge(landings=(landing("a", LAST, AFTER, LAST),))
    assert words(world.outcome()) == {"told-settled", *SETTLED}
    told = next(step.message for step in world.outcome() if isinstance(step, Say))
    assert told == Settled(keys("a"), LAST.number)


def test_overtaken_in_one_of_two() -> None:
    world = merge(projects="a b", landings=(landing("a", LAST, AFTER, LAST),))
    assert words(world.outcome()) == {"plan b"}


def test_accepting_what_was_overtaken() -> None:
    """It refuses to apply the old plan of a merge, even when somebody accepts its changes."""
    held = earlier(planned(after_merge("a", 3)), kind=AskKind.MERGE, state=RunState.HELD)
    world = merge(
        ask=by_comment(AskKind.APPLY, accept_changes=True),
        plans=(after_merge("a", 3), REVIEWED),
        others=(held,),
        landings=(landing("a", LAST, AFTER, LAST), landing("a", by=LAST)),
        jobs=(),
    )
    assert words(world.outcome()) == {"refuse: changes", "refused"}


# --- what others are told -------------------------------------------------------------------

TOLD_BY = replace(by_event(AskKind.MERGE), settled_by=LAST)

SETTLED_ELSEWHERE = {
    "all of it": (
        merge(ask=TOLD_BY, landings=(landing("a", by=LAST),), locks=(lock("a"),)),
        {"told-settled", "apply:success", "free a", *SETTLED},
    ),
    "a part": (
        merge(ask=TOLD_BY, landings=(landing("a", by=LAST), landing("b"))),
        {"told-settled", "done"},
    ),
    "held by nobody": (
        merge(ask=TOLD_BY, landings=(landing("a", by=LAST),)),
        {"told-settled", "apply:success", *SETTLED},
    ),
}


@pytest.mark.parametrize(
    ("world", "expected"), SETTLED_ELSEWHERE.values(), ids=SETTLED_ELSEWHERE.keys()
)
def test_settled_elsewhere(world: World, expected: set[str]) -> None:
    """It tells the earlier pull request what was applied with a later one, and plans nothing."""
    assert words(world.outcome()) == expected


def test_plans_tell_what_they_include() -> None:
    """It says of which merges a plan holds what nobody applied."""
    others = (landing("a", FIRST, BEFORE), landing("a", LAST, AFTER), landing("b", FIRST, BEFORE))
    world = World(
        ask=by_event(),
        plans=(plan("a", run="r-now"),),
        jobs=(planned(plan("a", run="r-now")),),
        landings=others,
        around=Around(before=frozenset({BEFORE})),
    )
    (report,) = (s.message for s in world.outcome() if isinstance(s, Say))
    assert isinstance(report, PlanReport)
    assert report.unapplied == ((ProjectKey("a"), FIRST.number),)


def test_a_held_merge_tells_what_it_includes() -> None:
    """It names the merges that may be why the plan is not the reviewed one."""
    world = replanned(
        plans=(CHANGED, REVIEWED),
        jobs=(planned(CHANGED, "count 1 -> 2", reviewed=1),),
        landings=(landing("a"), landing("a", FIRST, BEFORE)),
    )
    (report,) = (s.message for s in world.outcome() if isinstance(s, Say))
    assert isinstance(report, HoldReport)
    assert report.why.endswith("it includes unapplied pull request 5")


def test_always_applies_what_it_includes() -> None:
    world = replanned(
        rules=ALWAYS_ON_MERGE,
        plans=(CHANGED, REVIEWED),
        jobs=(planned(CHANGED, "count 1 -> 2", reviewed=1),),
        landings=(landing("a"), landing("a", FIRST, BEFORE)),
    )
    assert words(world.outcome()) == {"lock a", "apply a=p3"}
