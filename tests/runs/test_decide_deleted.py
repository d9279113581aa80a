"""What becomes of deleted projects whose state may hold something: one row per situation.

Expectations from the product's page: a failing check that lists what the state holds, until it
is empty or somebody with the right to apply accepts that it stays; told again after a merge.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from scenes import (
    CLOSED,
    DRAFT,
    FORK,
    HEAD,
    NEVER_ON_MERGE,
    NO_APPROVALS,
    OTHER_PULL,
    PULL,
    PUSHED,
    RULES,
    WRITER,
    World,
    after_merge,
    applying,
    approval,
    at,
    by_comment,
    by_event,
    earlier,
    job,
    keys,
    lock,
    merged,
    only,
    plan,
    planned,
    words,
)

from prbot.model import Permission
from prbot.projects.gone import Gone
from prbot.runs.decide import decide
from prbot.runs.journal import JournalEntry
from prbot.runs.orphans import ACCEPTED, LISTED, MOST, Fate, Orphan, acceptance, listing
from prbot.runs.run import AskKind, Job, JobKind, JobState, Placed, Run
from prbot.runs.say import OrphansLeft, PlanReport
from prbot.runs.steps import Check, Say, SetStatus

B = Gone(keys("b")[0], "s3 bucket/b", "b/main.tf", 2)
C = Gone(keys("c")[0], "", "c", 1)
AWAY = Gone(keys("a")[0], "s3 bucket/a", "a/main.tf", 2, "s3 bucket/z")
"""Project `a` has its state elsewhere in the head."""
HOLDS = ("x.one", "x.two")
GOOD = {"plan:success", "apply:success"}
BAD = {"plan:failure", "apply:failure"}
ENDED = {"report", "done"}
PUSH, ASKED = by_event(), by_comment(AskKind.PLAN)
MERGE = by_event(AskKind.MERGE)
IDLE = plan("a", changes=0)
ACCEPT = by_comment(AskKind.APPLY, accept_orphans=True)
APPLY = by_comment(AskKind.APPLY)
BEFORE = "r-earlier"


def look(project: str, state: JobState = JobState.LOOKED, run: str = "r-now") -> Job:
    return job(JobKind.INVENTORY, state, project, run=run)


def found(project: str, *addresses: str, run: str = "r-now") -> JournalEntry:
    """The journal's line of a look."""
    where = look(project, run=run).id
    return JournalEntry(at(1), PULL, None, where, LISTED, listing(addresses))


def accepted(gone: Gone, *addresses: str, digest: str = "", run: str = BEFORE) -> JournalEntry:
    """The journal's line of somebody who accepted that these stay."""
    digest = digest or json.loads(listing(addresses))["digest"]
    line = acceptance(Orphan(gone, Fate.HELD, digest=digest))
    return JournalEntry(at(2), PULL, WRITER, run, ACCEPTED, line)


def deleting(*gone: Gone, **odd: object) -> World:
    """A push to a pull request that deletes, beside an idle project `a`."""
    usual: dict[str, object] = {"ask": PUSH, "plans": (), "reviews": (), "gone": gone}
    return World(**{**usual, **odd})  # type: ignore[arg-type] # rows name fields freely


def looked(state: JobState = JobState.LOOKED, *journal: JournalEntry, **odd: object) -> World:
    """The same when everything has ended: `a` is planned, the state of `b` looked at."""
    jobs = (planned(IDLE), look("b", state))
    return deleting(B, **{"plans": (IDLE,), "jobs": jobs, "journal": journal, **odd})


BEGINS = {
    "a project and a deleted one": (deleting(B), {"plan a", "inventory b"}),
    "a deleted one alone": (deleting(B, projects=""), {"inventory b"}),
    "several": (deleting(B, C, projects=""), {"inventory b", "inventory c"}),
    "its state is elsewhere": (deleting(AWAY), {"plan a", "inventory a"}),
    "from a fork": (deleting(B, projects="", pull=FORK), {"refuse: fork", *BAD, "refused"}),
    "in a draft": (deleting(B, projects="", pull=DRAFT), {*BAD, "ignored"}),
    "too many": (
        deleting(B, C, rules=replace(RULES, projects_per_run=2)),
        {"too-many", *BAD, "refused"},
    ),
    "asked for by name": (
        deleting(B, C, projects="", ask=by_comment(AskKind.PLAN, select=only("b"))),
        {"inventory b"},
    ),
    "another one asked for": (
        deleting(B, ask=by_comment(AskKind.PLAN, select=only("a"))),
        {"plan a"},
    ),
    "none of that name": (
        deleting(B, projects="", ask=by_comment(AskKind.PLAN, select=only("z"))),
        {"refuse: project", "refused"},
    ),
    "a newer head while it looks": (
        deleting(B, pull=PUSHED, laid_out_at=HEAD, jobs=(look("b", JobState.RUNNING),)),
        {"stop inventory b", *BAD, "superseded"},
    ),
    "closed while it looks": (
        deleting(B, pull=CLOSED, jobs=(look("b", JobState.RUNNING),)),
        {"stop inventory b", *BAD, "superseded"},
    ),
    "still looking": (looked(JobState.RUNNING), set()),
}

