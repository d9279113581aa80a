"""What is news to the runs of a pull request: one row per history."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from scenes import (
    AUTHOR,
    HEAD,
    MERGED,
    MERGER,
    NEW_HEAD,
    NOON,
    OLD_HEAD,
    PULL,
    WRONG,
    at,
    by_comment,
    laid_out,
    merged,
    pull,
)

from prbot.model import Actor, Checkout, PullChanged, PullClosed, PullMerged, RunId, Sha
from prbot.runs.reconcile import NOBODY, event_of, is_late, why_known
from prbot.runs.run import Ask, AskKind, Run, RunState

PLAN = Ask(AskKind.PLAN, AUTHOR, "opened", head_sha=HEAD, base_branch="main")
MERGE = Ask(AskKind.MERGE, MERGER, "merged", head_sha=HEAD)
CLOSE = Ask(AskKind.CLOSE, AUTHOR, "closed", head_sha=HEAD)
COMMENTED = by_comment(AskKind.APPLY)
PLAN_COMMENT = replace(by_comment(AskKind.PLAN), comment_id=41)
AN_UNLOCK = replace(by_comment(AskKind.UNLOCK), comment_id=43)
DRAFT = replace(PLAN, draft=True)
TRY = Ask(AskKind.QUEUED, AUTHOR, "queued", head_sha=HEAD, base_branch="main")
LEFT = replace(TRY, kind=AskKind.UNQUEUED)
HERE = Checkout("/tree", laid_out(HEAD, MERGED), MERGED, HEAD, ())


def run(ask: Ask, state: RunState = RunState.DONE, began: bool = False, **odd: object) -> Run:
    made = Run(RunId("r-1"), PULL, ask, NOON, state, checkout=HERE if began else None)
    return replace(made, **odd)  # type: ignore[arg-type] # rows name fields freely


def planned(head: Sha = HEAD, **odd: object) -> Run:
    return run(replace(PLAN, head_sha=head, **odd), began=True)  # type: ignore[arg-type] # as in run()


GIVEN_UP = run(PLAN, RunState.IGNORED, trouble=WRONG)
STALE = run(PLAN, RunState.SUPERSEDED)

NEWS: dict[str, tuple[Ask, tuple[Run, ...], bool]] = {
    # histories stand newest first; True: it is started
    "first plan": (PLAN, (), True),
    "planned": (PLAN, (planned(),), False),
    "being planned": (PLAN, (run(PLAN, RunState.WORKING),), False),
    "plan waits to begin": (PLAN, (run(PLAN, RunState.QUEUED),), False),
    "plan failed": (PLAN, (run(PLAN, RunState.FAILED),), False),
    "refused as a fork": (PLAN, (run(PLAN, RunState.REFUSED),), False),
    "new head": (replace(PLAN, head_sha=NEW_HEAD), (planned(),), True),
    "pushed back to an older head": (PLAN, (planned(NEW_HEAD), planned()), True),
    "an old webhook came after the new one": (
        replace(PLAN, head_sha=NEW_HEAD),
        (STALE, planned(NEW_HEAD)),
        False,
    ),
    "forge did not know the head yet": (PLAN, (STALE,), True),
    "given up when the forge refused": (PLAN, (GIVEN_UP,), True),
    "left alone as a draft": (DRAFT, (run(DRAFT, RunState.IGNORED),), False),
    "draft became ready": (PLAN, (run(DRAFT, RunState.IGNORED),), True),
    "draft was planned by comment, became ready": (
        PLAN,
        (run(PLAN_COMMENT, began=True), run(DRAFT, RunState.IGNORED)),
        True,
    ),
    "became a draft": (DRAFT, (planned(),), False),
    "another base branch": (replace(PLAN, base_branch="next"), (planned(),), True),
    "planned by a version that noted no base": (PLAN, (planned(base_branch=""),), False),
    "planned by comment only": (PLAN, (run(PLAN_COMMENT, began=True),), True),
    "reopened": (PLAN, (run(CLOSE), planned()), True),
    "reopened and planned": (PLAN, (planned(), run(CLOSE), planned()), False),
    "close was overtaken by a reopening": (
        PLAN,
        (run(CLOSE, RunState.SUPERSEDED), planned()),
        False,
    ),
    "unlocked meanwhile": (PLAN, (run(AN_UNLOCK), planned()), False),
    "first merge": (MERGE, (planned(),), True),
    "merged without any run": (MERGE, (), True),
    "merge handled": (MERGE, (run(MERGE), planned()), False),
    "merge held": (MERGE, (run(AN_UNLOCK), run(MERGE, RunState.HELD)), False),
    "merge is being handled": (MERGE, (run(MERGE, RunState.WORKING),), False),
    "forge did not know of the merge yet": (MERGE, (run(MERGE, RunState.SUPERSEDED),), True),
    "applied by comment before": (MERGE, (run(COMMENTED), planned()), True),
    "new comment": (COMMENTED, (planned(),), True),
    "comment answered": (COMMENTED, (run(COMMENTED), planned()), False),
    "comment answered long ago": (COMMENTED, (planned(), run(COMMENTED)), False),
    "comment ignored": (COMMENTED, (run(COMMENTED, RunState.IGNORED),), False),
    "another comment": (COMMENTED, (run(replace(COMMENTED, comment_id=1)),), True),
    "close of a planned one": (CLOSE, (planned(),), True),
    "close of one that is being planned": (CLOSE, (run(PLAN, RunState.QUEUED),), True),
    "close of one planned by comment": (CLOSE, (run(PLAN_COMMENT, began=True),), True),
    "close of one whose plan was overtaken": (CLOSE, (replace(STALE, checkout=HERE),), True),
    "close of one nobody knows": (CLOSE, (), False),
    "close of one that never began": (CLOSE, (STALE,), False),
    "closed already": (CLOSE, (run(CLOSE), planned()), False),
    "closed already, then unlocked": (CLOSE, (run(AN_UNLOCK), run(CLOSE), planned()), False),
    "a queue's commit": (TRY, (), True),
    "a queue's commit that is planned": (TRY, (run(TRY, RunState.WORKING),), False),
    "a queue's commit that was planned": (TRY, (run(TRY),), False),
    "a queue's commit that it let go": (TRY, (run(LEFT), run(TRY)), False),
    "another of the queue's commits": (replace(TRY, head_sha=NEW_HEAD), (run(TRY),), True),
    "the queue lets go": (LEFT, (run(TRY, RunState.WORKING),), True),
    "the queue lets go of what was planned": (LEFT, (run(TRY),), True),
    "the queue let go already": (LEFT, (run(LEFT), run(TRY)), False),
    "the queue lets go of what nobody planned": (LEFT, (), False),
    "the queue lets go of another commit": (LEFT, (run(replace(TRY, head_sha=NEW_HEAD)),), False),
    "closed again": (CLOSE, (planned(), run(CLOSE), planned()), True),
}


@pytest.mark.parametrize(("ask", "runs", "news"), NEWS.values(), ids=NEWS)
def test_news(ask: Ask, runs: tuple[Run, ...], news: bool) -> None:
    """It says why nothing is started, exactly when a run has done it already."""
    assert (why_known(ask, runs) == "") is news


@pytest.mark.parametrize(
    "ask",
    [PLAN, DRAFT, MERGE, CLOSE, COMMENTED, PLAN_COMMENT, AN_UNLOCK, TRY, LEFT],
    ids=lambda ask: ask.kind,
)
def test_twice_is_no_news(ask: Ask) -> None:
    """It starts nothing for the same thing again, whatever had happened before."""
    for _, runs, _ in NEWS.values():
        assert why_known(ask, (run(ask, RunState.QUEUED), *runs))


def test_events_of_pull_requests() -> None:
    """It tells an open, a closed and a merged one apart, as their webhooks do."""
    author, merger = Actor(AUTHOR), Actor(MERGER)
    facts = (PULL, HEAD, "main", "main")
    assert event_of(pull(draft=True)) == PullChanged(*facts, author, True, False, "found open")
    assert event_of(pull(open=False)) == PullClosed(*facts, author, False, "found closed")
    assert event_of(merged(closed_at=NOON)) == PullMerged(
        *facts, merger, MERGED, False, NOON, "found merged"
    )
    unknown = event_of(merged(merged_by=None, head_repo=None))
    assert (unknown.actor, unknown.fork) == (Actor(NOBODY), True)


SEEN = at(0)
AGE = timedelta(hours=2)


@pytest.mark.parametrize(
    ("merged_at", "now", "runs", "late"),
    [
        (at(1), at(2), (), False),
        (at(1), at(121), (), False),
        (at(1), at(121.1), (), True),
        (at(1), at(121.1), (planned(),), True),
        (at(-1), at(2), (), True),
        (at(-1), at(2), (planned(),), False),  # the forge's clock is behind ours
        (at(-1), at(2), (STALE,), True),
        (at(-1), at(2), (run(PLAN_COMMENT, began=True),), True),
        (at(-1), at(2), (planned(OLD_HEAD),), False),
        (None, at(2), (), False),
    ],
)
def test_history(merged_at: object, now: object, runs: tuple[Run, ...], late: bool) -> None:
    """It takes for history what was merged too long ago, or before we came."""
    assert is_late(merged_at, SEEN, now, AGE, runs) is late  # type: ignore[arg-type] # rows
