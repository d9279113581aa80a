"""A merge queue's commit: planned, both checks ended, nothing applied, nobody written to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    COMMENTS_ONLY,
    MERGED,
    NEVER_ON_MERGE,
    REPO,
    RULES,
    WRONG,
    World,
    after_merge,
    by_event,
    earlier,
    merged,
    planned,
    planning,
    words,
)

from prbot.model import Actor, Ignored, Login, QueueMoved, RepoRef, Sha
from prbot.runs.asks import Asked, Listening, ask_of
from prbot.runs.queued import entry_of, place_of
from prbot.runs.run import AskKind, JobState, RunState
from prbot.runs.steps import Say, SetStatus, StartJob, TakeLocks

FRESH = after_merge("a", 3, run="r-now")
EMPTY = after_merge("a", 3, run="r-now", changes=0)
GOOD = {"plan:success", "apply:success", "drop-plans", "drop-workspaces", "done"}
BAD = {"plan:failure", "apply:failure", "drop-plans", "drop-workspaces", "failed"}


def queued(**odd: object) -> World:
    ask = replace(by_event(AskKind.QUEUED), head_sha=MERGED, base_branch="main")
    usual = {"ask": ask, "pull": merged(head_sha=MERGED), "plans": (), "others": ()}
    return World(**{**usual, **odd})  # type: ignore[arg-type] # rows name fields freely


ROWS = {
    "new": (queued(), {"plan a"}),
    "two projects": (queued(projects="a b"), {"plan a", "plan b"}),
    "no projects": (queued(projects=""), GOOD),
    "planning": (queued(jobs=(planning(JobState.RUNNING),)), set()),
    "planned": (queued(plans=(FRESH,), jobs=(planned(FRESH),)), GOOD),
    "planned, nothing changes": (queued(plans=(EMPTY,), jobs=(planned(EMPTY),)), GOOD),
    "planned, no apply on merge": (
        queued(plans=(FRESH,), jobs=(planned(FRESH),), rules=NEVER_ON_MERGE),
        GOOD,
    ),
    "planned, a server that comments": (
        queued(plans=(FRESH,), jobs=(planned(FRESH),), rules=COMMENTS_ONLY),
        GOOD,
    ),
    "a plan failed": (queued(jobs=(planning(JobState.FAILED),)), BAD),
    "one of two failed": (
        queued(
            projects="a b",
            plans=(FRESH,),
            jobs=(planned(FRESH), planning(JobState.FAILED, "b")),
        ),
        BAD,
    ),
    "rules unreadable": (queued(rules=WRONG), BAD),
    "laying out failed": (queued(broken=WRONG), BAD),
    "however many": (
        queued(projects="a b", rules=replace(RULES, projects_per_run=1)),
        {"plan a", "plan b"},
    ),
    "branch not served": (queued(served=False), {"ignored"}),
}


@pytest.mark.parametrize(("world", "expected"), ROWS.values(), ids=ROWS.keys())
def test_queued(world: World, expected: set[str]) -> None:
    """It plans, ends both checks, and neither applies nor locks nor writes anything."""
    steps = world.outcome()
    assert words(steps) == expected
    assert not any(isinstance(step, Say | TakeLocks) for step in steps)
    assert all(step.kind == "plan" for step in steps if isinstance(step, StartJob))
    assert {step.sha for step in steps if isinstance(step, SetStatus)} <= {MERGED}


def test_given_up() -> None:
    """It stops what plans a commit that the queue let go of."""
    ask = replace(by_event(AskKind.UNQUEUED), head_sha=MERGED)
    going = earlier(planning(JobState.RUNNING), kind=AskKind.QUEUED, state=RunState.WORKING)
    world = queued(ask=ask, others=(going,))
    assert words(world.outcome()) == {"stop plan a", "drop-plans", "drop-workspaces", "done"}


def test_entry() -> None:
    """It takes the commit for a merged one, in a place that no pull request has."""
    run = queued().run()
    entry = entry_of(replace(run, pull=place_of(REPO, MERGED)))
    assert (entry.merge_sha, entry.head_sha, entry.merged) == (MERGED, MERGED, True)
    assert entry.ref.number < 0
    assert entry.ref != place_of(REPO, Sha("e" * 40))
    assert place_of(REPO, Sha("0" * 40)).number < 0


@pytest.mark.parametrize(
    ("repo", "branch", "left", "expected"),
    [
        ("acme/infra", "main", False, AskKind.QUEUED),
        ("acme/infra", "main", True, AskKind.UNQUEUED),
        ("acme/infra", "other", False, None),
        ("else/where", "main", False, None),
    ],
)
def test_who_is_served(repo: str, branch: str, left: bool, expected: AskKind | None) -> None:
    """It serves the queues of served branches."""
    ref = RepoRef(REPO.forge, repo)
    event = QueueMoved(ref, MERGED, branch, "main", Actor(Login("q")), left, "merge group")
    listening = Listening(lambda r: r == REPO, lambda b, d: b == d, Login("prbot"))
    asked = ask_of(event, listening)
    if expected is None:
        assert isinstance(asked, Ignored)
    else:
        assert isinstance(asked, Asked)
        assert (asked.ask.kind, asked.ask.head_sha) == (expected, MERGED)
        assert asked.pull == place_of(REPO, MERGED)