ENDS = {
    "nothing in it": (looked(JobState.LOOKED, found("b")), GOOD),
    "something in it": (looked(JobState.LOOKED, found("b", *HOLDS)), BAD),
    "it cannot be read": (looked(JobState.FAILED), BAD),
    "the look was stopped": (looked(JobState.DROPPED), BAD),
    "the look's line is missing": (looked(JobState.LOOKED), BAD),
    "accepted before": (
        looked(JobState.LOOKED, found("b", *HOLDS), accepted(B, *HOLDS)),
        GOOD,
    ),
    "something else was accepted": (
        looked(JobState.LOOKED, found("b", *HOLDS), accepted(B, "x.one")),
        BAD,
    ),
    "the same of another was accepted": (
        looked(JobState.LOOKED, found("b", *HOLDS), accepted(C, *HOLDS)),
        BAD,
    ),
    "accepted unread, and still": (
        looked(JobState.FAILED, accepted(B, digest="unread")),
        GOOD,
    ),
    "accepted unread, and now read": (
        looked(JobState.LOOKED, found("b", *HOLDS), accepted(B, digest="unread")),
        BAD,
    ),
    "a selective plan beside one that holds something": (
        looked(
            JobState.LOOKED,
            found("b", *HOLDS, run=BEFORE),
            ask=by_comment(AskKind.PLAN, select=only("a")),
            jobs=(planned(IDLE),),
            others=(earlier(look("b", run=BEFORE), gone=(B,)),),
        ),
        BAD,
    ),
    "a selective plan beside one that is empty": (
        looked(
            JobState.LOOKED,
            found("b", run=BEFORE),
            ask=by_comment(AskKind.PLAN, select=only("a")),
            jobs=(planned(IDLE),),
            others=(earlier(look("b", run=BEFORE), gone=(B,)),),
        ),
        GOOD,
    ),
    "an older look found nothing, but was at another state": (
        looked(
            JobState.LOOKED,
            found("b", run=BEFORE),
            ask=by_comment(AskKind.PLAN, select=only("a")),
            jobs=(planned(IDLE),),
            others=(earlier(look("b", run=BEFORE), gone=(replace(B, address="elsewhere"),)),),
        ),
        BAD,
    ),
}


@pytest.mark.parametrize("name", BEGINS)
def test_it_looks(name: str) -> None:
    """It looks at the states that would be left, where it would plan."""
    world, expected = BEGINS[name]
    assert words(world.outcome()) == expected


@pytest.mark.parametrize("name", ENDS)
def test_it_judges(name: str) -> None:
    """It fails the check while a state may hold something that nobody accepted."""
    world, expected = ENDS[name]
    assert words(world.outcome()) == expected | ENDED


SHOWN = earlier(planned(IDLE), look("b", run=BEFORE), gone=(B,))
"""The run whose comment, written at noon, tells what `b` holds."""
LATE = replace(SHOWN, told_at=at(50))


def accepting(**odd: object) -> World:
    """`apply --accept-orphans` after the comment and an approval."""
    usual: dict[str, object] = {
        "ask": ACCEPT,
        "plans": (IDLE,),
        "gone": (B,),
        "others": (SHOWN,),
        "journal": (found("b", *HOLDS, run=BEFORE),),
    }
    return World(**{**usual, **odd})  # type: ignore[arg-type] # as above


