"""GitLab's webhooks become events: merge requests, notes, pushes, pipelines.

Works on the body alone; a project's, a group's and a system hook carry the same fields.
Only the fields named here are read. Not promised: who signed it, and that the event is
still true. That a pipeline is a merge train's no webhook says: its `ref` is the source branch,
as for any other of the merge request; what is told is its commit.

Wire facts: https://docs.gitlab.com/user/project/integrations/webhook_events/ and
https://docs.gitlab.com/administration/system_hooks/
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel

from prbot.errors.webhooks import BadPayload
from prbot.intake.gitlab_reading import CommitId, Id, Path, Text, Time, is_bot, read
from prbot.model import (
    Actor,
    Commented,
    Event,
    Ignored,
    IssueCommented,
    IssueMoved,
    Login,
    PipelineBegan,
    PullChanged,
    PullClosed,
    PullMerged,
    PullRef,
    Pushed,
    RepoRef,
    Reviewed,
    Sha,
)

# --- what it says: the fields that are read ----------------------------------------------


class _Glance(BaseModel):
    """What decides whether more is read; whatever stands there."""

    object_kind: Any = None
    event_name: Any = None


class _User(BaseModel):
    username: Text

    @property
    def actor(self) -> Actor:
        return Actor(Login(self.username), is_bot(self.username))


_NOBODY = _User(username="ghost")
"""Who is told of where GitLab tells nobody; an account it has for this."""


class _Place(BaseModel):
    """An empty project has no default branch; few events need it."""

    path_with_namespace: Path


class _Project(_Place):
    default_branch: Text


class _Branched(_Place):
    default_branch: str | None = None


class _Commit(BaseModel):
    id: CommitId


class _Changed(BaseModel):
    previous: Any = None
    current: Any = None


class _Changes(BaseModel):
    draft: _Changed | None = None
    target_branch: _Changed | None = None
    title: _Changed | None = None
    labels: _Changed | None = None


class _MergeRequest(BaseModel):
    iid: Id
    target_branch: Text
    source_project_id: int | None = None
    target_project_id: int
    last_commit: _Commit | None = None
    """Missing in some merges, where the source branch went with them."""
    draft: bool | None = None
    work_in_progress: bool | None = None
    action: str = ""
    oldrev: str | None = None
    merge_commit_sha: CommitId | None = None
    updated_at: Time | None = None
    """Of a merge that is told, when it was made: GitLab gives it no time of its own."""

    @property
    def head(self) -> Sha | None:
        return None if self.last_commit is None else Sha(self.last_commit.id)

    @property
    def from_fork(self) -> bool:
        """Also when the source project was deleted: it may have been one."""
        return self.source_project_id != self.target_project_id


class _MergePayload(BaseModel):
    user: _User
    project: _Project
    object_attributes: _MergeRequest
    changes: _Changes = _Changes()


class _Note(BaseModel):
    id: Id
    note: str
    noteable_type: str
    action: str = "create"
    system: bool = False
    internal: bool | None = None
    created_at: Time


class _Numbered(BaseModel):
    iid: Id


class _NoteKind(BaseModel):
    event_type: str = "note"
    object_attributes: _Note


class _NotePayload(BaseModel):
    user: _User
    project: _Place
    object_attributes: _Note
    merge_request: _Numbered


class _IssueNotePayload(BaseModel):
    user: _User
    project: _Place
    object_attributes: _Note
    issue: _Numbered


class _Issue(BaseModel):
    iid: Id
    action: str | None = None


class _IssuePayload(BaseModel):
    user: _User
    project: _Place
    object_attributes: _Issue


class _PushPayload(BaseModel):
    ref: Text
    after: CommitId
    user_username: Text
    project: _Branched


class _Pipeline(BaseModel):
    status: str | None = None
    source: str | None = None
    sha: CommitId | None = None

    @property
    def commit(self) -> Sha | None:
        """None where it cannot be of a train, whose pipelines are made for merge requests."""
        return Sha(self.sha) if self.sha and self.source == "merge_request_event" else None


class _PipelinePayload(BaseModel):
    user: _User | None = None
    """Missing where its account is gone, or nobody's token set it off."""
    project: _Place
    object_attributes: _Pipeline
    merge_request: _Numbered | None = None


