"""What a `plan` comes to, by event and by comment: one row per situation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    COMMENTS_ONLY,
    DONE_MERGED,
    DRAFT,
    FORK,
    HEAD,
    MERGED,
    NEVER_ON_MERGE,
    OLD_HEAD,
    PLAN_DRAFTS,
    PUSHED,
    RULES,
    WRONG,
    World,
    after_merge,
    by_comment,
    by_event,
    earlier,
    merged,
    only,
    plan,
    planned,
    planning,
    pull,
    words,
)

from prbot.model import Permission
from prbot.runs.run import AskKind, JobState, RunState
from prbot.runs.say import Failure, PlanReport
from prbot.runs.steps import Acknowledge, Check, Finish, LayOut, Say, SetStatus, Verdict

PUSH = by_event()
STALE_PUSH = by_event(head=OLD_HEAD)
ASKED = by_comment(AskKind.PLAN)
GOOD = {"plan:success", "apply:success"}
BAD = {"plan:failure", "apply:failure"}
IDLE = plan("a", changes=0)
B = plan("b", 2)


def fresh(**odd: object) -> World:
    """A pull request that was never planned."""
    return World(**{"ask": PUSH, "plans": (), "reviews": (), **odd})  # type: ignore[arg-type] # rows


EVENTS = {
    "fresh": (fresh(), {"plan a"}),
    "fresh, two projects": (fresh(projects="a b"), {"plan a", "plan b"}),
    "more projects than a run may have": (
        fresh(projects="a b c", rules=replace(RULES, projects_per_run=2)),
        {"too-many", *BAD, "refused"},
    ),
    "as many projects as a run may have": (
        fresh(projects="a b", rules=replace(RULES, projects_per_run=2)),
        {"plan a", "plan b"},
    ),
    "more projects, asked for": (
        fresh(
            ask=by_comment(AskKind.PLAN, everything=True),
            projects="a b c",
            rules=replace(RULES, projects_per_run=2),
        ),
        {"plan a", "plan b", "plan c"},
    ),
    "a workspace": (fresh(projects="a:blue"), {"plan a (blue)"}),
    "planned at an older head": (
        fresh(plans=(plan("a", head=OLD_HEAD),)),
        {"plan a"},
    ),
    "planned at this head already": (fresh(plans=(plan("a"),)), {"plan a"}),
    "no projects": (fresh(projects=""), {*GOOD, "done"}),
    "a newer head before it began": (
        fresh(ask=STALE_PUSH),
        {*BAD, "superseded"},
    ),
    "a newer head while jobs run": (
        fresh(pull=PUSHED, laid_out_at=HEAD, jobs=(planning(JobState.RUNNING),)),
        {"stop plan a", *BAD, "superseded"},
    ),
    "a newer head after all was planned": (
        fresh(pull=PUSHED, laid_out_at=HEAD, plans=(plan("a"),), jobs=(planned(plan("a")),)),
        {*BAD, "superseded"},
    ),
    "closed meanwhile": (fresh(pull=pull(open=False)), {*BAD, "superseded"}),
    "closed while jobs run": (
        fresh(pull=pull(open=False), jobs=(planning(JobState.RUNNING),)),
        {"stop plan a", *BAD, "superseded"},
    ),
    "merged meanwhile": (fresh(pull=merged()), {"superseded"}),
    "fork with projects": (fresh(pull=FORK), {"refuse: fork", *BAD, "refused"}),
    "fork without projects": (fresh(pull=FORK, projects=""), {*GOOD, "done"}),
    "fork whose repository was deleted": (
        fresh(pull=pull(head_repo=None)),
        {"refuse: fork", *BAD, "refused"},
    ),
    "draft": (fresh(pull=DRAFT), {*BAD, "ignored"}),
    "draft without projects": (fresh(pull=DRAFT, projects=""), {*GOOD, "done"}),
    "draft where drafts are planned": (fresh(pull=DRAFT, rules=PLAN_DRAFTS), {"plan a"}),
    "draft from a fork where drafts are planned": (
        fresh(pull=pull(draft=True, head_repo="stranger/infra"), rules=PLAN_DRAFTS),
        {"refuse: fork", *BAD, "refused"},
    ),
    "conflict unknown to the forge": (fresh(pull=pull(mergeable=None)), {"plan a"}),
    "rules unreadable": (fresh(rules=WRONG), {"failure", *BAD, "failed"}),
    "rules unreadable, no projects": (
        fresh(rules=WRONG, projects=""),
        {"failure", *BAD, "failed"},
    ),
    "laying out failed": (fresh(broken=WRONG), {"failure", *BAD, "failed"}),
    "all jobs wait": (fresh(jobs=(planning(JobState.QUEUED),)), set()),
    "one of two jobs runs": (
        fresh(projects="a b", jobs=(planning(JobState.RUNNING), planned(B)), plans=(B,)),
        set(),
    ),
    "one of two failed, the other runs": (
        fresh(
            projects="a b",
            jobs=(planning(JobState.FAILED), planning(JobState.RUNNING, "b")),
        ),
        set(),
    ),
    "planned with changes": (
        fresh(plans=(plan("a"),), jobs=(planned(plan("a")),)),
        {"report", *GOOD, "done"},
    ),
    "planned without changes": (
        fresh(plans=(IDLE,), jobs=(planned(IDLE),)),
        {"report", *GOOD, "done"},
    ),
    "planned with changes, applied only by comment": (
        fresh(rules=NEVER_ON_MERGE, plans=(plan("a"),), jobs=(planned(plan("a")),)),
        {"report", "plan:success", "apply:failure", "done"},
    ),
    "planned without changes, applied only by comment": (
        fresh(rules=NEVER_ON_MERGE, plans=(IDLE,), jobs=(planned(IDLE),)),
        {"report", *GOOD, "done"},
    ),
    "planned with changes on a server that never applies": (
        fresh(rules=COMMENTS_ONLY, plans=(plan("a"),), jobs=(planned(plan("a")),)),
        {"report", *GOOD, "done"},
    ),
    "planned, but the state would be lost": (
        fresh(plans=(plan("a", lost=True),), jobs=(planned(plan("a", lost=True)),)),
        {"report", "plan:success", "apply:failure", "done"},
    ),
    "planned, but not applicable": (
        fresh(plans=(plan("a", applyable=False),), jobs=(planned(plan("a", applyable=False)),)),
        {"report", "plan:success", "apply:failure", "done"},
    ),
    "one planned, one failed": (
        fresh(projects="a b", plans=(B,), jobs=(planning(JobState.FAILED), planned(B))),
        {"report", *BAD, "failed"},
    ),
    "all failed": (fresh(jobs=(planning(JobState.FAILED),)), {"report", *BAD, "failed"}),
    "rules became unreadable while planning": (
        fresh(rules=WRONG, plans=(plan("a"),), jobs=(planned(plan("a")),)),
        {"failure", *BAD, "failed"},
    ),
    "became a draft while planning": (
        fresh(pull=DRAFT, plans=(plan("a"),), jobs=(planned(plan("a")),)),
        {"report", "plan:success", "apply:failure", "done"},
    ),
    "merged while jobs run": (
        fresh(pull=merged(), laid_out_at=HEAD, jobs=(planning(JobState.RUNNING),)),
        {"stop plan a", "plan:failure", "superseded"},
    ),
    "branch not served": (fresh(served=False), {"ignored"}),
}

COMMENTS = {
    "affected projects": (fresh(ask=ASKED), {"plan a"}),
    "no projects": (fresh(ask=ASKED, projects=""), {"no-projects", *GOOD, "done"}),
    "no access": (fresh(ask=ASKED, permission=Permission.NONE), {"ignored"}),
    "read access": (
        fresh(ask=ASKED, permission=Permission.READ),
        {"refuse: permission", "refused"},
    ),
    "an administrator": (fresh(ask=ASKED, permission=Permission.ADMIN), {"plan a"}),
    "closed": (fresh(ask=ASKED, pull=pull(open=False)), {"refuse: open", "refused"}),
    "draft": (fresh(ask=ASKED, pull=DRAFT), {"plan a"}),
    "fork": (fresh(ask=ASKED, pull=FORK), {"refuse: fork", *BAD, "refused"}),
    "fork, reader, closed": (
        fresh(
            ask=ASKED,
            permission=Permission.READ,
            pull=pull(head_repo="stranger/infra", open=False),
        ),
        {"refuse: fork open permission", "refused"},
    ),
    "merged": (fresh(ask=ASKED, pull=DONE_MERGED), {"plan a"}),
    "merged, from a fork": (
        fresh(ask=ASKED, pull=merged(head_repo="stranger/infra")),
        {"plan a"},
    ),
    "merged, planned": (
        fresh(
            ask=ASKED,
            pull=DONE_MERGED,
            plans=(after_merge("a", 2),),
            jobs=(planned(after_merge("a", 2)),),
        ),
        {"report", "plan:success", "apply:failure", "done"},
    ),
    "branch not served": (fresh(ask=ASKED, served=False), {"ignored"}),
    "rules unreadable": (fresh(ask=ASKED, rules=WRONG), {"failure", *BAD, "failed"}),
    "laying out failed": (fresh(ask=ASKED, broken=WRONG), {"failure", *BAD, "failed"}),
    "pushed meanwhile": (
        fresh(ask=ASKED, pull=PUSHED, laid_out_at=HEAD, jobs=(planning(JobState.RUNNING),)),
        {"stop plan a", *BAD, "superseded"},
    ),
    "planned": (
        fresh(ask=ASKED, plans=(plan("a"),), jobs=(planned(plan("a")),)),
        {"report", *GOOD, "done"},
    ),
    "closed while jobs run": (
        fresh(ask=ASKED, pull=pull(open=False), jobs=(planning(JobState.RUNNING),)),
        {"stop plan a", *BAD, "superseded"},
    ),
    "merged while jobs run": (
        fresh(ask=ASKED, pull=merged(), laid_out_at=HEAD, jobs=(planning(JobState.RUNNING),)),
        {"stop plan a", "plan:failure", "superseded"},
    ),
    "a alone planned, while b is still being planned": (
        fresh(
            ask=by_comment(AskKind.PLAN, select=only("a")),
            plans=(plan("a", 3),),
            jobs=(planned(plan("a", 3)),),
            others=(earlier(planning(JobState.RUNNING, "b"), state=RunState.WORKING),),
        ),
        {"report", *BAD, "done"},
    ),
    "a alone planned, b had been planned at this head": (
        fresh(
            ask=by_comment(AskKind.PLAN, select=only("a")),
            plans=(plan("a", 3), B),
            jobs=(planned(plan("a", 3)),),
            others=(earlier(planned(B)),),
        ),
        {"report", *GOOD, "done"},
    ),
    "a alone planned, b had failed at an older head": (
        fresh(
            ask=by_comment(AskKind.PLAN, select=only("a")),
            plans=(plan("a", 3),),
            jobs=(planned(plan("a", 3)),),
            others=(earlier(planning(JobState.FAILED, "b"), head=OLD_HEAD),),
        ),
        {"report", *GOOD, "done"},
    ),
    "a alone planned, while b had failed at this head": (
        fresh(
            ask=by_comment(AskKind.PLAN, select=only("a")),
            plans=(plan("a", 3),),
            jobs=(planned(plan("a", 3)),),
            others=(earlier(planning(JobState.FAILED, "b")),),
        ),
        {"report", *BAD, "done"},
    ),
}


@pytest.mark.parametrize(("world", "expected"), EVENTS.values(), ids=EVENTS)
def test_by_event(world: World, expected: set[str]) -> None:
    """It plans what an event touches, and ends every commit's checks."""
    assert words(world.outcome()) == expected