ACCEPTS = {
    "by a writer": (accepting(), {ACCEPTED, "told-accepted", *GOOD}),
    "by name": (
        accepting(ask=by_comment(AskKind.APPLY, accept_orphans=True, select=only("b"))),
        {ACCEPTED, "told-accepted", *GOOD},
    ),
    "unread": (
        accepting(
            journal=(), others=(earlier(look("b", JobState.FAILED, BEFORE), gone=(B,)),), plans=()
        ),
        {ACCEPTED, "told-accepted", *GOOD},
    ),
    "one of two": (
        accepting(
            ask=by_comment(AskKind.APPLY, accept_orphans=True, select=only("b")),
            gone=(B, C),
            others=(
                earlier(planned(IDLE), look("b", run=BEFORE), look("c", run=BEFORE), gone=(B, C)),
            ),
            journal=(found("b", "x.y", run=BEFORE), found("c", "x.z", run=BEFORE)),
        ),
        {ACCEPTED, "told-accepted", *BAD},
    ),
    "by a reader": (accepting(permission=Permission.READ), {"refuse: permission", "refused"}),
    "without the flag": (accepting(ask=APPLY), {"refuse: changes", "refused"}),
    "without an approval": (accepting(reviews=()), {"refuse: approved", "refused"}),
    "approved before it stood there": (
        accepting(reviews=(approval(minute=-20),), others=(replace(SHOWN, told_at=at(0)),)),
        {"refuse: approved", "refused"},
    ),
    "where no approval is needed": (
        accepting(reviews=(), rules=NO_APPROVALS),
        {ACCEPTED, "told-accepted", *GOOD},
    ),
    "told after it was said": (accepting(others=(LATE,)), {"refuse: seen", "refused"}),
    "nobody has looked": (
        accepting(others=(earlier(planned(IDLE)),), journal=()),
        {"refuse: seen", "refused"},
    ),
    "still being looked at": (
        accepting(others=(earlier(planned(IDLE), look("b", JobState.RUNNING, BEFORE), gone=(B,)),)),
        {"refuse: seen", "refused"},
    ),
    "in a draft": (accepting(pull=DRAFT), {"refuse: draft", "refused"}),
    "on a closed one": (accepting(pull=CLOSED), {"refuse: open", "refused"}),
    "after a merge": (
        accepting(pull=merged(), reviews=(), others=(SHOWN,)),
        {ACCEPTED, "told-accepted"},
    ),
}


@pytest.mark.parametrize("name", ACCEPTS)
def test_it_accepts(name: str) -> None:
    """It accepts what people saw, from those who may apply."""
    world, expected = ACCEPTS[name]
    assert words(world.outcome()) == expected


def again(world: World) -> set[str]:
    """What follows once it is accepted in the journal."""
    line = accepted(B, *HOLDS, run="r-now")
    world = replace(world, journal=(*world.journal, line), jobs=())
    run = world.run()
    return words(decide(run, world.scene(run)))


def test_it_ends_where_nothing_is_to_be_applied() -> None:
    """It is done when the command's other half has nothing to do."""
    assert again(accepting()) == {"done"}


def test_it_goes_on_to_apply() -> None:
    """It applies what is planned beside it, as any other apply."""
    work = plan("a")
    shown = earlier(planned(work), look("b", run=BEFORE), gone=(B,))
    assert again(accepting(plans=(work,), others=(shown,))) == {"lock a", "apply a=p1"}


WORK = plan("a")
REHOUSED = earlier(planned(WORK), look("a", run=BEFORE), gone=(AWAY,))


def rehoused(*journal: JournalEntry, **odd: object) -> World:
    """A change of where `a` has its state, planned and approved."""
    usual: dict[str, object] = {"ask": APPLY, "gone": (AWAY,), "others": (REHOUSED,)}
    return World(**{**usual, "journal": journal, **odd})  # type: ignore[arg-type] # as above


AFTER = after_merge("a", 2)
FRESH = (planned(AFTER, reviewed=1),)
REHOUSES = {
    "what it had holds something": (
        rehoused(found("a", *HOLDS, run=BEFORE)),
        {"refuse: state", "refused"},
    ),
    "what it had is empty": (rehoused(found("a", run=BEFORE)), {"lock a", "apply a=p1"}),
    "accepted": (
        rehoused(found("a", *HOLDS, run=BEFORE), accepted(AWAY, *HOLDS)),
        {"lock a", "apply a=p1"},
    ),
    "merged": (
        rehoused(
            found("a", *HOLDS, run=BEFORE),
            ask=MERGE,
            pull=merged(),
            plans=(AFTER, WORK),
            jobs=FRESH,
        ),
        {"hold", "apply:failure", "held"},
    ),
    "merged, what it had is empty": (
        rehoused(found("a", run=BEFORE), ask=MERGE, pull=merged(), plans=(AFTER, WORK), jobs=FRESH),
        {"lock a", "apply a=p2"},
    ),
}


@pytest.mark.parametrize("name", REHOUSES)
def test_it_makes_nothing_twice(name: str) -> None:
    """It applies no project that left its resources in another state."""
    world, expected = REHOUSES[name]
    assert words(world.outcome()) == expected


MERGES = {
    "something in it": ((found("b", *HOLDS, run=BEFORE),), {"told-left"}),
    "nothing in it": ((found("b", run=BEFORE),), set()),
    "accepted": ((found("b", *HOLDS, run=BEFORE), accepted(B, *HOLDS)), set()),
    "nobody looked": ((), {"told-left"}),
}


