"""Which plans expire, which locks that frees, and what an apply is told afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from scenes import (
    HEAD,
    NEW_HEAD,
    NOON,
    OLD_HEAD,
    OTHER_PULL,
    PULL,
    WRITER,
    World,
    after_merge,
    applying,
    approval,
    at,
    by_comment,
    by_event,
    earlier,
    keys,
    lock,
    merged,
    only,
    plan,
    planned,
    planning,
    words,
)

from prbot.model import PlanId, PullRef, RepoRef
from prbot.plans.record import StoredPlan
from prbot.runs.expiry import Expiring, Kept, expire
from prbot.runs.journal import EXPIRED, JournalEntry
from prbot.runs.locks import Lock
from prbot.runs.run import AskKind, Job, JobState, Run, RunState
from prbot.runs.say import HoldReport, PlansExpired, Refusal
from prbot.runs.steps import FreeLocks, Say, SetStatus, Verdict

AGE = timedelta(days=7)
MOMENT = at(20)
"""What was made before is too old."""


def kept(
    *plans: StoredPlan,
    begun: tuple[int, ...] = (),
    runs: tuple[Run, ...] | None = None,
    locks: tuple[Lock, ...] = (),
) -> Kept:
    """Plans, newest first, of finished plan runs; the apply of those with the numbers
    `begun` began."""
    tried = {PlanId(f"p-{number:06d}") for number in begun}
    droppable = (p.id for p in plans if p.created_at < MOMENT and p.id not in tried)
    if runs is None:
        runs = tuple(earlier(planned(each), head=each.head) for each in plans)
    return Kept(PULL, plans, frozenset(droppable), runs, locks, MOMENT)


def of_a_run(*jobs: Job, kind: AskKind = AskKind.APPLY, state: RunState = RunState.FAILED) -> Run:
    return earlier(*jobs, kind=kind, state=state)


def outcome(expiring: Expiring | None) -> set[str]:
    """Plans that go, and the steps, as words."""
    if expiring is None:
        return set()
    return {f"drop p{int(p.id[2:])}" for p in expiring.plans} | words(expiring.steps)


OLD = plan("a")
YOUNG = plan("a", 2, minute=30)
MADE = earlier(planned(OLD))
RED = {"plan:failure", "apply:failure", "expired"}
MINE = (lock("a"),)
ELSEWHERE = PullRef(RepoRef("github", "acme/infra-prod"), PULL.number)

ROWS = {
    "too old": (kept(OLD), {"drop p1"} | RED),
    "as old as it may become": (kept(plan("a", minute=20)), set()),
    "young": (kept(YOUNG), set()),
    "nothing kept": (kept(), set()),
    "planned again since": (kept(YOUNG, OLD), set()),
    "planned again, and that is too old as well": (
        kept(plan("a", 2, minute=10), OLD),
        {"drop p1", "drop p2"} | RED,
    ),
    "without changes: nothing could be applied": (kept(plan("a", changes=0)), set()),
    "errored": (kept(plan("a", changes=0, errored=True)), {"drop p1"} | RED),
    "applied": (kept(plan("a", applied=True), begun=(1,)), set()),
    "its apply failed": (
        kept(OLD, begun=(1,), runs=(of_a_run(applying(JobState.FAILED)), MADE), locks=MINE),
        set(),
    ),
    "its apply was interrupted": (
        kept(OLD, begun=(1,), runs=(of_a_run(applying(JobState.INTERRUPTED)), MADE), locks=MINE),
        set(),
    ),
    # --- together
    "the plans of one run wait for the youngest": (kept(plan("b", 2, minute=30), OLD), set()),
    "the youngest of one run is just as old as it may become": (
        kept(plan("b", 2, minute=20), OLD),
        set(),
    ),
    "those of two runs do not": (
        kept(plan("b", 2, minute=30, run="r-later"), OLD),
        {"drop p1"} | RED,
    ),
    "all of one run": (kept(plan("b", 2, minute=1), OLD), {"drop p1", "drop p2"} | RED),
    # --- while something goes on
    "a run is at work": (
        kept(OLD, runs=(of_a_run(state=RunState.WORKING), MADE), locks=MINE),
        set(),
    ),
    "an apply waits for somebody's lock": (
        kept(OLD, runs=(of_a_run(state=RunState.WAITING), MADE)),
        set(),
    ),
    "a job goes on although its run was given up": (
        kept(OLD, runs=(of_a_run(applying(JobState.RUNNING)), MADE), locks=MINE),
        set(),
    ),
    # --- locks
    "held, and never begun": (
        kept(OLD, runs=(of_a_run(applying(JobState.FAILED)), MADE), locks=MINE),
        {"drop p1", "free a"} | RED,
    ),
    "held, and the apply was dropped": (
        kept(OLD, runs=(of_a_run(applying(JobState.DROPPED)), MADE), locks=MINE),
        {"drop p1", "free a"} | RED,
    ),
    "held beside others": (
        kept(OLD, locks=(lock("a"), lock("b"), lock("c", OTHER_PULL))),
        {"drop p1", "free a"} | RED,
    ),
    "another workspace of the directory is held": (
        kept(OLD, locks=(lock("a:blue"),)),
        {"drop p1"} | RED,
    ),
    "held by another pull request": (kept(OLD, locks=(lock("a", OTHER_PULL),)), {"drop p1"} | RED),
    "held by the same number in a repository called alike": (
        kept(OLD, locks=(replace(lock("a", ELSEWHERE), repo=ELSEWHERE.repo),)),
        {"drop p1"} | RED,
    ),
    "an older plan was applied: the hold stays": (
        kept(
            plan("a", 2, minute=10),
            plan("a", applied=True),
            begun=(1,),
            runs=(
                earlier(planned(plan("a", 2))),
                of_a_run(applying(JobState.APPLIED), state=RunState.DONE),
                MADE,
            ),
            locks=MINE,
        ),
        {"drop p2"} | RED,
    ),
    "an older plan was interrupted, and planned since: the hold stays": (
        kept(
            plan("a", 2, minute=10),
            OLD,
            begun=(1,),
            runs=(
                earlier(planned(plan("a", 2))),
                of_a_run(applying(JobState.INTERRUPTED), state=RunState.INTERRUPTED),
                MADE,
            ),
            locks=MINE,
        ),
        {"drop p2"} | RED,
    ),
    "the other project was applied": (
        kept(
            plan("b", 2),
            plan("a", applied=True),
            begun=(1,),
            runs=(of_a_run(applying(JobState.APPLIED), state=RunState.DONE), MADE),
            locks=(lock("a"), lock("b")),
        ),
        {"drop p2", "free b"} | RED,
    ),
    # --- commits
    "later commits left it alone": (
        kept(plan("b", 2, head=NEW_HEAD, minute=30, run="r-later"), OLD),
        {"drop p1"},
    ),
    "later commits left it alone, but it was held": (
        kept(plan("b", 2, head=NEW_HEAD, minute=30, run="r-later"), OLD, locks=MINE),
        {"drop p1", "free a", "expired"},
    ),
    "merged, held, and never applied": (
        kept(
            after_merge("a", 2, minute=10),
            OLD,
            runs=(
                of_a_run(planned(after_merge("a", 2)), kind=AskKind.MERGE, state=RunState.HELD),
                MADE,
            ),
        ),
        {"drop p1", "drop p2", "apply:failure", "expired"},
    ),
}


@pytest.mark.parametrize("kind", [AskKind.DRIFT, AskKind.QUEUED])
def test_what_is_in_no_pull_request(kind: AskKind) -> None:
    """It forgets what a look for drift, or a merge queue, left behind: there is no pull request
    to tell, and the checks of a default branch's commit are not ours to set."""
    run = replace(MADE, ask=by_event(kind, HEAD))
    assert outcome(expire(kept(OLD, runs=(run,)), AGE, may_apply=True)) == {"drop p1"}


