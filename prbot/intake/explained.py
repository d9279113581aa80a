"""An event, told as data: what `prbot explain event` prints of any forge's webhook.

The kind comes from the same reading that the service acts on. What else is known of the
pull request comes from wherever the payload says it, also of events that start nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, assert_never

from prbot.model import (
    Actor,
    CheckPressed,
    Commented,
    Event,
    Ignored,
    IssueCommented,
    IssueMoved,
    PipelineBegan,
    PullChanged,
    PullClosed,
    PullMerged,
    PullRef,
    Pushed,
    QueueMoved,
    Reviewed,
)


@dataclass(frozen=True)
class Explained:
    """None where the payload does not say it. `base` is a branch, `repo` its path."""

    kind: str = "ignored"
    repo: str | None = None
    number: int | None = None
    head_sha: str | None = None
    base: str | None = None
    actor: str | None = None
    draft: bool | None = None
    fork: bool | None = None
    reason: str | None = None


_ABOUT_DRIFT = re.compile(r"<!-- prbot:[^:\s]*:(drift|failure):[0-9a-f]{16} -->")
"""How an issue about drift begins or ends; who wrote it there only the server knows."""


def explained(event: Event, said: Explained, issue: str | None = None) -> Explained:
    """The event, completed by what else its payload says; `issue` is the text of the issue
    that a comment stands on."""
    own = _of_event(event)
    if isinstance(event, IssueCommented) and _is_about_drift(issue or ""):
        own = replace(own, kind="comment", number=event.number, actor=event.actor.login)
    known = {f.name: getattr(own, f.name) for f in fields(own)}
    return replace(said, **{name: value for name, value in known.items() if value is not None})


def _of_event(event: Event) -> Explained:
    reason = event.reason
    match event:
        case Ignored():
            return Explained(reason=reason)
        case Pushed():
            return _of_push(event)
        case QueueMoved():
            kind = "ignored" if event.left else "queue"
            return Explained(kind=kind, reason=reason)
        case PipelineBegan():  # whether it is a merge train's only the forge can tell
            return Explained(reason=reason)
        case IssueCommented() | IssueMoved():  # whose issue it is only the server knows
            return Explained(reason=reason)
        case Commented():
            return _on("comment", event.pull, event.actor, reason)
        case CheckPressed():
            kind = {"rerun": "rerun", "apply": "comment"}.get(event.button, "ignored")
            return _on(kind, event.pull, event.actor, reason)
        case Reviewed():
            return _on("approval", event.pull, event.actor, reason)
        case PullChanged():
            return replace(_of_pull("plan", event), draft=event.draft)
        case PullMerged():
            return _of_pull("merged", event)
        case PullClosed():
            return _of_pull("closed", event)
        case _:
            assert_never(event)


def _is_about_drift(issue: str) -> bool:
    lines = issue.strip().splitlines() or [""]
    return any(_ABOUT_DRIFT.fullmatch(line.strip()) for line in (lines[0], lines[-1]))


def _on(kind: str, pull: PullRef, actor: Actor, reason: str) -> Explained:
    return Explained(kind, pull.repo.path, pull.number, actor=actor.login, reason=reason)


def _of_pull(kind: str, event: PullChanged | PullMerged | PullClosed) -> Explained:
    found = _on(kind, event.pull, event.actor, event.reason)
    return replace(found, head_sha=event.head_sha, base=event.base_branch, fork=event.fork)


def _of_push(event: Pushed) -> Explained:
    """Only the default branch matters: nothing else is read from a push."""
    known = event.branch == event.default_branch
    return Explained(
        kind="push" if known else "ignored",
        repo=event.repo.path,
        head_sha=event.head_sha,
        base=event.branch,
        actor=event.actor.login,
        reason=event.reason if known else "push to another branch than the default",
    )


# --- reading what a payload may say ------------------------------------------------------


def at(payload: object, *path: str) -> Any:
    """What stands at a path of keys; None where there is nothing."""
    for key in path:
        payload = payload.get(key) if isinstance(payload, Mapping) else None
    return payload


def text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
