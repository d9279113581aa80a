"""What a merge, a later `apply` on it, and a close come to: one row per situation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    ALWAYS_ON_MERGE,
    AUTHOR,
    CLOSED,
    COMMENTS_ONLY,
    DONE_MERGED,
    HEAD,
    MERGED,
    MERGER,
    NEVER_ON_MERGE,
    OLD_HEAD,
    OTHER_PULL,
    RULES,
    WRONG,
    World,
    after_merge,
    applying,
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
    planning,
    pull,
    words,
)

from prbot.model import Permission, PlanId
from prbot.runs.run import AskKind, JobKind, JobState, Placed, Run, RunState
from prbot.runs.say import AppliedUnmerged, ApplyReport, HoldReport
from prbot.runs.steps import Say, TakeLocks

SETTLED = {"drop-plans", "drop-workspaces", "done"}
HELD = {"hold", "apply:failure", "held"}
REVIEWED = plan("a")
LATE = replace(by_event(AskKind.MERGE), late=True)
FRESH = after_merge("a", 3, run="r-now")
CHANGED = after_merge("a", 3, run="r-now", content="other")
EMPTY = after_merge("a", 3, run="r-now", content="none", changes=0)
B_FRESH = after_merge("b", 4, run="r-now")
B = plan("b", 2)
AGAIN = planned(FRESH, reviewed=1)
DIFFERS = planned(CHANGED, "count 1 -> 2", reviewed=1)
UNREVIEWED = planned(FRESH)


def merge(**odd: object) -> World:
    """A reviewed pull request was merged by somebody who may write."""
    usual = {"ask": by_event(AskKind.MERGE), "pull": DONE_MERGED, "reviews": ()}
    return World(**{**usual, **odd})  # type: ignore[arg-type] # rows name fields freely


def replanned(**odd: object) -> World:
    """The merge commit was planned."""
    return merge(**{"plans": (FRESH, REVIEWED), "jobs": (AGAIN,), **odd})


def tried(state: JobState, number: int = 1, project: str = "a") -> Run:
    return earlier(applying(state, project, number), kind=AskKind.APPLY, state=RunState.FAILED)


FEW = replace(RULES, projects_per_run=1)

MERGES = {
    "never planned, and too many": (
        merge(projects="a b", plans=(), others=(), jobs=(), rules=FEW),
        HELD,
    ),
    "planned, however many": (
        merge(
            projects="a b",
            plans=(plan("b", 2), plan("a")),
            others=(earlier(planned(plan("b", 2)), planned(plan("a"))),),
            jobs=(),
            rules=FEW,
        ),
        {"plan a~p1", "plan b~p2"},
    ),
    "reviewed": (merge(), {"plan a~p1"}),
    "reviewed, but found too late": (merge(ask=LATE), {"plan a~p1"}),
    "two reviewed": (merge(projects="a b", plans=(B, REVIEWED)), {"plan a~p1", "plan b~p2"}),
    "one was planned, one never": (merge(projects="a b"), {"plan a~p1", "plan b"}),
    "never planned": (merge(plans=()), {"plan a"}),
    "fork": (merge(pull=merged(head_repo="stranger/infra"), plans=()), {"plan a"}),
    "head branch's repository deleted": (merge(pull=merged(head_repo=None)), {"plan a~p1"}),
    "planned at an older head": (merge(plans=(plan("a", head=OLD_HEAD),)), {"plan a"}),
    "the newest plan failed": (
        merge(others=(earlier(planning(JobState.FAILED)), earlier(planned(REVIEWED)))),
        {"plan a"},
    ),
    "a plan was still running": (
        merge(
            others=(
                earlier(planning(JobState.RUNNING), state=RunState.WORKING),
                earlier(planned(REVIEWED)),
            )
        ),
        {"plan a"},
    ),
    "no projects": (merge(projects="", plans=()), SETTLED),
    "no projects, a lock left": (
        merge(projects="", plans=(), locks=(lock("a"),)),
        {"free a", *SETTLED},
    ),
    "forge says it is not merged": (merge(pull=pull()), {"superseded"}),
    "branch not served": (merge(served=False), {"ignored"}),
    "rules unreadable": (merge(rules=WRONG), {"failure", "apply:failure", "failed"}),
    "laying out failed": (merge(broken=WRONG), {"failure", "apply:failure", "failed"}),
    "planning": (merge(jobs=(planning(JobState.RUNNING),)), set()),
    "equal": (replanned(), {"lock a", "apply a=p3"}),
    "two equal": (
        replanned(
            projects="a b",
            plans=(B_FRESH, FRESH, B, REVIEWED),
            jobs=(AGAIN, planned(B_FRESH, reviewed=2)),
        ),
        {"lock a,b", "apply a=p3", "apply b=p4"},
    ),
    "equal, and stale when it was to be applied: nobody plans it a third time": (
        replanned(
            jobs=(AGAIN, applying(JobState.STALE, number=3)), locks=(lock("a"),), projects="a"
        ),
        {"apply-report", "free a", "apply:failure", "failed"},
    ),
    "stale, and another depends on it": (
        replanned(
            projects="a b",
            placed=(Placed(keys("a")[0]), Placed(keys("b")[0], keys("a"))),
            plans=(B_FRESH, FRESH, B, REVIEWED),
            jobs=(
                AGAIN,
                planned(B_FRESH, reviewed=2),
                applying(JobState.STALE, number=3),
                applying(JobState.BLOCKED, "b", 4),
            ),
            locks=(lock("a"), lock("b")),
        ),
        {"skip b"},
    ),
    "equal, our lock is held": (replanned(locks=(lock("a"),)), {"lock a", "apply a=p3"}),
    "equal, but found too late": (replanned(ask=LATE), HELD),
    "too late where always is allowed": (replanned(ask=LATE, rules=ALWAYS_ON_MERGE), HELD),
    "changed": (replanned(plans=(CHANGED, REVIEWED), jobs=(DIFFERS,)), HELD),
    "one changed, one equal": (
        replanned(
            projects="a b",
            plans=(B_FRESH, CHANGED, B, REVIEWED),
            jobs=(DIFFERS, planned(B_FRESH, reviewed=2)),
        ),
        HELD,
    ),
    "changed where always is allowed": (
        replanned(rules=ALWAYS_ON_MERGE, plans=(CHANGED, REVIEWED), jobs=(DIFFERS,)),
        {"lock a", "apply a=p3"},
    ),
    "never planned, planned now": (replanned(plans=(FRESH,), jobs=(UNREVIEWED,)), HELD),
    "never planned where always is allowed": (
        replanned(rules=ALWAYS_ON_MERGE, plans=(FRESH,), jobs=(UNREVIEWED,)),
        HELD,
    ),
    "fork, planned now": (
        replanned(pull=merged(head_repo="stranger/infra"), plans=(FRESH,), jobs=(UNREVIEWED,)),
        HELD,
    ),
    "fork, although it was planned and is equal": (
        replanned(pull=merged(head_repo="stranger/infra")),
        HELD,
    ),
    "a server that only comments now, an interrupted apply's lock": (
        merge(
            rules=COMMENTS_ONLY,
            locks=(lock("a"), lock("b")),
            others=(tried(JobState.INTERRUPTED), earlier(planned(REVIEWED))),
        ),
        {"free b", *SETTLED},
    ),
    "never planned, and empty": (
        replanned(plans=(EMPTY,), jobs=(planned(EMPTY),)),
        {"apply:success", *SETTLED},
    ),
    "planning the merge failed": (
        merge(jobs=(planning(JobState.FAILED),)),
        HELD,
    ),
    "the merge's plan is gone": (
        replanned(plans=(REVIEWED,), others=(earlier(planned(REVIEWED)),)),
        HELD,
    ),
    "the merge's plan is gone where always is allowed": (
        replanned(rules=ALWAYS_ON_MERGE, plans=(REVIEWED,), others=(earlier(planned(REVIEWED)),)),
        HELD,
    ),
    "one failed, one equal": (
        replanned(
            projects="a b",
            plans=(FRESH, B, REVIEWED),
            jobs=(AGAIN, planning(JobState.FAILED, "b")),
        ),
        HELD,
    ),
    "never on merge": (merge(rules=NEVER_ON_MERGE), {"plan a~p1"}),
    "never on merge, planned": (replanned(rules=NEVER_ON_MERGE), HELD),
    "a server that only comments": (merge(rules=COMMENTS_ONLY), SETTLED),
    "a server that only comments, a lock left": (
        merge(rules=COMMENTS_ONLY, locks=(lock("a"),)),
        {"free a", *SETTLED},
    ),
    "a project left the pull request before the merge": (
        merge(
            plans=(plan("b", 2, head=OLD_HEAD), REVIEWED),
            others=(earlier(planned(REVIEWED)), earlier(planned(B), head=OLD_HEAD)),
        ),
        {"plan a~p1"},
    ),
    "a project left the pull request, but is still held": (
        merge(
            plans=(plan("b", 2, head=OLD_HEAD, applied=True), REVIEWED),
            others=(earlier(planned(REVIEWED)), earlier(planned(B), head=OLD_HEAD)),
            locks=(lock("b"),),
        ),
        {"plan a~p1", "plan b"},
    ),
    "planned by an event that nobody saw the end of": (
        merge(others=(earlier(planned(REVIEWED), state=RunState.SUPERSEDED),)),
        {"plan a"},
    ),
    "planned by name": (
        merge(others=(earlier(planned(REVIEWED), select=only("a")),)),
        {"plan a~p1"},
    ),
    "applied by comment, all of it": (
        merge(plans=(plan("a", applied=True),), locks=(lock("a"),)),
        {"free a", *SETTLED},
    ),
    "one applied by comment": (
        merge(projects="a b", plans=(B, plan("a", applied=True)), locks=(lock("a"),)),
        {"plan b~p2"},
    ),
    "one applied by comment while the merge was planned, the other changed": (
        replanned(
            projects="a b",
            plans=(replace(B_FRESH, hash="other"), EMPTY, B, plan("a", applied=True)),
            jobs=(
                planned(EMPTY, "-1 change", reviewed=1),
                planned(B_FRESH, "count 1 -> 2", reviewed=2),
            ),
            locks=(lock("a"),),
        ),
        HELD,
    ),
    "one of two never planned where always is allowed": (
        replanned(
            rules=ALWAYS_ON_MERGE,
            projects="a b",
            plans=(B_FRESH, FRESH, REVIEWED),
            jobs=(AGAIN, planned(B_FRESH)),
        ),
        HELD,
    ),
    "planning the merge failed where always is allowed": (
        replanned(rules=ALWAYS_ON_MERGE, jobs=(planning(JobState.FAILED),)),
        HELD,
    ),
    "equal, but the forge names another merge commit now": (
        replanned(pull=merged(merge_sha=None), laid_out_at=MERGED),
        HELD,
    ),
    "merger without write access": (replanned(permission=Permission.READ), HELD),
    "merger without any access": (replanned(permission=Permission.NONE), HELD),
    "lock of another": (replanned(locks=(lock("a", OTHER_PULL),)), HELD),
    "the merge's plan would lose the state": (
        replanned(plans=(replace(FRESH, state_is_lost=True), REVIEWED)),
        HELD,
    ),
    "the merge's plan is not applicable": (
        replanned(plans=(after_merge("a", 3, applyable=False, run="r-now"), REVIEWED)),
        HELD,
    ),
    "an interrupted apply stands": (
        replanned(others=(tried(JobState.INTERRUPTED), earlier(planned(REVIEWED)))),
        HELD,
    ),
    "applied by comment, nothing left": (
        replanned(
            plans=(EMPTY, plan("a", applied=True)),
            jobs=(planned(EMPTY, "-1 change", reviewed=1),),
            others=(tried(JobState.APPLIED), earlier(planned(REVIEWED))),
            locks=(lock("a"),),
        ),
        {"free a", *SETTLED, "apply:success"},
    ),
    "one applied by comment, the other equal": (
        replanned(
            projects="a b",
            plans=(B_FRESH, EMPTY, B, plan("a", applied=True)),
            jobs=(planned(EMPTY, "-1 change", reviewed=1), planned(B_FRESH, reviewed=2)),
            locks=(lock("a"),),
        ),
        {"lock b", "apply b=p4"},
    ),
    "no changes at all": (
        replanned(
            plans=(EMPTY, plan("a", changes=0, content="none")),
            jobs=(planned(EMPTY, reviewed=1),),
        ),
        {"apply:success", *SETTLED},
    ),
    "changed meanwhile, and nothing left": (
        replanned(plans=(EMPTY, REVIEWED), jobs=(planned(EMPTY, "-1 change", reviewed=1),)),
        {"apply:success", *SETTLED},
    ),
}

APPLIED_NOW = replace(FRESH, applied_at=FRESH.created_at)
DURING = {
    "applying": (
        replanned(jobs=(AGAIN, applying(JobState.RUNNING, number=3)), locks=(lock("a"),)),
        set(),
    ),
    "applied": (
        replanned(
            plans=(APPLIED_NOW, REVIEWED),
            jobs=(AGAIN, applying(JobState.APPLIED, number=3)),
            locks=(lock("a"),),
        ),
        {"apply-report", "apply:success", "free a", *SETTLED},
    ),
    "failed": (
        replanned(jobs=(AGAIN, applying(JobState.FAILED, number=3)), locks=(lock("a"),)),
        {"apply-report", "apply:failure", "failed"},
    ),
    "interrupted": (
        replanned(jobs=(AGAIN, applying(JobState.INTERRUPTED, number=3)), locks=(lock("a"),)),
        {"apply-report", "apply:failure", "look a=p3"},
    ),
    "interrupted and looked at": (
        replanned(
            jobs=(
                AGAIN,
                applying(JobState.INTERRUPTED, number=3),
                job(JobKind.LOOK, JobState.LOOKED),
            ),
            locks=(lock("a"),),
        ),
        {"apply-report", "left-behind", "apply:failure", "interrupted"},
    ),
}

HOLDING = earlier(
    planned(CHANGED, "count 1 -> 2", reviewed=1), kind=AskKind.MERGE, state=RunState.HELD
)
HELD_EQUAL = earlier(planned(FRESH, reviewed=1), kind=AskKind.MERGE, state=RunState.HELD)
HELD_UNREVIEWED = earlier(planned(FRESH), kind=AskKind.MERGE, state=RunState.HELD)
CUT_SHORT = earlier(
    planned(FRESH, reviewed=1),
    applying(JobState.INTERRUPTED, number=3),
    kind=AskKind.MERGE,
    state=RunState.INTERRUPTED,
)
AFRESH = after_merge("a", 5, minute=40, run="r-now")
PLANNED_SINCE = replace(
    earlier(planned(AFRESH), kind=AskKind.MERGE), ask=by_comment(AskKind.PLAN), created_at=at(35)
)
AFRESH_CHANGED = replace(AFRESH, hash="other")
ACCEPT = by_comment(AskKind.APPLY, accept_changes=True)


def after(**odd: object) -> World:
    """`apply` on a merged pull request of which a changed plan was held."""
    usual = {
        "ask": by_comment(AskKind.APPLY),
        "pull": DONE_MERGED,
        "reviews": (),
        "plans": (CHANGED, REVIEWED),
        "others": (HOLDING, earlier(planned(REVIEWED))),
    }
    return World(**{**usual, **odd})  # type: ignore[arg-type] # rows name fields freely


def refused(*requirements: str) -> set[str]:
    return {"refuse: " + " ".join(sorted(requirements)), "refused"}


ON_MERGED = {
    "changed, and asked again": (after(), {"plan a~p1"}),
    "changed, asked again, and changed still": (
        after(
            plans=(AFRESH_CHANGED, CHANGED, REVIEWED),
            jobs=(planned(AFRESH_CHANGED, "count 1 -> 2", reviewed=1),),
        ),
        HELD,
    ),
    "changed, asked again, and equal now": (
        after(plans=(AFRESH, CHANGED, REVIEWED), jobs=(planned(AFRESH, reviewed=1),)),
        {"lock a", "apply a=p5"},
    ),
    "accepted, and stale when it was to be applied": (
        after(ask=ACCEPT, jobs=(applying(JobState.STALE, number=3),), locks=(lock("a"),)),
        {"plan a~p3"},
    ),
    "accepted, stale, planned again, and equal": (
        after(
            ask=ACCEPT,
            plans=(AFRESH, CHANGED, REVIEWED),
            jobs=(applying(JobState.STALE, number=3), planned(AFRESH, reviewed=3)),
            locks=(lock("a"),),
        ),
        {"lock a", "apply a=p5"},
    ),
    "accepted, stale, planned again, and another": (
        after(
            ask=ACCEPT,
            plans=(AFRESH, CHANGED, REVIEWED),
            jobs=(
                applying(JobState.STALE, number=3),
                planned(AFRESH, "count 1 -> 2", reviewed=3),
            ),
            locks=(lock("a"),),
        ),
        {"hold", "free a", "apply:failure", "held"},
    ),
    "said before the merge, stale, and planned again before it": (
        after(
            plans=(plan("a", 6, minute=26, run="r-now"), REVIEWED),
            jobs=(
                applying(JobState.STALE),
                planned(plan("a", 6, minute=26, run="r-now"), reviewed=1),
            ),
            laid_out_at=HEAD,
            locks=(lock("a"),),
        ),
        {"hold", "free a", "apply:failure", "held"},
    ),
    "accepted, stale, planned again, and write access lost": (
        after(
            ask=ACCEPT,
            permission=Permission.READ,
            plans=(AFRESH, CHANGED, REVIEWED),
            jobs=(applying(JobState.STALE, number=3), planned(AFRESH, reviewed=3)),
            locks=(lock("a"),),
        ),
        {"hold", "free a", "apply:failure", "held"},
    ),
    "asked again, equal, and write access lost": (
        after(
            permission=Permission.READ,
            plans=(AFRESH, CHANGED, REVIEWED),
            jobs=(planned(AFRESH, reviewed=1),),
        ),
        refused("permission"),
    ),
    "asked again, equal, and locked": (
        after(
            plans=(AFRESH, CHANGED, REVIEWED),
            jobs=(planned(AFRESH, reviewed=1),),
            locks=(lock("a", OTHER_PULL),),
        ),
        HELD,
    ),
    "merged between laying out and deciding": (
        after(laid_out_at=HEAD, jobs=(), plans=(REVIEWED,), others=(earlier(planned(REVIEWED)),)),
        refused("head"),
    ),
    "the forge does not tell the merge commit": (
        after(ask=ACCEPT, pull=merged(merge_sha=None), laid_out_at=HEAD, jobs=()),
        refused("head"),
    ),
    "the merge's apply was interrupted": (
        after(plans=(FRESH, REVIEWED), others=(CUT_SHORT, earlier(planned(REVIEWED)))),
        refused("interrupted"),
    ),
    "the merge's apply was interrupted, and accepted": (
        after(ask=ACCEPT, plans=(FRESH, REVIEWED), others=(CUT_SHORT, earlier(planned(REVIEWED)))),
        refused("interrupted"),
    ),
    "the merge's apply was interrupted, and planned since": (
        after(
            plans=(AFRESH, FRESH, REVIEWED),
            others=(PLANNED_SINCE, CUT_SHORT, earlier(planned(REVIEWED))),
        ),
        {"plan a~p1"},
    ),
    "changed, accepted": (after(ask=ACCEPT), {"lock a", "apply a=p3"}),
    "changed, accepted by plan id": (
        after(ask=replace(ACCEPT, plan_id=PlanId("p-000003"))),
        {"lock a", "apply a=p3"},
    ),
    "changed, the reviewed plan's id": (
        after(ask=replace(ACCEPT, plan_id=PlanId("p-000001"))),
        refused("newest"),
    ),
    "never planned before": (
        after(plans=(FRESH,), others=(HELD_UNREVIEWED,)),
        refused("reviewed"),
    ),
    "never planned before, accepted": (
        after(ask=ACCEPT, plans=(FRESH,), others=(HELD_UNREVIEWED,)),
        {"lock a", "apply a=p3"},
    ),
    "from a fork, accepted": (
        after(ask=ACCEPT, pull=merged(head_repo="stranger/infra")),
        {"lock a", "apply a=p3"},
    ),
    "equal, held for another reason": (
        after(plans=(FRESH, REVIEWED), others=(HELD_EQUAL, earlier(planned(REVIEWED)))),
        {"plan a~p1"},
    ),
    "a reader accepts": (after(ask=ACCEPT, permission=Permission.READ), refused("permission")),
    "an outsider accepts": (after(ask=ACCEPT, permission=Permission.NONE), {"ignored"}),
    "accepted, but locked": (
        after(ask=ACCEPT, locks=(lock("a", OTHER_PULL),)),
        {"told-to-wait", "waiting"},
    ),
    "accepted on a server that only comments": (
        after(ask=ACCEPT, rules=COMMENTS_ONLY),
        refused("mode"),
    ),
    "the merge was never planned": (
        after(ask=ACCEPT, plans=(REVIEWED,), others=(earlier(planned(REVIEWED)),)),
        refused("plan"),
    ),
    "the merge's plan failed": (
        after(
            ask=ACCEPT,
            plans=(REVIEWED,),
            others=(
                earlier(planning(JobState.FAILED), kind=AskKind.MERGE, state=RunState.HELD),
                earlier(planned(REVIEWED)),
            ),
        ),
        refused("plan"),
    ),
    "accepted and tried before": (
        after(
            ask=ACCEPT,
            others=(tried(JobState.FAILED, 3), HOLDING, earlier(planned(REVIEWED))),
        ),
        refused("once"),
    ),
    "accepted, applied": (
        after(
            ask=ACCEPT,
            plans=(APPLIED_NOW, REVIEWED),
            jobs=(applying(JobState.APPLIED, number=3),),
            locks=(lock("a"),),
        ),
        {"apply-report", "apply:success", "free a", *SETTLED},
    ),
    "one of two accepted and applied": (
        after(
            ask=replace(ACCEPT, select=only("a")),
            projects="a b",
            plans=(B_FRESH, APPLIED_NOW, B, REVIEWED),
            jobs=(applying(JobState.APPLIED, number=3),),
            locks=(lock("a"),),
        ),
        {"apply-report", "apply:failure", "free a", "done"},
    ),
    "merged while it was applied: the merge run cleans up": (
        after(
            laid_out_at=HEAD,
            plans=(plan("a", applied=True),),
            others=(earlier(planned(REVIEWED)),),
            jobs=(applying(JobState.APPLIED),),
            locks=(lock("a"),),
        ),
        {"apply-report", "apply:success", "done"},
    ),
    "accepted, failed": (
        after(ask=ACCEPT, jobs=(applying(JobState.FAILED, number=3),), locks=(lock("a"),)),
        {"apply-report", "apply:failure", "failed"},
    ),
}


def close(**odd: object) -> World:
    usual = {"ask": by_event(AskKind.CLOSE), "pull": CLOSED, "permission": Permission.NONE}
    return World(**{**usual, **odd})  # type: ignore[arg-type] # rows name fields freely


LEFT = {"drop-plans", "drop-workspaces", "done"}
LOUD = {"applied-unmerged", "issue", *LEFT}
MINE = (lock("a"),)

CLOSES = {
    "never planned": (close(plans=()), LEFT),
    "nothing applied": (close(), LEFT),
    "nothing applied, a lock": (close(locks=MINE), {"free a", *LEFT}),
    "nothing applied, another's lock": (close(locks=(lock("a", OTHER_PULL),)), LEFT),
    "something applied": (close(plans=(plan("a", applied=True),), locks=MINE), LOUD),
    "one of two applied": (
        close(plans=(B, plan("a", applied=True)), locks=(lock("a"), lock("b"))),
        {"free b", *LOUD},
    ),
    "an apply failed half-way": (
        close(locks=MINE, others=(tried(JobState.FAILED), earlier(planned(REVIEWED)))),
        LOUD,
    ),
    "an apply was interrupted": (
        close(locks=MINE, others=(tried(JobState.INTERRUPTED), earlier(planned(REVIEWED)))),
        LOUD,
    ),
    "an apply is running": (
        close(locks=MINE, others=(tried(JobState.RUNNING), earlier(planned(REVIEWED)))),
        {"applied-unmerged", "issue", "drop-plans", "done"},
    ),
    "reopened meanwhile": (close(pull=pull()), {"superseded"}),
    "merged meanwhile": (close(pull=DONE_MERGED), {"superseded"}),
    "branch not served": (close(served=False), {"ignored"}),
    "fork": (close(pull=pull(open=False, head_repo="stranger/infra"), plans=()), LEFT),
}


@pytest.mark.parametrize(("world", "expected"), MERGES.values(), ids=MERGES)
def test_merge(world: World, expected: set[str]) -> None:
    """It plans the merge commit, and applies what is left only if all of it is as reviewed."""
    assert words(world.outcome()) - {"plan:success"} == expected


@pytest.mark.parametrize(("world", "expected"), DURING.values(), ids=DURING)
def test_apply_on_merge(world: World, expected: set[str]) -> None:
    """It reports, and cleans up only after everything was applied."""
    assert words(world.outcome()) == expected


@pytest.mark.parametrize(("world", "expected"), ON_MERGED.values(), ids=ON_MERGED)
def test_apply_on_merged(world: World, expected: set[str]) -> None:
    """It applies a held plan for who may write; a change wants a word of its own."""
    assert words(world.outcome()) == expected


@pytest.mark.parametrize(("world", "expected"), CLOSES.values(), ids=CLOSES)
def test_close(world: World, expected: set[str]) -> None:
    """It lets go of everything, except where something may have been applied."""
    assert words(world.outcome()) == expected


def test_hold_tells_whom_and_how() -> None:
    """It says why, calls author and merger, shows the difference and the command."""
    steps = MERGES["changed"][0].outcome()
    (hold,) = [s.message for s in steps if isinstance(s, Say)]
    assert isinstance(hold, HoldReport)
    assert set(hold.mention) == {AUTHOR, MERGER}
    assert hold.why
    assert "apply --accept-changes" in hold.accept_with
    (result,) = hold.results
    assert (result.plan, result.differences) == (CHANGED, ("count 1 -> 2",))


def test_apply_on_merge_names_the_merger() -> None:
    """It reports an apply on merge in the merger's name."""
    steps = DURING["applied"][0].outcome()
    (report,) = [s.message for s in steps if isinstance(s, Say)]
    assert isinstance(report, ApplyReport)
    assert (report.actor, report.on_merge) == (MERGER, True)


def test_locks_before_applies() -> None:
    """It takes all locks in one step, which fails as a whole."""
    steps = MERGES["two equal"][0].outcome()
    assert [len(s.projects) for s in steps if isinstance(s, TakeLocks)] == [2]


def test_close_calls_the_author() -> None:
    """It names the projects that were applied, and calls the author."""
    steps = CLOSES["one of two applied"][0].outcome()
    (loud,) = [s.message for s in steps if isinstance(s, Say)]
    assert isinstance(loud, AppliedUnmerged)
    assert [str(p) for p in loud.projects] == ["a"]
    assert AUTHOR in loud.mention