# --- what it says: the event -------------------------------------------------------------


def event_of(forge: str, body: bytes) -> Event:
    """Read one delivery of the forge entry `forge`.

    Events and actions nobody handles come back as Ignored. Raises BadPayload when the
    body is no JSON object, or lacks what its event promises.
    """
    match kind_of(body):
        case "merge_request":
            return _merge_request(forge, read(_MergePayload, body))
        case "note":
            return _note(forge, body)
        case "issue":
            return _issue(forge, read(_IssuePayload, body))
        case "push":
            return _push(forge, read(_PushPayload, body))
        case "pipeline":
            return _pipeline(forge, read(_PipelinePayload, body))
        case kind:
            return Ignored(kind or "an event without a name")


def kind_of(body: bytes) -> str:
    """The event's name; a system hook's pushes have it elsewhere. Raises BadPayload."""
    glance = read(_Glance, body)
    named = glance.object_kind or glance.event_name
    if not isinstance(named, str):
        return ""
    return "".join(char for char in named[:80] if char.isprintable()).strip()[:40]


def _merge_request(forge: str, payload: _MergePayload) -> Event:
    merge, actor = payload.object_attributes, payload.user.actor
    match merge.action:
        case "open" | "reopen":
            return _changed(forge, payload, {"open": "opened", "reopen": "reopened"}[merge.action])
        case "update":
            return _updated(forge, payload)
        case "merge" | "close":
            return _closed(forge, payload)
        case "approved" | "unapproved" | "approval" | "unapproval":
            return Reviewed(_ref(forge, payload.project, merge.iid), actor, merge.action)
        case other:
            return Ignored(f"merge_request {other[:40]}".strip())


def _updated(forge: str, payload: _MergePayload) -> Event:
    """An update may be anything; what changed is told beside it, sometimes without a change."""
    changes, merge = payload.changes, payload.object_attributes
    if merge.oldrev:
        return _changed(forge, payload, "new commits")
    if _differ(changes.target_branch):
        return _changed(forge, payload, "base changed")
    if _became_ready(changes):
        return _changed(forge, payload, "ready for review")
    if _differ(changes.labels):
        ref = _ref(forge, payload.project, merge.iid)
        return Reviewed(ref, payload.user.actor, "labels changed")
    return Ignored("merge_request update")


def _differ(change: _Changed | None) -> bool:
    return change is not None and change.previous != change.current


_DRAFT = re.compile(r"\s*(\[draft\]|\(draft\)|draft:|\[wip\]|wip:)", re.IGNORECASE)


def _became_ready(changes: _Changes) -> bool:
    """Before GitLab 13.2 the title alone said so."""
    if changes.draft is not None:
        return changes.draft.previous is True and changes.draft.current is False
    before, now = (changes.title.previous, changes.title.current) if changes.title else (None, None)
    if not isinstance(before, str) or not isinstance(now, str):
        return False
    return bool(_DRAFT.match(before)) and not _DRAFT.match(now)


def _changed(forge: str, payload: _MergePayload, reason: str) -> PullChanged:
    merge = payload.object_attributes
    if merge.head is None:
        raise BadPayload("object_attributes.last_commit: it is missing")
    return PullChanged(
        pull=_ref(forge, payload.project, merge.iid),
        head_sha=merge.head,
        base_branch=merge.target_branch,
        default_branch=payload.project.default_branch,
        actor=payload.user.actor,
        draft=bool(merge.draft or merge.work_in_progress),
        fork=merge.from_fork,
        reason=reason,
    )