@pytest.mark.parametrize("name", MERGES)
def test_it_tells_after_a_merge(name: str) -> None:
    """It tells author and merger what nobody manages any more, and goes on with the rest."""
    journal, expected = MERGES[name]
    world = accepting(ask=MERGE, pull=merged(), journal=journal, projects="")
    steps = world.outcome()
    assert words(steps) == expected | {"plan a~p1"}
    for step in steps:
        if isinstance(step, Say) and isinstance(step.message, OrphansLeft):
            assert step.message.mention == ("author", "merger")


def test_it_says_it_once_while_it_waits() -> None:
    """It adds nothing to a decision to go on waiting."""
    world = accepting(
        ask=MERGE, pull=merged(), plans=(WORK,), locks=(lock("a", OTHER_PULL),), rules=RULES
    )
    assert "waiting" in words(world.outcome())


TO = (Placed(keys("a")[0], formerly=keys("old")[0]),)
MOVES = {
    "locks both names": (World(APPLY, placed=TO), {"lock a,old", "apply a=p1"}),
    "waits for the old name": (
        World(APPLY, placed=TO, locks=(lock("old", OTHER_PULL),)),
        {"told-to-wait", "waiting"},
    ),
    "never on merge, frees both": (
        World(
            by_comment(AskKind.APPLY),
            pull=merged(),
            rules=NEVER_ON_MERGE,
            placed=TO,
            plans=(replace(AFTER, applied_at=at(31)), WORK),
            jobs=(applying(JobState.APPLIED, number=2),),
            locks=(lock("a"), lock("old")),
        ),
        {"apply-report", "apply:success", "free a,old", "drop-plans", "drop-workspaces", "done"},
    ),
    "closed after it failed, keeps both": (
        World(
            by_event(AskKind.CLOSE),
            pull=CLOSED,
            locks=(lock("a"), lock("old"), lock("c")),
            others=(replace(earlier(applying(JobState.FAILED)), placed=TO),),
        ),
        {"free c", "drop-plans", "applied-unmerged", "issue", "drop-workspaces", "done"},
    ),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_moved_project_is_one(name: str) -> None:
    """It holds a moved project under both of its names."""
    world, expected = MOVES[name]
    assert words(world.outcome()) == expected


def report_of(world: World) -> PlanReport:
    said = [step.message for step in world.outcome() if isinstance(step, Say)]
    (report,) = (message for message in said if isinstance(message, PlanReport))
    return report


def test_it_reports_what_it_found() -> None:
    """It tells the report what the state holds, at most so much of it."""
    many = tuple(f"x.y[{number}]" for number in range(1000))
    (orphan,) = report_of(looked(JobState.LOOKED, found("b", *many))).orphans
    assert (orphan.fate, orphan.count, orphan.addresses) == (Fate.HELD, 1000, many[:MOST])


def test_it_reports_moves() -> None:
    """It tells the report what a project was called before."""
    assert report_of(looked(JobState.LOOKED, found("b"), placed=TO)).moved == (
        (TO[0].formerly, TO[0].project),
    )


def test_the_check_lists_it() -> None:
    """It gives the check of the plan what stands against the change."""
    steps = looked(JobState.LOOKED, found("b", *HOLDS)).outcome()
    (check,) = (s for s in steps if isinstance(s, SetStatus) and s.check is Check.PLAN)
    assert check.detail is not None
    assert [orphan.addresses for orphan in check.detail.orphans] == [HOLDS]


CHECK_WORDS = {
    "one": ((JobState.LOOKED, found("b", "x.one")), "1 resource would be left to nobody"),
    "two": ((JobState.LOOKED, found("b", *HOLDS)), "2 resources would be left to nobody"),
    "unread": ((JobState.FAILED,), "1 state left to nobody could not be read"),
}


@pytest.mark.parametrize("name", CHECK_WORDS)
def test_the_checks_words(name: str) -> None:
    """It says in the check how much would be left."""
    (state, *journal), expected = CHECK_WORDS[name]
    steps = looked(state, *journal).outcome()
    assert {s.description for s in steps if isinstance(s, SetStatus)} == {expected}


def test_the_same_state_again_is_the_same_comment() -> None:
    """It edits its comment while states hold the same, and writes a new one otherwise."""

    def topic(*addresses: str) -> str:
        before: Run = earlier(planned(IDLE), look("b", run=BEFORE), gone=(B,))
        world = looked(
            JobState.LOOKED,
            found("b", *HOLDS, run=BEFORE),
            found("b", *addresses),
            others=(before,),
        )
        return next(step.topic for step in world.outcome() if isinstance(step, Say))

    assert topic(*HOLDS) == BEFORE
    assert topic("x.one") == "r-now"
