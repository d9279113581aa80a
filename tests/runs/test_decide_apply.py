"""What an `apply` by comment comes to: one row per situation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    AUTHOR,
    CLOSED,
    COMMENTS_ONLY,
    DRAFT,
    FORK,
    HEAD,
    NEVER_ON_MERGE,
    NEW_BASE,
    NO_APPROVALS,
    OLD_HEAD,
    OTHER_PULL,
    PUSHED,
    REVIEWER,
    TWO_APPROVALS,
    WRITER,
    WRONG,
    World,
    applying,
    approval,
    at,
    by_comment,
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

from prbot.model import Login, Permission, PlanId, ReviewState
from prbot.runs.run import AskKind, JobKind, JobState, Placed, RunState
from prbot.runs.say import ApplyReport, Refusal
from prbot.runs.steps import Acknowledge, Say, SetStatus

APPLY = by_comment(AskKind.APPLY)
GO = {"lock a", "apply a=p1"}
TWO = (plan("b", 2), plan("a"))
CHANGES = ReviewState.CHANGES_REQUESTED


def say(**odd: object) -> World:
    """`apply` on an ordinary day."""
    return World(**{"ask": APPLY, **odd})  # type: ignore[arg-type] # rows name fields freely


def refused(*requirements: str) -> set[str]:
    return {"refuse: " + " ".join(sorted(requirements)), "refused"}


def plan_id(number: int) -> PlanId:
    return PlanId(f"p-{number:06d}")


B_NEEDS_A = (Placed(keys("a")[0]), Placed(keys("b")[0], keys("a")))


ALLOWED = {
    "two projects, one needs the other": (
        say(plans=TWO, projects="a b", placed=B_NEEDS_A),
        {"lock a,b", "apply a=p1", "then apply b=p2"},
    ),
    "what it needs was applied": (
        say(plans=(plan("b", 2), plan("a", applied=True)), projects="a b", placed=B_NEEDS_A),
        {"lock b", "apply b=p2"},
    ),
    "what it needs has no changes": (
        say(plans=(plan("b", 2), plan("a", changes=0)), projects="a b", placed=B_NEEDS_A),
        {"lock b", "apply b=p2"},
    ),
    "what it needs was never planned here": (
        say(plans=(plan("b", 2),), projects="b", placed=B_NEEDS_A),
        {"lock b", "apply b=p2"},
    ),
    "an ordinary day": (say(), GO),
    "an administrator": (say(permission=Permission.ADMIN), GO),
    "without merges that apply": (say(rules=NEVER_ON_MERGE), GO),
    "no approval wanted": (say(rules=NO_APPROVALS, reviews=()), GO),
    "the author applies what another approved": (say(ask=by_comment(AskKind.APPLY, AUTHOR)), GO),
    "the approver applies": (say(ask=by_comment(AskKind.APPLY, REVIEWER)), GO),
    "approved in the second the plan was stored: forges tell whole seconds": (
        say(plans=(plan("a", minute=5 + 0.5 / 60),)),
        GO,
    ),
    "two approvals": (
        say(rules=TWO_APPROVALS, reviews=(approval(), approval(WRITER))),
        GO,
    ),
    "our own lock": (say(locks=(lock("a"),)), GO),
    "another project's lock": (say(locks=(lock("c", OTHER_PULL),)), GO),
    "two projects": (say(plans=TWO, projects="a b"), {"lock a,b", "apply a=p1", "apply b=p2"}),
    "one of two is empty": (say(plans=(plan("b", 2, changes=0), plan("a"))), GO),
    "one of two was applied": (say(plans=(plan("b", 2, applied=True), plan("a"))), GO),
    "one of two selected": (say(ask=by_comment(AskKind.APPLY, select=only("a")), plans=TWO), GO),
    "the other one failed, this one selected": (
        say(
            ask=by_comment(AskKind.APPLY, select=only("a")),
            others=(earlier(planning(JobState.FAILED, "b"), planned(plan("a"))),),
        ),
        GO,
    ),
    "by plan id": (say(ask=by_comment(AskKind.APPLY, plan_id=plan_id(1)), plans=TWO), GO),
    "planned again with the same content after the approval": (
        say(
            plans=(plan("a", 2, minute=9), plan("a")),
            others=(earlier(planned(plan("a", 2))), earlier(planned(plan("a")))),
        ),
        {"lock a", "apply a=p2"},
    ),
    "an old failure, planned again since": (
        say(others=(earlier(planned(plan("a"))), earlier(planning(JobState.FAILED)))),
        GO,
    ),
    "an older plan was tried, a newer one stands": (
        say(
            plans=(plan("a", 2, minute=3), plan("a")),
            others=(
                earlier(planned(plan("a", 2))),
                earlier(applying(JobState.FAILED), kind=AskKind.APPLY, state=RunState.FAILED),
                earlier(planned(plan("a"))),
            ),
        ),
        {"lock a", "apply a=p2"},
    ),
    "changes requested by a reader": (
        say(
            reviews=(
                approval(),
                approval(Login("reader"), state=CHANGES, permission=Permission.READ),
            )
        ),
        GO,
    ),
    "a project left the pull request since it was planned": (
        say(
            plans=(plan("b", 2, head=OLD_HEAD), plan("a")),
            others=(
                earlier(planned(plan("a"))),
                earlier(planned(plan("b", 2)), head=OLD_HEAD),
            ),
        ),
        GO,
    ),
    "a project outside was planned by name": (
        say(
            ask=by_comment(AskKind.APPLY, select=only("c")),
            plans=(plan("c", 3), plan("a")),
            others=(
                earlier(planned(plan("c", 3)), select=only("c")),
                earlier(planned(plan("a"))),
            ),
        ),
        {"lock c", "apply c=p3"},
    ),
    "accept-changes on an open pull request adds nothing": (
        say(ask=by_comment(AskKind.APPLY, accept_changes=True)),
        GO,
    ),
}

REFUSED = {
    "what it needs is planned and not applied": (
        say(
            ask=by_comment(AskKind.APPLY, select=only("b")),
            plans=TWO,
            projects="a b",
            placed=B_NEEDS_A,
        ),
        refused("dependencies"),
    ),
    "no access": (say(permission=Permission.NONE), {"ignored"}),
    "branch not served": (say(served=False), {"ignored"}),
    "read access": (say(permission=Permission.READ), refused("permission")),
    "found half an hour late": (
        say(ask=replace(APPLY, commented_at=at(-5)), plans=(plan("a", minute=-8),)),
        GO,
    ),
    "found later": (say(ask=replace(APPLY, commented_at=at(-6))), refused("age")),
    "found later, and merged meanwhile": (
        say(ask=replace(APPLY, commented_at=at(-6)), pull=merged()),
        refused("age"),
    ),
    "found later, of a reader": (
        say(ask=replace(APPLY, commented_at=at(-6)), permission=Permission.READ),
        refused("age", "permission"),
    ),
    "fork": (say(pull=FORK), refused("fork")),
    "draft": (say(pull=DRAFT), refused("draft")),
    "closed": (say(pull=CLOSED), refused("open")),
    "conflict": (say(pull=pull(mergeable=False)), refused("mergeable")),
    "a server that only comments": (say(rules=COMMENTS_ONLY), refused("mode")),
    "never planned": (say(plans=()), refused("plan")),
    "plan of an older head": (say(plans=(plan("a", head=OLD_HEAD),)), refused("head")),
    "older head although the plan id is right": (
        say(
            ask=by_comment(AskKind.APPLY, plan_id=plan_id(1)),
            plans=(plan("a", head=OLD_HEAD),),
        ),
        refused("head"),
    ),
    "plan outdated by a newer one": (
        say(
            ask=by_comment(AskKind.APPLY, plan_id=plan_id(1)),
            plans=(plan("a", 2, minute=3), plan("a")),
        ),
        refused("newest"),
    ),
    "plan id unknown": (say(ask=by_comment(AskKind.APPLY, plan_id=plan_id(9))), refused("plan")),
    "planning in flight": (
        say(
            others=(
                earlier(planning(JobState.RUNNING), state=RunState.WORKING),
                earlier(planned(plan("a"))),
            )
        ),
        refused("planning"),
    ),
    "planning waits in the queue": (
        say(
            others=(
                earlier(planning(JobState.QUEUED), state=RunState.WORKING),
                earlier(planned(plan("a"))),
            )
        ),
        refused("planning"),
    ),
    "newest plan failed": (
        say(others=(earlier(planning(JobState.FAILED)), earlier(planned(plan("a"))))),
        refused("failed"),
    ),
    "one of two failed": (
        say(others=(earlier(planning(JobState.FAILED, "b"), planned(plan("a"))),)),
        refused("failed"),
    ),
    "mergeable not known yet": (say(pull=pull(mergeable=None)), refused("mergeable")),
    "errored plan": (say(plans=(plan("a", errored=True),)), refused("failed")),
    "not applicable plan": (say(plans=(plan("a", applyable=False),)), refused("failed")),
    "state would be lost": (say(plans=(plan("a", lost=True),)), refused("state")),
    "tried before and failed": (
        say(
            others=(
                earlier(applying(JobState.FAILED), kind=AskKind.APPLY, state=RunState.FAILED),
                earlier(planned(plan("a"))),
            )
        ),
        refused("once"),
    ),
    "tried before and interrupted": (
        say(
            others=(
                earlier(
                    applying(JobState.INTERRUPTED), kind=AskKind.APPLY, state=RunState.INTERRUPTED
                ),
                earlier(planned(plan("a"))),
            )
        ),
        refused("interrupted"),
    ),
    "being applied just now": (
        say(
            others=(
                earlier(applying(JobState.RUNNING), kind=AskKind.APPLY, state=RunState.WORKING),
                earlier(planned(plan("a"))),
            )
        ),
        refused("applying"),
    ),
    "an older plan is being applied": (
        say(
            plans=(plan("a", 2, minute=3), plan("a")),
            others=(
                earlier(planned(plan("a", 2))),
                earlier(applying(JobState.QUEUED), kind=AskKind.APPLY, state=RunState.WORKING),
                earlier(planned(plan("a"))),
            ),
        ),
        refused("applying"),
    ),
    "one of two is still being planned": (
        say(
            others=(
                earlier(
                    planning(JobState.RUNNING, "b"), planned(plan("a")), state=RunState.WORKING
                ),
            )
        ),
        refused("planning", "seen", "approved"),
    ),
    "nothing to apply": (say(plans=(plan("a", changes=0),)), refused("changes")),
    "applied already": (say(plans=(plan("a", applied=True),)), refused("changes")),
    "applied already, by plan id": (
        say(ask=by_comment(AskKind.APPLY, plan_id=plan_id(1)), plans=(plan("a", applied=True),)),
        refused("changes"),
    ),
    "selector matches nothing": (
        say(ask=by_comment(AskKind.APPLY, select=only("z"))),
        refused("plan"),
    ),
    "no approval": (say(reviews=()), refused("approved")),
    "approved by the author": (say(reviews=(approval(AUTHOR),)), refused("approved")),
    "approved by the author in another spelling": (
        say(reviews=(approval(Login("Author")),)),
        refused("approved"),
    ),
    "approved by a reader": (
        say(reviews=(approval(permission=Permission.READ),)),
        refused("approved"),
    ),
    "approved an older commit with another plan": (
        say(
            plans=(plan("a", 2, minute=2, content="new"), plan("a", head=OLD_HEAD)),
            reviews=(approval(commit=OLD_HEAD),),
        ),
        refused("approved"),
    ),
    "approved an older commit with an equal plan": (
        say(
            plans=(plan("a", 2, minute=9), plan("a", head=OLD_HEAD)),
            reviews=(approval(commit=OLD_HEAD),),
        ),
        refused("approved"),
    ),
    "approved an older commit that was never planned": (
        say(reviews=(approval(commit=OLD_HEAD),)),
        refused("approved"),
    ),
    "approved an unknown commit": (say(reviews=(approval(commit=None),)), refused("approved")),
    "approved before the plan stood there": (
        say(reviews=(approval(minute=-1),)),
        refused("approved"),
    ),
    "approved in the second before the plan was stored": (
        say(plans=(plan("a", minute=5 + 1.5 / 60),)),
        refused("approved"),
    ),
    "planned again with other content after the approval": (
        say(plans=(plan("a", 2, minute=9, content="new"), plan("a"))),
        refused("approved"),
    ),
    "planned again with other files after the approval": (
        say(plans=(plan("a", 2, minute=9, files="new"), plan("a"))),
        refused("approved"),
    ),
    "only one of two projects stood there when it was approved": (
        say(plans=(plan("b", 2, minute=9), plan("a"))),
        refused("approved"),
    ),
    "approval withdrawn": (
        say(reviews=(approval(state=ReviewState.DISMISSED),)),
        refused("approved"),
    ),
    "merely commented": (
        say(reviews=(approval(state=ReviewState.COMMENTED),)),
        refused("approved"),
    ),
    "one approval where two are wanted": (say(rules=TWO_APPROVALS), refused("approved")),
    "the same person twice where two are wanted": (
        say(rules=TWO_APPROVALS, reviews=(approval(), approval(minute=7))),
        refused("approved"),
    ),
    "changes requested": (
        say(reviews=(approval(), approval(WRITER, state=CHANGES))),
        refused("approved"),
    ),
    "changes requested where no approval is wanted": (
        say(rules=NO_APPROVALS, reviews=(approval(WRITER, state=CHANGES),)),
        refused("approved"),
    ),
    "lock of another pull request": (
        say(locks=(lock("a", OTHER_PULL),)),
        {"told-to-wait", "waiting"},
    ),
    "one of two is locked": (
        say(plans=TWO, locks=(lock("b", OTHER_PULL),)),
        {"told-to-wait", "waiting"},
    ),
    "rules unreadable": (say(rules=WRONG), {"failure", "apply:failure", "failed"}),
    "laying out failed": (say(broken=WRONG), {"failure", "apply:failure", "failed"}),
    "several at once": (
        say(
            pull=pull(draft=True, mergeable=False),
            reviews=(),
            locks=(lock("a", OTHER_PULL),),
        ),
        refused("draft", "mergeable", "approved", "lock"),
    ),
    "more at once": (
        say(permission=Permission.READ, pull=FORK, plans=(), reviews=()),
        refused("permission", "fork"),
    ),
    "a reader on a draft that was never planned": (
        say(permission=Permission.READ, pull=DRAFT, plans=()),
        refused("permission", "draft"),
    ),
    "accept-changes does not replace an approval": (
        say(ask=by_comment(AskKind.APPLY, accept_changes=True), reviews=()),
        refused("approved"),
    ),
}

AGAIN = plan("a", 2, base=NEW_BASE, minute=26, run="r-now")
MOVED = say(pull=pull(base_sha=NEW_BASE))
REPLANNED = replace(MOVED, plans=(AGAIN, plan("a")), jobs=(planned(AGAIN, reviewed=1),))
DIFFERENT = replace(AGAIN, hash="other")
REPLANNED_DIFFERENT = replace(
    MOVED, plans=(DIFFERENT, plan("a")), jobs=(planned(DIFFERENT, "count 1 -> 2", reviewed=1),)
)
B_AGAIN = plan("b", 3, base=NEW_BASE, minute=26, run="r-now")

MOVED_BASE = {
    "planned again first": (MOVED, {"plan a~p1"}),
    "one of two selected is planned again": (
        replace(MOVED, ask=by_comment(AskKind.APPLY, select=only("a")), plans=TWO),
        {"plan a~p1"},
    ),
    "an unmet requirement is told before planning again": (
        replace(MOVED, reviews=()),
        refused("approved"),
    ),
    "planning again": (replace(MOVED, jobs=(planning(JobState.RUNNING),)), set()),
    "equal": (REPLANNED, {"lock a", "apply a=p2"}),
    "equal, and by plan id": (
        replace(REPLANNED, ask=by_comment(AskKind.APPLY, plan_id=plan_id(1))),
        {"lock a", "apply a=p2"},
    ),
    "different": (REPLANNED_DIFFERENT, {"hold", "apply:failure", "held"}),
    "one of two is different": (
        replace(
            REPLANNED_DIFFERENT,
            projects="a b",
            plans=(B_AGAIN, DIFFERENT, *TWO),
            jobs=(*(REPLANNED_DIFFERENT.jobs or ()), planned(B_AGAIN, reviewed=2)),
        ),
        {"hold", "apply:failure", "held"},
    ),
    "planning again failed": (
        replace(MOVED, jobs=(planning(JobState.FAILED),)),
        {"hold", "apply:failure", "held"},
    ),
    "head moved meanwhile": (
        replace(REPLANNED, pull=replace(PUSHED, base_sha=NEW_BASE), laid_out_at=HEAD),
        refused("head"),
    ),
    "base moved once more meanwhile": (
        replace(REPLANNED, pull=pull(base_sha="f" * 40), base=NEW_BASE),
        {"lock a", "apply a=p2"},
    ),
    "closed and reopened meanwhile, so that the new plan is gone": (
        replace(REPLANNED, plans=(plan("a"),), others=(earlier(planned(plan("a"))),)),
        {"hold", "apply:failure", "held"},
    ),
    "approval withdrawn meanwhile": (replace(REPLANNED, reviews=()), refused("approved")),
    "permission withdrawn meanwhile": (
        replace(REPLANNED, permission=Permission.READ),
        refused("permission"),
    ),
    "locked meanwhile": (
        replace(REPLANNED, locks=(lock("a", OTHER_PULL),)),
        refused("lock"),
    ),
    "draft meanwhile": (
        replace(REPLANNED, pull=pull(draft=True, base_sha=NEW_BASE)),
        refused("draft"),
    ),
    "closed meanwhile": (
        replace(REPLANNED, pull=pull(open=False, base_sha=NEW_BASE)),
        refused("open"),
    ),
    "merged meanwhile": (
        replace(REPLANNED, pull=merged(base_sha=NEW_BASE), laid_out_at=HEAD),
        refused("head"),
    ),
    "rules unreadable meanwhile": (
        replace(REPLANNED, rules=WRONG),
        {"failure", "apply:failure", "failed"},
    ),
    "no longer any change": (
        replace(
            MOVED,
            plans=(replace(AGAIN, summary=plan("a", changes=0).summary, hash="none"), plan("a")),
            jobs=(planned(AGAIN, "-1 change", reviewed=1),),
        ),
        {"apply-report", "apply:success", "done"},
    ),
}

DONE = plan("a", applied=True)
ENDED = {
    "runs": (say(jobs=(applying(JobState.RUNNING),), locks=(lock("a"),)), set()),
    "closed while it runs": (
        say(pull=CLOSED, jobs=(applying(JobState.RUNNING),), locks=(lock("a"),)),
        set(),
    ),
    "one of two still runs": (
        say(
            plans=(plan("b", 2), DONE),
            jobs=(applying(JobState.APPLIED), applying(JobState.RUNNING, "b", 2)),
        ),
        set(),
    ),
    "applied": (
        say(plans=(DONE,), jobs=(applying(JobState.APPLIED),), locks=(lock("a"),)),
        {"apply-report", "apply:success", "done"},
    ),
    "applied, pushed meanwhile": (
        say(
            pull=PUSHED,
            laid_out_at=HEAD,
            plans=(DONE,),
            jobs=(applying(JobState.APPLIED),),
            locks=(lock("a"),),
        ),
        {"apply-report", "apply:success", "done"},
    ),
    "applied, closed meanwhile": (
        say(pull=CLOSED, plans=(DONE,), jobs=(applying(JobState.APPLIED),), locks=(lock("a"),)),
        {"apply-report", "apply:success", "done"},
    ),
    "applied, sent to a branch that is not served meanwhile": (
        say(served=False, plans=(DONE,), jobs=(applying(JobState.APPLIED),), locks=(lock("a"),)),
        {"apply-report", "apply:success", "done"},
    ),
    "applied, the asker thrown out meanwhile": (
        say(permission=Permission.NONE, plans=(DONE,), jobs=(applying(JobState.APPLIED),)),
        {"apply-report", "apply:success", "done"},
    ),
    "applied, rules unreadable meanwhile": (
        say(rules=WRONG, plans=(DONE,), jobs=(applying(JobState.APPLIED),)),
        {"apply-report", "apply:success", "done"},
    ),
    "failed": (
        say(jobs=(applying(JobState.FAILED),), locks=(lock("a"),)),
        {"apply-report", "apply:failure", "failed"},
    ),
    "one of two failed": (
        say(
            plans=(plan("b", 2), DONE),
            jobs=(applying(JobState.APPLIED), applying(JobState.FAILED, "b", 2)),
        ),
        {"apply-report", "apply:failure", "failed"},
    ),
    "interrupted": (
        say(jobs=(applying(JobState.INTERRUPTED),), locks=(lock("a"),)),
        {"apply-report", "apply:failure", "look a=p1"},
    ),
    "interrupted, being looked at": (
        say(jobs=(applying(JobState.INTERRUPTED), job(JobKind.LOOK, JobState.RUNNING))),
        set(),
    ),
    "interrupted and looked at": (
        say(jobs=(applying(JobState.INTERRUPTED), job(JobKind.LOOK, JobState.LOOKED))),
        {"apply-report", "left-behind", "apply:failure", "interrupted"},
    ),
    "interrupted, and nobody could look": (
        say(jobs=(applying(JobState.INTERRUPTED), job(JobKind.LOOK, JobState.FAILED))),
        {"apply-report", "left-behind", "apply:failure", "interrupted"},
    ),
    "one of two interrupted and looked at, the other not yet": (
        say(
            plans=(plan("b", 2), plan("a")),
            jobs=(
                applying(JobState.INTERRUPTED),
                applying(JobState.INTERRUPTED, "b", 2),
                job(JobKind.LOOK, JobState.LOOKED),
            ),
        ),
        {"apply-report", "apply:failure", "look b=p2"},
    ),
    "one applied, the other left for another comment": (
        say(
            rules=NEVER_ON_MERGE,
            ask=by_comment(AskKind.APPLY, select=only("a")),
            plans=(plan("b", 2), DONE),
            jobs=(applying(JobState.APPLIED),),
        ),
        {"apply-report", "apply:failure", "done"},
    ),
    "one applied, the other left for the merge": (
        say(
            ask=by_comment(AskKind.APPLY, select=only("a")),
            plans=(plan("b", 2), DONE),
            jobs=(applying(JobState.APPLIED),),
        ),
        {"apply-report", "apply:success", "done"},
    ),
    "one applied, an earlier one failed": (
        say(
            ask=by_comment(AskKind.APPLY, select=only("a")),
            plans=(plan("b", 2), DONE),
            jobs=(applying(JobState.APPLIED),),
            others=(
                earlier(
                    applying(JobState.FAILED, "b", 2, run="r-b"),
                    kind=AskKind.APPLY,
                    state=RunState.FAILED,
                ),
                earlier(planned(DONE), planned(plan("b", 2))),
            ),
        ),
        {"apply-report", "apply:failure", "done"},
    ),
}


STALE = applying(JobState.STALE)
REFUSED_STALE = replace(STALE, trouble=replace(WRONG, refused=True))
AGAIN_HERE = plan("a", 2, minute=26, run="r-now")
MADE_AGAIN = planned(AGAIN_HERE, reviewed=1)
B_DONE = applying(JobState.APPLIED, "b", 3)
B_PLAN = plan("b", 3)
B_WAITS = applying(JobState.BLOCKED, "b", 3)


def dependants(**odd: object) -> World:
    """`b` depends on `a`, and both were to be applied."""
    return say(placed=B_NEEDS_A, projects="a b", locks=(lock("a"), lock("b")), **odd)


def groups(**odd: object) -> World:
    """`b` is of a later group than `a`, and both were to be applied."""
    placed = (Placed(keys("a")[0], group=1), Placed(keys("b")[0], group=2))
    return say(placed=placed, projects="a b", locks=(lock("a"), lock("b")), **odd)


NOT_FRESH = {
    "an apply that found its plan stale": (say(jobs=(STALE,), locks=(lock("a"),)), {"plan a~p1"}),
    "the other still runs": (
        say(plans=(B_PLAN, plan("a")), jobs=(STALE, applying(JobState.RUNNING, "b", 3))),
        set(),
    ),
    "planned again, and equal": (
        say(plans=(AGAIN_HERE, plan("a")), jobs=(STALE, MADE_AGAIN), locks=(lock("a"),)),
        {"lock a", "apply a=p2"},
    ),
    "planned again, and equal but for what is live already": (
        say(
            plans=(replace(AGAIN_HERE, hash="less"), plan("a")),
            jobs=(STALE, MADE_AGAIN),
            locks=(lock("a"),),
        ),
        {"lock a", "apply a=p2"},
    ),
    "planned again and applied": (
        say(
            plans=(replace(AGAIN_HERE, applied_at=at(27)), plan("a")),
            jobs=(STALE, MADE_AGAIN, applying(JobState.APPLIED, number=2)),
            locks=(lock("a"),),
        ),
        {"apply-report", "apply:success", "done"},
    ),
    "stale once more: nobody plans a third time": (
        say(
            plans=(AGAIN_HERE, plan("a")),
            jobs=(STALE, MADE_AGAIN, applying(JobState.STALE, number=2)),
            locks=(lock("a"),),
        ),
        {"apply-report", "free a", "apply:failure", "failed"},
    ),
    "stale after it was planned again because the base had moved": (
        replace(REPLANNED, jobs=(planned(AGAIN, reviewed=1), applying(JobState.STALE, number=2))),
        {"apply-report", "apply:failure", "failed"},
    ),
    "planned again, and different": (
        say(
            plans=(replace(AGAIN_HERE, hash="other"), plan("a")),
            jobs=(STALE, replace(MADE_AGAIN, differences=("x.a: delete appeared",))),
            locks=(lock("a"),),
        ),
        {"hold", "free a", "apply:failure", "held"},
    ),
    "planned again, and failed": (
        say(jobs=(STALE, planning(JobState.FAILED)), locks=(lock("a"),)),
        {"hold", "free a", "apply:failure", "held"},
    ),
    "planned again, and nothing is left to do": (
        say(
            plans=(replace(AGAIN_HERE, summary=plan("a", changes=0).summary), plan("a")),
            jobs=(STALE, MADE_AGAIN),
        ),
        {"apply-report", "apply:success", "done"},
    ),
    "planned again, the approval withdrawn meanwhile": (
        say(
            plans=(AGAIN_HERE, plan("a")),
            jobs=(STALE, MADE_AGAIN),
            reviews=(),
            locks=(lock("a"),),
        ),
        {"hold", "free a", "apply:failure", "held"},
    ),
    "planned again, and its branch is not served any more": (
        say(
            plans=(AGAIN_HERE, plan("a")),
            jobs=(STALE, MADE_AGAIN),
            served=False,
            locks=(lock("a"),),
        ),
        {"hold", "free a", "apply:failure", "held"},
    ),
    "one of two: the other was applied": (
        say(
            plans=(
                replace(AGAIN_HERE, hash="other"),
                replace(B_PLAN, applied_at=at(27)),
                plan("a"),
            ),
            jobs=(STALE, B_DONE, replace(MADE_AGAIN, differences=("x.a: delete appeared",))),
            locks=(lock("a"), lock("b")),
        ),
        {"apply-report", "hold", "free a", "apply:failure", "held"},
    ),
    "its dependant waits until it is planned again": (
        dependants(plans=(B_PLAN, plan("a")), jobs=(STALE, B_WAITS)),
        {"plan a~p1"},
    ),
    "its dependant waits until it is applied": (
        dependants(plans=(AGAIN_HERE, B_PLAN, plan("a")), jobs=(STALE, B_WAITS, MADE_AGAIN)),
        {"lock a", "apply a=p2"},
    ),
    "its dependant goes on when it is applied": (
        dependants(
            plans=(replace(AGAIN_HERE, applied_at=at(27)), B_PLAN, plan("a")),
            jobs=(STALE, B_WAITS, MADE_AGAIN, applying(JobState.APPLIED, number=2)),
        ),
        {"release b"},
    ),
    "its dependant goes on when nothing was left to do": (
        dependants(
            plans=(replace(AGAIN_HERE, summary=plan("a", changes=0).summary), B_PLAN, plan("a")),
            jobs=(STALE, B_WAITS, MADE_AGAIN),
        ),
        {"release b"},
    ),
    "its dependant is skipped when the plan is another one": (
        dependants(
            plans=(replace(AGAIN_HERE, hash="other"), B_PLAN, plan("a")),
            jobs=(STALE, B_WAITS, replace(MADE_AGAIN, differences=("x.a: delete appeared",))),
        ),
        {"skip b"},
    ),
    "its dependant was skipped, and all is told": (
        dependants(
            plans=(replace(AGAIN_HERE, hash="other"), B_PLAN, plan("a")),
            jobs=(
                STALE,
                replace(B_WAITS, state=JobState.SKIPPED, trouble=WRONG),
                replace(MADE_AGAIN, differences=("x.a: delete appeared",)),
            ),
        ),
        {"apply-report", "hold", "free a,b", "apply:failure", "failed"},
    ),
    "a later group waits until it is judged": (
        groups(plans=(AGAIN_HERE, B_PLAN, plan("a")), jobs=(STALE, B_WAITS, MADE_AGAIN)),
        {"lock a", "apply a=p2"},
    ),
    "a later group goes on when it is held": (
        groups(
            plans=(AGAIN_HERE, B_PLAN, plan("a")), jobs=(STALE, B_WAITS, MADE_AGAIN), reviews=()
        ),
        {"release b"},
    ),
    "held before a later group went on: it is not applied after that": (
        groups(
            plans=(AGAIN_HERE, replace(B_PLAN, applied_at=at(27)), plan("a")),
            jobs=(STALE, B_DONE, MADE_AGAIN),
        ),
        {"apply-report", "hold", "free a", "apply:failure", "held"},
    ),
    "the later group was cancelled: nothing came before it": (
        groups(
            plans=(AGAIN_HERE, B_PLAN, plan("a")),
            jobs=(STALE, replace(B_WAITS, state=JobState.DROPPED), MADE_AGAIN),
        ),
        {"lock a", "apply a=p2"},
    ),
    "a field that planning again does not mend": (
        say(jobs=(REFUSED_STALE,), locks=(lock("a"),)),
        {"apply-report", "free a", "apply:failure", "failed"},
    ),
    "it may be said again: the plan was not started": (
        say(
            others=(
                earlier(REFUSED_STALE, kind=AskKind.APPLY, state=RunState.FAILED),
                earlier(planned(plan("a"))),
            )
        ),
        GO,
    ),
    "made by an older prbot: planned again": (
        say(plans=(replace(plan("a"), inputs=replace(plan("a").inputs, configuration="")),)),
        {"plan a~p1"},
    ),
    "too old: planned again": (say(plans=(replace(plan("a"), expired_at=at(20)),)), {"plan a~p1"}),
}


@pytest.mark.parametrize(("world", "expected"), NOT_FRESH.values(), ids=NOT_FRESH)
def test_not_fresh(world: World, expected: set[str]) -> None:
    """It plans again once where that may be enough, goes on if it is equal, and else holds."""
    assert words(world.outcome()) == expected


@pytest.mark.parametrize(("world", "expected"), ALLOWED.values(), ids=ALLOWED)
def test_allowed(world: World, expected: set[str]) -> None:
    """It takes the locks and applies the plan that was approved."""
    assert words(world.outcome()) == expected


@pytest.mark.parametrize(("world", "expected"), REFUSED.values(), ids=REFUSED)
def test_refused(world: World, expected: set[str]) -> None:
    """It applies nothing, and tells every reason at once."""
    assert words(world.outcome()) == expected


@pytest.mark.parametrize(("world", "expected"), MOVED_BASE.values(), ids=MOVED_BASE)
def test_base_moved(world: World, expected: set[str]) -> None:
    """It plans again where the base has moved, and applies only what is equal."""
    assert words(world.outcome()) == expected


@pytest.mark.parametrize(("world", "expected"), ENDED.values(), ids=ENDED)
def test_ended(world: World, expected: set[str]) -> None:
    """It reports what came of an apply whatever has changed around it, and keeps the lock."""
    assert words(world.outcome()) == expected


@pytest.mark.parametrize(("world", "expected"), REFUSED.values(), ids=REFUSED)
def test_reasons_help(world: World, expected: set[str]) -> None:
    """It says for each reason what is missing and who or what unblocks it."""
    for step in world.outcome():
        if isinstance(step, Say) and isinstance(step.message, Refusal):
            assert step.message.reasons
            assert all(r.message.strip() and r.unblock.strip() for r in step.message.reasons)


def test_an_equal_plan_of_another_commit_is_not_approved() -> None:
    """It asks for the approval of this head even when the plan is equal: as long as files
    outside the project's directory are not among a plan's inputs, that is the safer reading."""
    assert words(REFUSED["approved an older commit with an equal plan"][0].outcome()) == refused(
        "approved"
    )


def test_checks_stay_with_their_commit() -> None:
    """It marks the commit that was applied, not one that was pushed meanwhile."""
    steps = ENDED["applied, pushed meanwhile"][0].outcome()
    assert [step.sha for step in steps if isinstance(step, SetStatus)] == [HEAD]


def test_outsiders_get_no_reaction() -> None:
    """It does not even acknowledge a comment by somebody without access."""
    assert not any(isinstance(s, Acknowledge) for s in REFUSED["no access"][0].outcome())


def test_report_tells_applied_and_trouble() -> None:
    """It tells project by project what was applied and what went wrong."""
    steps = ENDED["one of two failed"][0].outcome()
    (report,) = [s.message for s in steps if isinstance(s, Say)]
    assert isinstance(report, ApplyReport)
    assert {(r.project.dir, r.applied, r.trouble) for r in report.results} == {
        ("a", True, None),
        ("b", False, WRONG),
    }
    assert (report.actor, report.on_merge) == (WRITER, False)


def test_interrupted_is_marked() -> None:
    """It marks an interrupted apply, so that the comment can say what is not known."""
    steps = ENDED["interrupted"][0].outcome()
    (report,) = [s.message for s in steps if isinstance(s, Say)]
    assert isinstance(report, ApplyReport)
    assert [r.interrupted for r in report.results] == [True]