@pytest.mark.parametrize(("scene", "expected"), ROWS.values(), ids=ROWS.keys())
def test_what_expires(scene: Kept, expected: set[str]) -> None:
    """It forgets what nobody should apply any more, and frees exactly what that held."""
    assert outcome(expire(scene, AGE, may_apply=True)) == expected


def test_what_is_said() -> None:
    """It tells once of all projects, what was freed of them, and sets the head's checks."""
    scene = kept(plan("b", 2, minute=1), OLD, locks=(lock("b"),))
    expiring = expire(scene, AGE, may_apply=True)
    assert expiring is not None
    text = "2 plans expired: comment `prbot plan`"
    assert [p.id for p in expiring.plans] == [PlanId("p-000001"), PlanId("p-000002")]
    assert expiring.steps[:2] == (
        FreeLocks(keys("b")),
        Say("expired-p-000001", PlansExpired(keys("a b"), AGE, keys("b"))),
    )
    checks = [step for step in expiring.steps if isinstance(step, SetStatus)]
    assert {(step.sha, step.description) for step in checks if not step.project} == {(HEAD, text)}
    taken = [(step.sha, step.project, step.verdict) for step in checks if step.project]
    assert taken == [(HEAD, project, Verdict.NEUTRAL) for project in keys("b a")]


