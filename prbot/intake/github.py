"""GitHub's webhooks become events: who signed a delivery, and what it says.

Works on headers and bytes alone, so that the web server, the reader of stored
deliveries and `prbot explain` share it. Only the fields named here are read and
trusted; whatever else GitHub sends, now or later, is passed over. Not promised: that the
event is still true. Webhooks come late, twice and out of order; whoever acts on one asks
the forge again.

Wire facts: https://docs.github.com/en/webhooks/webhook-events-and-payloads and
https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel

from prbot.errors.webhooks import BadSignature
from prbot.intake.github_checks import pressed
from prbot.intake.github_reading import (
    GHOST,
    Action,
    CommitId,
    FullName,
    Glance,
    Id,
    Repository,
    Text,
    User,
    pull_ref,
    read,
    unhandled,
)
from prbot.model import (
    Commented,
    Event,
    Ignored,
    IssueCommented,
    IssueMoved,
    PullChanged,
    PullClosed,
    PullMerged,
    Pushed,
    QueueMoved,
    RepoRef,
    Reviewed,
    Sha,
)

# --- who signed it ---------------------------------------------------------------------

_SIGNATURE = re.compile(r"sha256=[0-9a-fA-F]{64}")


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[tuple[str, bytes]]) -> str:
    """Return the name of the forge entry whose secret signs these raw bytes.

    `secrets` are (forge entry, secret) pairs. Takes as long whichever of them fits.
    Raises BadSignature; an empty secret signs nothing.
    """
    signature = _signature(headers)
    signers = [name for name, secret in secrets if _signs(secret, body, signature)]
    if not signers:
        raise BadSignature("wrong")
    return signers[0]


def _signature(headers: Mapping[str, str]) -> str:
    """The hex digits of the SHA-256 signature, in lower case."""
    found = {name.lower(): value for name, value in headers.items()}
    value = found.get("x-hub-signature-256")
    if value is None:
        raise BadSignature("SHA-1 only" if "x-hub-signature" in found else "missing")
    if not _SIGNATURE.fullmatch(value):
        raise BadSignature("malformed")
    return value.removeprefix("sha256=").lower()


def _signs(secret: bytes, body: bytes, signature: str) -> bool:
    expected = hmac.new(secret, body, "sha256").hexdigest()
    return hmac.compare_digest(expected, signature) and bool(secret)


# --- what it says: the fields that are read --------------------------------------------


class _HeadRepository(BaseModel):
    full_name: FullName


class _Head(BaseModel):
    sha: CommitId
    repo: _HeadRepository | None = None


class _Base(BaseModel):
    ref: Text


class _Pull(BaseModel):
    number: Id
    draft: bool | None = False
    merged: bool | None = False
    merged_by: User | None = None
    merge_commit_sha: CommitId | None = None
    merged_at: AwareDatetime | None = None
    head: _Head
    base: _Base


class _Changes(BaseModel):
    base: dict[str, Any] | None = None


class _PullPayload(Action):
    pull_request: _Pull
    repository: Repository
    sender: User = GHOST
    changes: _Changes | None = None

    @property
    def from_fork(self) -> bool:
        """Also when the head repository was deleted: it may have been one."""
        head = self.pull_request.head.repo
        return head is None or head.full_name != self.repository.full_name


class _ReviewedPull(BaseModel):
    number: Id


class _ReviewPayload(Action):
    pull_request: _ReviewedPull
    repository: Repository
    sender: User = GHOST


class _Comment(BaseModel):
    id: Id
    body: str | None
    user: User | None
    created_at: AwareDatetime


class _Issue(BaseModel):
    number: Id
    pull_request: dict[str, Any] | None = None


class _CommentPayload(Action):
    issue: _Issue
    comment: _Comment
    repository: Repository


class _IssuePayload(Action):
    issue: _Issue
    repository: Repository
    sender: User = GHOST


class _Group(BaseModel):
    head_sha: CommitId
    base_ref: Text


class _QueuePayload(Action):
    merge_group: _Group
    repository: Repository
    sender: User = GHOST


class _PushPayload(BaseModel):
    ref: Text
    after: CommitId
    deleted: bool = False
    repository: Repository
    sender: User = GHOST


# --- what it says: the event -----------------------------------------------------------


def event_of(
    forge: str, event_name: str, body: bytes, received_at: datetime | None = None
) -> Event:
    """Read one delivery of the forge entry `forge`; `event_name` is X-GitHub-Event.

    Events and actions nobody handles come back as Ignored. Raises BadPayload when the
    body is no JSON object, or lacks what its event promises.
    """
    match event_name:
        case "pull_request":
            return _pull_request(forge, body)
        case "pull_request_review":
            return _review(forge, body)
        case "issue_comment":
            return _comment(forge, body)
        case "issues":
            return _issue(forge, body)
        case "push":
            return _push(forge, body)
        case "merge_group":
            return _queue(forge, body)
        case "check_run" | "check_suite":
            return pressed(forge, event_name, body, received_at)
        case _:
            return unhandled(event_name, body)


def _queue(forge: str, body: bytes) -> Event:
    action = read(Action, body).action
    if action not in ("checks_requested", "destroyed"):
        return unhandled("merge_group", body)
    payload = read(_QueuePayload, body)
    group, repository = payload.merge_group, payload.repository
    return QueueMoved(
        repo=RepoRef(forge, repository.full_name),
        commit=Sha(group.head_sha),
        base_branch=group.base_ref.removeprefix(_BRANCH),
        default_branch=repository.default_branch,
        actor=payload.sender.actor,
        left=action == "destroyed",
        reason=f"merge_group {action}",
    )


_CHANGES = ("opened", "reopened", "ready_for_review", "synchronize")


def _pull_request(forge: str, body: bytes) -> Event:
    action = read(Action, body).action
    if action == "closed":
        return _closed(forge, read(_PullPayload, body))
    if action in _CHANGES:
        return _changed(forge, read(_PullPayload, body), action)
    if action == "edited" and read(Glance, body).changes:
        edited = read(_PullPayload, body)
        if edited.changes is not None and edited.changes.base is not None:
            return _changed(forge, edited, "base changed")
    return unhandled("pull_request", body)


def _changed(forge: str, payload: _PullPayload, reason: str) -> PullChanged:
    pull = payload.pull_request
    return PullChanged(
        pull=pull_ref(forge, payload.repository, pull.number),
        head_sha=Sha(pull.head.sha),
        base_branch=pull.base.ref,
        default_branch=payload.repository.default_branch,
        actor=payload.sender.actor,
        draft=bool(pull.draft),
        fork=payload.from_fork,
        reason=reason,
    )


def _closed(forge: str, payload: _PullPayload) -> PullMerged | PullClosed:
    pull = payload.pull_request
    ref = pull_ref(forge, payload.repository, pull.number)
    head, base, default = Sha(pull.head.sha), pull.base.ref, payload.repository.default_branch
    if not pull.merged:
        return PullClosed(ref, head, base, default, payload.sender.actor, payload.from_fork)
    # with auto-merge the sender may be whoever made the last check pass
    merger = (pull.merged_by or payload.sender).actor
    merge = None if pull.merge_commit_sha is None else Sha(pull.merge_commit_sha)
    return PullMerged(ref, head, base, default, merger, merge, payload.from_fork, pull.merged_at)


def _review(forge: str, body: bytes) -> Event:
    action = read(Action, body).action
    if action not in ("submitted", "dismissed"):
        return unhandled("pull_request_review", body)
    review = read(_ReviewPayload, body)
    ref = pull_ref(forge, review.repository, review.pull_request.number)
    return Reviewed(ref, review.sender.actor, f"review {action}")


def _comment(forge: str, body: bytes) -> Event:
    if read(Action, body).action != "created":
        return unhandled("issue_comment", body)
    created = read(_CommentPayload, body)
    comment = created.comment
    if comment.user is None:
        return Ignored("comment by a deleted account")
    if comment.user.actor.is_bot:
        return Ignored("comment by a bot")
    if created.issue.pull_request is None:
        return IssueCommented(
            repo=RepoRef(forge, created.repository.full_name),
            number=created.issue.number,
            comment_id=comment.id,
            body=comment.body or "",
            actor=comment.user.actor,
            created_at=comment.created_at,
        )
    return Commented(
        pull=pull_ref(forge, created.repository, created.issue.number),
        comment_id=comment.id,
        body=comment.body or "",
        actor=comment.user.actor,
        created_at=comment.created_at,
    )


def _issue(forge: str, body: bytes) -> Event:
    """`issues` is of plain ones alone: what happens to pull requests has a name of its own."""
    action = read(Action, body).action
    if action not in ("closed", "reopened"):
        return unhandled("issues", body)
    moved = read(_IssuePayload, body)
    return IssueMoved(
        repo=RepoRef(forge, moved.repository.full_name),
        number=moved.issue.number,
        is_open=action == "reopened",
        actor=moved.sender.actor,
        reason=f"issue {action}",
    )


_BRANCH = "refs/heads/"


def _push(forge: str, body: bytes) -> Event:
    push = read(_PushPayload, body)
    if not push.ref.startswith(_BRANCH):
        return Ignored("push of a tag")
    if push.deleted:
        return Ignored("branch deleted")
    return Pushed(
        repo=RepoRef(forge, push.repository.full_name),
        branch=push.ref.removeprefix(_BRANCH),
        head_sha=Sha(push.after),
        default_branch=push.repository.default_branch,
        actor=push.sender.actor,
    )
