"""Plans with arguments: who may have them, what they move, and where they do not count."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    DONE_MERGED,
    HEAD,
    RULES,
    World,
    after_merge,
    applying,
    approval,
    by_comment,
    by_event,
    earlier,
    keys,
    only,
    plan,
    planned,
    planning,
    words,
)

from prbot.config.environments import EnvironmentEntry, Environments, Needs
from prbot.config.per_repository import Allowed
from prbot.model import PlanId, Sha
from prbot.plans.arguments import partial, special
from prbot.plans.record import StoredPlan
from prbot.projects.gone import Gone
from prbot.runs.run import Ask, AskKind, JobKind, JobState, Placed

DESTROY = frozenset({Allowed.DESTROY})
NO_EXTRA = replace(RULES, environments=Environments(Needs(extra_arguments=False)))
LAX = EnvironmentEntry(match=("a",))
IN_A_ONLY = Environments(Needs(extra_arguments=False), ((LAX, Needs("dev")),))


def asked(made: StoredPlan, *arguments: str) -> StoredPlan:
    """The same plan, made with these arguments."""
    return replace(made, inputs=replace(made.inputs, asked=arguments))


def plans_with(**more: object) -> Ask:
    return by_comment(AskKind.PLAN, **more)


@pytest.mark.parametrize(
    ("arguments", "is_special", "is_partial"),
    [
        ("", False, False),
        ("-parallelism=3 -compact-warnings", False, False),
        ("-target=a.b", True, True),
        ("-destroy", True, False),
        ("-destroy -target=a.b", True, True),
        ("-replace=a.b", True, False),
        ("-var=x=y", True, True),
        ("-var-file=x", True, True),
        ("-refresh-only", True, True),
        ("-refresh=false", True, True),
    ],
)
def test_what_arguments_mean(arguments: str, is_special: bool, is_partial: bool) -> None:
    """It knows which plans a merge would not bring, and which leave something undone."""
    given = arguments.split()
    assert (special(given), partial(given)) == (is_special, is_partial)


GONE = (Gone(keys("old")[0], "s3", "old/main.tf"),)
ELSEWHERE = (Gone(keys("a")[0], "s3 x", "a/main.tf", now_at="s3 y"),)

ASKED = [
    ("targeted", World(plans_with(extra=("-target=x",)), plans=()), "plan a"),
    ("destroy", World(plans_with(destroy=True, select=only("a")), allow=DESTROY), "plan a"),
    ("destroy, not allowed", World(plans_with(destroy=True, select=only("a"))), "refuse: server"),
    ("destroy what?", World(plans_with(destroy=True), allow=DESTROY), "refuse: project"),
    ("both", World(plans_with(destroy=True)), "refuse: project server"),
    (
        "destroy what is deleted",
        World(plans_with(destroy=True, select=only("old")), projects="", gone=GONE, allow=DESTROY),
        "plan old",
    ),
    (
        "destroy what has another state now",
        World(plans_with(destroy=True, select=only("a")), gone=ELSEWHERE, allow=DESTROY),
        "plan a",
    ),
    (
        "a look at deleted ones is no business of other arguments",
        World(plans_with(refresh_only=True, select=only("old")), projects="", gone=GONE),
        "refuse: project",
    ),
    ("forbidden", World(plans_with(extra=("-target=x",)), rules=NO_EXTRA), "refuse: arguments"),
    (
        "forbidden elsewhere",
        World(plans_with(extra=("-target=x",)), rules=replace(RULES, environments=IN_A_ONLY)),
        "plan a",
    ),
    (
        "forbidden in one of two",
        World(
            plans_with(extra=("-target=x",)),
            projects="a b",
            rules=replace(RULES, environments=IN_A_ONLY),
        ),
        "refuse: arguments",
    ),
    ("forbidden, but no extra", World(plans_with(refresh_only=True), rules=NO_EXTRA), "plan a"),
    (
        "after the merge",
        World(plans_with(extra=("-target=x",)), pull=DONE_MERGED),
        "refuse: merged",
    ),
    (
        "after the merge, of no consequence",
        World(plans_with(extra=("-parallelism=3",)), pull=DONE_MERGED, laid_out_at=None),
        "plan a",
    ),
]


@pytest.mark.parametrize(
    ("world", "expected"), [row[1:] for row in ASKED], ids=[r[0] for r in ASKED]
)
def test_asking(world: World, expected: str) -> None:
    """It plans with arguments where operator and repository allow it."""
    steps = words(world.outcome()) - {"refused"}
    assert steps == {expected}


def test_checks_stay() -> None:
    """It tells such a plan and moves no check, for a merge would not bring it."""
    made = asked(plan("a", 2, run="r-now"), "-target=x")
    world = World(plans_with(extra=("-target=x",)), jobs=(planned(made),), plans=(made, plan("a")))
    assert words(world.outcome()) == {"report", "done"}


def by_apply(*plans: StoredPlan, **more: object) -> set[str]:
    return words(World(by_comment(AskKind.APPLY), plans=plans, **more).outcome())  # type: ignore[arg-type]


NORMAL = plan("a", 1)
TARGETED = asked(plan("a", 2, minute=10), "-target=x")
WRECK = asked(plan("a", 2, minute=10), "-destroy")


@pytest.mark.parametrize("other", [TARGETED, WRECK, asked(TARGETED, "-var=x=y")])
def test_an_approval_is_for_one_plan(other: StoredPlan) -> None:
    """It does not take an approval of the normal plan for one with arguments, nor the other way
    round, though commit and even content are the same."""
    early, late = (approval(minute=5),), (approval(minute=15),)
    assert by_apply(other, NORMAL, reviews=early, allow=DESTROY) == {"refuse: approved", "refused"}
    assert "apply a=p2" in by_apply(other, NORMAL, reviews=late, allow=DESTROY)
    again = replace(
        NORMAL, id=PlanId("p-000003"), created_at=TARGETED.created_at.replace(minute=20)
    )
    assert "refuse: approved" in by_apply(again, other, NORMAL, reviews=late, allow=DESTROY)


def test_what_is_allowed_no_more() -> None:
    """It applies nothing that could not be planned now."""
    assert "refuse: arguments" in by_apply(asked(NORMAL, "-target=x"), rules=NO_EXTRA)
    assert "refuse: server" in by_apply(asked(NORMAL, "-destroy"))


PLACED = (Placed(keys("a")[0]), Placed(keys("b")[0], needs=keys("a")))


def test_destroying_goes_the_other_way_round() -> None:
    """It destroys what depends on another project first."""
    wrecks = (asked(plan("a", 1), "-destroy"), asked(plan("b", 2), "-destroy"))
    common = {"plans": wrecks, "placed": PLACED, "projects": "a b", "allow": DESTROY}
    both = World(by_comment(AskKind.APPLY), **common)  # type: ignore[arg-type]
    first = World(by_comment(AskKind.APPLY, select=only("b")), **common)  # type: ignore[arg-type]
    assert words(both.outcome()) == {"refuse: dependencies", "refused"}
    assert "apply b=p2" in words(first.outcome())


def merging(*plans: StoredPlan, **more: object) -> set[str]:
    world = World(by_event(AskKind.MERGE), pull=DONE_MERGED, plans=plans, **more)  # type: ignore[arg-type]
    return words(world.outcome())


def of(*plans: StoredPlan) -> tuple[object, ...]:
    """A run for each of them, the newest first, as somebody asked for it."""
    runs = []
    for number, made in enumerate(plans):
        run = earlier(planned(replace(made, run_id=f"r-{number}")))  # type: ignore[arg-type]
        arguments = made.inputs.asked
        extra = tuple(word for word in arguments if word != "-destroy")
        ask = replace(run.ask, extra=extra, destroy="-destroy" in arguments)
        runs.append(replace(run, ask=ask))
    return tuple(runs)


def test_a_merge_takes_the_normal_plan() -> None:
    """It compares with the plan that had no arguments, whatever came after it."""
    assert merging(TARGETED, NORMAL, others=of(TARGETED, NORMAL)) == {"plan a~p1"}
    assert merging(TARGETED, others=of(TARGETED)) == {"plan a"}


def applied(made: StoredPlan) -> StoredPlan:
    return replace(made, applied_at=made.created_at)


def test_what_was_applied_before_a_merge() -> None:
    """It plans again after a part was applied; what was destroyed stays so."""
    part, wreck = applied(TARGETED), applied(WRECK)
    assert "plan a~p1" in merging(part, NORMAL, others=of(part, NORMAL))
    assert "done" in merging(wreck, NORMAL, others=of(wreck, NORMAL))
    old = replace(wreck, head=Sha("9" * 40))
    assert "done" in merging(NORMAL, old, others=of(NORMAL, old))
    made = applied(plan("a", 3, minute=20))
    assert "done" in merging(made, wreck, NORMAL, others=of(made, wreck, NORMAL))


def test_a_part_is_not_the_whole() -> None:
    """It says after a part was applied that the project is not done."""
    part = applied(TARGETED)
    jobs = (applying(JobState.APPLIED, number=2),)
    world = World(by_comment(AskKind.APPLY), jobs=jobs, plans=(part, NORMAL))
    assert "apply:failure" in words(world.outcome())
    whole = replace(world, plans=(applied(WRECK), NORMAL))
    assert "apply:success" in words(whole.outcome())


def test_a_deleted_project_is_looked_at_again() -> None:
    """It looks at what a state holds once its project was destroyed."""
    wreck = asked(plan("old", 2, applied=True), "-destroy")
    jobs = (applying(JobState.APPLIED, "old", 2),)
    world = World(by_comment(AskKind.APPLY), jobs=jobs, plans=(wreck,), projects="", gone=GONE)
    assert "inventory old" in words(world.outcome())


def test_a_merge_leaves_deleted_ones_alone() -> None:
    """It plans nothing that is no more."""
    wreck = asked(plan("old", 2), "-destroy")
    found = merging(wreck, plan("a"), gone=GONE, others=of(plan("a"), wreck))
    assert found == {"told-left", "plan a~p1"}


def test_looks_do_not_stop_there() -> None:
    """It goes on only when the look has ended."""
    wreck = asked(plan("old", 2, applied=True), "-destroy")
    jobs = (applying(JobState.APPLIED, "old", 2), planning(JobState.RUNNING, "old"))
    jobs = (jobs[0], replace(jobs[1], kind=JobKind.INVENTORY))
    world = World(by_comment(AskKind.APPLY), jobs=jobs, plans=(wreck,), projects="", gone=GONE)
    assert words(world.outcome()) == set()
    assert wreck.head == HEAD
    assert after_merge("a", 1).commit != HEAD