def test_a_server_that_never_applies() -> None:
    """It leaves the apply check alone where nothing is ever applied."""
    assert outcome(expire(kept(OLD), AGE, may_apply=False)) == {
        "drop p1",
        "plan:failure",
        "expired",
    }


def test_the_checks_of_a_merge() -> None:
    """It sets the check of the head that was merged, not of the merge commit."""
    runs = (of_a_run(kind=AskKind.MERGE, state=RunState.HELD), MADE)
    merge = replace(runs[0], ask=by_event(AskKind.MERGE, HEAD))
    expiring = expire(kept(after_merge("a", 2, minute=10), runs=(merge, MADE)), AGE, True)
    assert expiring is not None
    checks = [step for step in expiring.steps if isinstance(step, SetStatus)]
    assert [step.sha for step in checks] == [HEAD]


# --- afterwards ----------------------------------------------------------------------------

APPLY = by_comment(AskKind.APPLY)


def expired(*numbers: int) -> tuple[JournalEntry, ...]:
    return tuple(JournalEntry(NOON, PULL, None, f"p-{n:06d}", EXPIRED) for n in numbers)


def after(**odd: object) -> World:
    """Project `a` was planned, and the plan expired."""
    usual: dict[str, object] = {"ask": APPLY, "plans": (), "others": (MADE,)}
    return World(**{**usual, "journal": expired(1), **odd})  # type: ignore[arg-type] # as in scenes


BOTH = (earlier(planned(plan("b", 2)), planned(OLD)),)
AGAIN = (earlier(planned(YOUNG)), MADE)
TOO_OLD = replace(OLD, expired_at=at(20))
NEW = plan("a", 3, minute=26, run="r-now")
NO = {"refuse: expired", "refused"}

