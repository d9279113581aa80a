"""What a lost webhook would have started: the forge's state told as events, and which of
them the runs of the pull request answer already.

One rule serves both sides. The reconciler tells everything it sees, webhooks tell what
they please, twice and in any order: whatever is asked is started only if `why_known`
finds no run that did it, so that the end is the same. Not promised: that what is
started still makes sense; each run asks the forge itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from prbot.model import (
    Actor,
    Login,
    PullChanged,
    PullClosed,
    PullMerged,
    PullRequest,
)
from prbot.runs.run import Ask, AskKind, Run, RunState

NOBODY = Login("ghost")
"""Who merged, when the forge does not tell: nobody whose permission would count."""


def event_of(pull: PullRequest) -> PullChanged | PullMerged | PullClosed:
    """The event that would have led to the pull request as it is now."""
    head, base, default = pull.head_sha, pull.base_branch, pull.default_branch
    author = Actor(pull.author)
    if pull.open:
        return PullChanged(
            pull.ref, head, base, default, author, pull.draft, pull.fork, reason="found open"
        )
    if not pull.merged:
        return PullClosed(pull.ref, head, base, default, author, pull.fork, "found closed")
    return PullMerged(
        pull=pull.ref,
        head_sha=head,
        base_branch=base,
        default_branch=default,
        actor=Actor(pull.merged_by or NOBODY),
        merge_sha=pull.merge_sha,
        fork=pull.fork,
        merged_at=pull.closed_at,
        reason="found merged",
    )


def why_known(ask: Ask, runs: tuple[Run, ...]) -> str:
    """Why nothing is to be started for `ask`; empty when it is news.

    `runs` are all runs of the pull request, newest first.
    """
    if ask.check_id is not None:
        return "it is being done already" if _is_under_way(ask, runs) else ""
    if ask.by_comment:
        same = any(run.ask.comment_id == ask.comment_id for run in runs)
        return "the comment is answered already" if same else ""
    match ask.kind:
        case AskKind.PLAN:
            return "this head is planned already" if _is_planned(ask, runs) else ""
        case AskKind.MERGE:
            merged = any(run.ask.kind is AskKind.MERGE and _counts(run) for run in runs)
            return "the merge is known already" if merged else ""
        case AskKind.QUEUED:
            return "this commit is planned already" if _tried(ask, runs) else ""
        case AskKind.UNQUEUED:
            return "" if _tried(ask, runs) is AskKind.QUEUED else "there is nothing of it to drop"
        case AskKind.CLOSE:
            return "" if _leaves_something(runs) else "there is nothing of it to drop"
        case _:
            return ""


def _tried(ask: Ask, runs: tuple[Run, ...]) -> AskKind | None:
    """What a merge queue asked last of this commit."""
    kinds = (AskKind.QUEUED, AskKind.UNQUEUED)
    mine = (run for run in runs if run.ask.kind in kinds and run.ask.head_sha == ask.head_sha)
    return next((run.ask.kind for run in mine if _counts(run)), None)


def _is_under_way(ask: Ask, runs: tuple[Run, ...]) -> bool:
    """A button pressed twice asks once; pressed again when that is done, it asks again."""
    return any(
        (run.ask.check_id, run.ask.kind) == (ask.check_id, ask.kind) and not run.state.finished
        for run in runs
    )


def _is_planned(ask: Ask, runs: tuple[Run, ...]) -> bool:
    """The newest plan that an event brought, since the last close, is of what `ask` saw."""
    for run in runs:
        if run.ask.kind is AskKind.CLOSE and _counts(run):
            return False
        if _of_event(run) and _counts(run):
            return _saw_the_same(run.ask, ask)
    return False


def _saw_the_same(before: Ask, now: Ask) -> bool:
    """A draft that became ready, or another base branch, is something new."""
    base = before.base_branch in ("", now.base_branch)  # older versions did not note it
    ready = before.draft and not now.draft
    return before.head_sha == now.head_sha and base and not ready


def _leaves_something(runs: tuple[Run, ...]) -> bool:
    """Something was begun since the last close."""
    for run in runs:
        if run.ask.kind is AskKind.CLOSE and _counts(run):
            return False
        if run.checkout is not None or (_of_event(run) and _counts(run)):
            return True
    return False


def _of_event(run: Run) -> bool:
    return run.ask.kind is AskKind.PLAN and not run.ask.by_comment


def _counts(run: Run) -> bool:
    """It was not dropped because the forge told otherwise, or told nothing, at that time."""
    given_up = run.state is RunState.IGNORED and run.trouble is not None
    return run.state is not RunState.SUPERSEDED and not given_up


def is_late(
    merged_at: datetime | None,
    seen_at: datetime,
    now: datetime,
    max_age: timedelta,
    runs: tuple[Run, ...],
) -> bool:
    """Whether a merge is history, which is never applied by itself.

    It is when it is older than `max_age`, or older than `seen_at`, when this database
    first met the repository. The clocks of forge and prbot may differ, so that a pull
    request that was planned while it was open is not held for the second reason.
    """
    if merged_at is None:
        return False
    if now - merged_at > max_age:
        return True
    planned = any(_of_event(run) and _counts(run) for run in runs)
    return merged_at < seen_at and not planned