def _closed(forge: str, payload: _MergePayload) -> PullMerged | PullClosed:
    merge, default = payload.object_attributes, payload.project.default_branch
    ref, head = _ref(forge, payload.project, merge.iid), merge.head
    actor, base = payload.user.actor, merge.target_branch
    if merge.action == "close":
        return PullClosed(ref, head, base, default, actor, merge.from_fork)
    made = None if merge.merge_commit_sha is None else Sha(merge.merge_commit_sha)
    at = merge.updated_at
    return PullMerged(ref, head, base, default, actor, made, merge.from_fork, merged_at=at)


def _note(forge: str, body: bytes) -> Event:
    kind = read(_NoteKind, body)
    note = kind.object_attributes
    if note.noteable_type not in ("MergeRequest", "Issue"):
        return Ignored(f"note on {_named(note.noteable_type)}")
    if note.system:
        return Ignored("note by GitLab itself")
    if note.action != "create":
        return Ignored("note edited")
    if note.internal or kind.event_type == "confidential_note":
        # an answer would be public
        return Ignored("an internal note")
    if note.noteable_type == "Issue":
        return _issue_note(forge, read(_IssueNotePayload, body))
    payload = read(_NotePayload, body)
    if payload.user.actor.is_bot:
        return Ignored("note by a bot")
    return Commented(
        pull=_ref(forge, payload.project, payload.merge_request.iid),
        comment_id=note.id,
        body=note.note,
        actor=payload.user.actor,
        created_at=note.created_at,
    )


def _issue_note(forge: str, payload: _IssueNotePayload) -> Event:
    note, actor = payload.object_attributes, payload.user.actor
    if actor.is_bot:
        return Ignored("note by a bot")
    return IssueCommented(
        repo=RepoRef(forge, payload.project.path_with_namespace),
        number=payload.issue.iid,
        comment_id=note.id,
        body=note.note,
        actor=actor,
        created_at=note.created_at,
    )


def _issue(forge: str, payload: _IssuePayload) -> Event:
    issue = payload.object_attributes
    words = {"close": "issue closed", "reopen": "issue reopened"}
    if issue.action not in words:
        return Ignored(f"issue {(issue.action or '')[:40]}".strip())
    return IssueMoved(
        repo=RepoRef(forge, payload.project.path_with_namespace),
        number=issue.iid,
        is_open=issue.action == "reopen",
        actor=payload.user.actor,
        reason=words[issue.action],
    )


def _named(noteable: str) -> str:
    known = {"Commit": "a commit", "Snippet": "a snippet"}
    return known.get(noteable, "something else")


_BRANCH = "refs/heads/"


def _push(forge: str, push: _PushPayload) -> Event:
    if not push.ref.startswith(_BRANCH):
        return Ignored("push of a tag")
    if not push.after.strip("0"):
        return Ignored("branch deleted")
    if not push.project.default_branch:
        return Ignored("push without a default branch")
    return Pushed(
        repo=RepoRef(forge, push.project.path_with_namespace),
        branch=push.ref.removeprefix(_BRANCH),
        head_sha=Sha(push.after),
        default_branch=push.project.default_branch,
        actor=Actor(Login(push.user_username)),
    )


_ENDED, _BADLY = ("success", "failed", "canceled", "skipped"), ("failed", "canceled")
_BEGUN = ("created", "waiting_for_resource", "preparing", "pending", "running")


def _pipeline(forge: str, payload: _PipelinePayload) -> Event:
    """A check of a merge request that ended may be what an apply waits for; one that began,
    what a merge train waits for."""
    status, commit = payload.object_attributes.status or "", payload.object_attributes.commit
    if payload.merge_request is None:
        return Ignored("pipeline of no merge request")
    ref = _ref(forge, payload.project, payload.merge_request.iid)
    actor, reason = (payload.user or _NOBODY).actor, f"pipeline {status[:40]}".strip()
    if status in _ENDED:
        return Reviewed(ref, actor, reason, commit if status in _BADLY else None)
    if status in _BEGUN and commit is not None:
        return PipelineBegan(ref, commit, actor, reason)
    return Ignored(reason)


def _ref(forge: str, project: _Place, iid: int) -> PullRef:
    return PullRef(RepoRef(forge, project.path_with_namespace), iid)