AFTERWARDS = {
    "apply": (after(), NO),
    "apply of the project": (after(ask=by_comment(AskKind.APPLY, select=only("a"))), NO),
    "apply by its id": (after(ask=by_comment(AskKind.APPLY, plan_id=OLD.id)), NO),
    "apply by an id nobody knows": (
        after(ask=by_comment(AskKind.APPLY, plan_id=PlanId("p-000009"))),
        {"refuse: plan", "refused"},
    ),
    "apply of all, when one of two expired": (after(others=BOTH, plans=(plan("b", 2),)), NO),
    "apply of the other one": (
        after(others=BOTH, plans=(plan("b", 2),), ask=by_comment(AskKind.APPLY, select=only("b"))),
        {"lock b", "apply b=p2"},
    ),
    "apply, when an older plan of it was applied": (
        after(
            plans=(plan("a", 2, applied=True, minute=-5),),
            others=(MADE, earlier(planned(plan("a", 2)))),
        ),
        NO,
    ),
    "apply, when an apply of an older plan of it failed": (
        after(
            plans=(plan("a", 2, minute=-5),),
            others=(
                MADE,
                of_a_run(applying(JobState.FAILED, number=2)),
                earlier(planned(plan("a", 2))),
            ),
        ),
        NO,
    ),
    "apply, planned again since": (
        after(plans=(replace(YOUNG, created_at=NOON),), others=AGAIN),
        {"lock a", "apply a=p2"},
    ),
    "apply, while it is being planned again": (
        after(others=(earlier(planning(JobState.RUNNING), state=RunState.WORKING), MADE)),
        {"refuse: planning", "refused"},
    ),
    "apply, dropped for another reason": (after(journal=()), {"refuse: failed", "refused"}),
    "apply, on a commit that leaves it alone": (
        after(
            others=(earlier(planned(plan("b", 2))), earlier(planned(OLD), head=OLD_HEAD)),
            plans=(plan("b", 2),),
        ),
        {"lock b", "apply b=p2"},
    ),
    "apply, once it is merged": (
        after(pull=merged(), others=(of_a_run(kind=AskKind.MERGE, state=RunState.HELD), MADE)),
        NO,
    ),
    "the merge itself": (
        after(
            ask=by_event(AskKind.MERGE),
            pull=merged(),
            plans=(after_merge("a", 2),),
            jobs=(planned(after_merge("a", 2)),),
        ),
        {"hold", "apply:failure", "held"},
    ),
    "apply, and the plan is kept: it is made again": (after(plans=(TOO_OLD,)), {"plan a~p1"}),
    "apply by its id, and the plan is kept": (
        after(plans=(TOO_OLD,), ask=by_comment(AskKind.APPLY, plan_id=OLD.id)),
        {"plan a~p1"},
    ),
    "apply of both, when one is too old: both are made again": (
        after(others=BOTH, plans=(plan("b", 2), TOO_OLD), projects="a b"),
        {"plan a~p1", "plan b~p2"},
    ),
    "made again, and equal": (
        after(
            plans=(NEW, TOO_OLD),
            jobs=(planned(NEW, reviewed=1),),
            reviews=(approval(),),
        ),
        {"lock a", "apply a=p3"},
    ),
    "made again, and different": (
        after(
            plans=(replace(NEW, hash="other"), TOO_OLD),
            jobs=(planned(NEW, "x.a: delete appeared", reviewed=1),),
        ),
        {"hold", "apply:failure", "held"},
    ),
    "the merge, and the plan is kept: equal is enough": (
        after(
            ask=by_event(AskKind.MERGE),
            pull=merged(),
            plans=(after_merge("a", 2), TOO_OLD),
            jobs=(planned(after_merge("a", 2), reviewed=1),),
        ),
        {"lock a", "apply a=p2"},
    ),
    "another project is planned: the check stays red": (
        after(
            ask=by_comment(AskKind.PLAN, select=only("b")),
            others=BOTH,
            plans=(plan("b", 3, minute=26, run="r-now"), TOO_OLD),
            projects="b",
            jobs=(planned(plan("b", 3, minute=26, run="r-now")),),
        ),
        {"report", "plan:failure", "apply:failure", "done"},
    ),
    "the other one was applied: the check stays red": (
        after(
            others=BOTH,
            plans=(plan("b", 2, applied=True),),
            jobs=(applying(JobState.APPLIED, "b", 2),),
        ),
        {"apply-report", "apply:failure", "done"},
    ),
}


@pytest.mark.parametrize(("world", "expected"), AFTERWARDS.values(), ids=AFTERWARDS.keys())
def test_what_an_expired_plan_is_good_for(world: World, expected: set[str]) -> None:
    """It applies nothing that expired, and says that it expired."""
    assert words(world.outcome()) == expected


def test_the_words_of_the_refusal() -> None:
    """It says which project's plan expired, and the command that makes a new one."""
    said = next(step.message for step in after().outcome() if isinstance(step, Say))
    assert isinstance(said, Refusal)
    assert said.actor == WRITER
    assert [reason.message for reason in said.reasons] == ["the plan of `a` has expired"]
    assert "prbot plan -d a" in said.reasons[0].unblock


def test_the_words_of_the_hold() -> None:
    """It says that the plan people agreed to had expired before the merge."""
    said = [s.message for s in AFTERWARDS["the merge itself"][0].outcome() if isinstance(s, Say)]
    assert isinstance(said[0], HoldReport)
    assert said[0].why == "the plan that was reviewed of `a` had expired"