@pytest.mark.parametrize(("world", "expected"), COMMENTS.values(), ids=COMMENTS)
def test_by_comment(world: World, expected: set[str]) -> None:
    """It plans for who may ask, and answers who may not."""
    assert words(world.outcome()) == expected


def test_lay_out_comes_first() -> None:
    """It shows that the plan is on its way and lays the commit out before any job."""
    steps = fresh().outcome()
    at = steps.index(LayOut())
    assert [type(step) for step in steps[:at]] == [SetStatus]
    assert steps[0] == SetStatus(HEAD, Check.PLAN, Verdict.PENDING, "planning")


def test_superseded_ends_its_own_commit() -> None:
    """It ends the checks of the commit it was asked for, not those of the newer head."""
    for row in ("a newer head before it began", "a newer head while jobs run"):
        world, _ = EVENTS[row]
        shas = {step.sha for step in world.outcome() if isinstance(step, SetStatus)}
        assert shas == {world.ask.head_sha}


def test_merged_pull_request_reports_at_the_reviewed_head() -> None:
    """It sets checks on a merged pull request's head, where people look, and reports once."""
    steps = COMMENTS["merged, planned"][0].outcome()
    assert {step.sha for step in steps if isinstance(step, SetStatus)} == {HEAD}
    reports = [s.message for s in steps if isinstance(s, Say)]
    assert [report.head for report in reports if isinstance(report, PlanReport)] == [MERGED]


def test_only_a_comment_is_acknowledged() -> None:
    """It shows the commenter, once and first, that the comment was read."""
    assert fresh(ask=ASKED).outcome()[0] == Acknowledge(42)
    assert not any(isinstance(step, Acknowledge) for step in fresh().outcome())
    later = COMMENTS["planned"][0].outcome()
    assert not any(isinstance(step, Acknowledge) for step in later)


def test_report_names_every_project_with_what_became_of_it() -> None:
    """It reports plans and troubles side by side, and who asked."""
    steps = EVENTS["one planned, one failed"][0].outcome()
    (report,) = [s.message for s in steps if isinstance(s, Say)]
    assert isinstance(report, PlanReport)
    told = {(r.project.dir, r.plan and r.plan.id, r.trouble) for r in report.results}
    assert told == {("a", None, WRONG), ("b", B.id, None)}
    assert (report.asked, report.head) == (None, HEAD)


def test_failure_tells_the_trouble() -> None:
    """It tells the sentence and the next step, in the comment and in the run."""
    steps = EVENTS["laying out failed"][0].outcome()
    (said,) = [s.message for s in steps if isinstance(s, Say)]
    assert isinstance(said, Failure)
    assert said.trouble == WRONG
    assert [s.trouble for s in steps if isinstance(s, Finish)] == [WRONG]
