"""GitLab's webhooks, row by row: written from its documentation of webhook events."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.errors.webhooks import BadPayload
from prbot.intake.gitlab import event_of
from prbot.model import (
    Actor,
    Commented,
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

Payload = dict[str, Any]

REPO = RepoRef("gitlab", "acme/platform/infra")
PULL = PullRef(REPO, 5)
HEAD, MERGE = Sha("a" * 40), Sha("b" * 40)
ANN = Actor(Login("ann"))
PROJECT: Payload = {"path_with_namespace": REPO.path, "default_branch": "main", "id": 1}


def changed_both(key: str, previous: object, current: object) -> Payload:
    return {key: {"previous": previous, "current": current}}


def merge_request(action: str, changes: Payload | None = None, **fields: Any) -> Payload:
    """A merge request hook, as a project's hook and a system hook send it."""
    attributes: Payload = {
        "id": 99,
        "iid": 5,
        "target_branch": "main",
        "source_branch": "topic",
        "source_project_id": 1,
        "target_project_id": 1,
        "last_commit": {"id": HEAD},
        "title": "A change",
        "draft": False,
        "work_in_progress": False,
        "action": action,
        "state": "opened",
    }
    return {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": {"username": "ann"},
        "project": dict(PROJECT),
        "object_attributes": attributes | fields,
        "changes": changes or {},
    }


def note(
    on: str = "MergeRequest",
    event_type: str = "note",
    by: str = "ann",
    project: Payload = PROJECT,
    **odd: Any,
) -> Payload:
    attributes = {
        "id": 1244,
        "note": "prbot plan",
        "noteable_type": on,
        "system": False,
        "action": "create",
        "created_at": "2026-01-02 03:04:05 UTC",
    }
    payload: Payload = {
        "object_kind": "note",
        "event_type": event_type,
        "user": {"username": by},
        "project": dict(project),
        "object_attributes": attributes | odd,
    }
    about = {"MergeRequest": "merge_request", "Issue": "issue"}.get(on)
    return payload | ({about: {"iid": 5}} if about else {})


def push(ref: str = "refs/heads/main", kind: str = "object_kind", **odd: Any) -> Payload:
    payload = {
        kind: "push",
        "ref": ref,
        "before": MERGE,
        "after": HEAD,
        "user_username": "ann",
        "project": dict(PROJECT),
    }
    return payload | odd


def pipeline(status: str, on_merge_request: bool = True, source: str = "push") -> Payload:
    payload: Payload = {
        "object_kind": "pipeline",
        "object_attributes": {"ref": "topic", "status": status, "sha": HEAD, "source": source},
        "user": {"username": "ann"},
        "project": dict(PROJECT),
    }
    return payload | ({"merge_request": {"iid": 5}} if on_merge_request else {})


def issue(action: str | None, **odd: Any) -> Payload:
    payload: Payload = {
        "object_kind": "issue",
        "event_type": "issue",
        "user": {"username": "ann"},
        "project": dict(PROJECT),
        "object_attributes": {"id": 301, "iid": 5, "state": "closed"},
    }
    payload["object_attributes"] |= {} if action is None else {"action": action}
    return payload | odd


def changed(reason: str, **odd: Any) -> PullChanged:
    usual: Payload = {"base_branch": "main", "draft": False, "fork": False}
    return PullChanged(
        pull=PULL, head_sha=HEAD, default_branch="main", actor=ANN, reason=reason, **usual | odd
    )


def commented(at: datetime) -> Commented:
    return Commented(PULL, 1244, "prbot plan", ANN, at)


FOR_MERGE = "merge_request_event"
LABELS = [{"title": "a"}]
UPDATE = Ignored("merge_request update")
NOTED = commented(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
MERGED = PullMerged(PULL, HEAD, "main", "main", ANN, MERGE, fork=False)
ON_ISSUE = IssueCommented(REPO, 5, NOTED.comment_id, NOTED.body, NOTED.actor, NOTED.created_at)
ROWS: dict[str, tuple[Payload, object]] = {
    "opened": (merge_request("open"), changed("opened")),
    "reopened": (merge_request("reopen"), changed("reopened")),
    "new commits": (merge_request("update", oldrev=MERGE), changed("new commits")),
    "new commits and a title": (
        merge_request("update", changed_both("title", "a", "b"), oldrev=MERGE),
        changed("new commits"),
    ),
    "new commits and labels": (
        merge_request("update", changed_both("labels", [], LABELS), oldrev=MERGE),
        changed("new commits"),
    ),
    "an update without oldrev": (merge_request("update"), UPDATE),
    "a title": (merge_request("update", changed_both("title", "a", "b")), UPDATE),
    "a description": (merge_request("update", changed_both("description", "a", "b")), UPDATE),
    "ready": (
        merge_request("update", changed_both("draft", True, False)),
        changed("ready for review"),
    ),
    "made a draft": (
        merge_request("update", changed_both("draft", False, True), draft=True),
        UPDATE,
    ),
    "ready by its title, as of old": (
        merge_request("update", changed_both("title", "WIP: a", "a")),
        changed("ready for review"),
    ),
    "a draft by its title, as of old": (
        merge_request("update", changed_both("title", "a", "Draft: a")),
        UPDATE,
    ),
    "a draft under another title": (
        merge_request("update", changed_both("title", "Draft: a", "[Draft] b"), draft=True),
        UPDATE,
    ),
    "a title that only speaks of drafts": (
        merge_request("update", changed_both("title", "Drafty: a", "a")),
        UPDATE,
    ),
    "another base": (
        merge_request("update", changed_both("target_branch", "old", "main")),
        changed("base changed"),
    ),
    "labels": (
        merge_request("update", changed_both("labels", [], LABELS)),
        Reviewed(PULL, ANN, "labels changed"),
    ),
    "labels told and not changed": (
        merge_request("update", changed_both("labels", LABELS, LABELS)),
        UPDATE,
    ),
    "assignees": (merge_request("update", changed_both("assignees", [], [{}])), UPDATE),
    "opened as a draft": (merge_request("open", draft=True), changed("opened", draft=True)),
    "opened as work in progress": (
        merge_request("open", draft=None, work_in_progress=True),
        changed("opened", draft=True),
    ),
    "opened from a fork": (
        merge_request("open", source_project_id=2),
        changed("opened", fork=True),
    ),
    "opened from a fork that is gone": (
        merge_request("open", source_project_id=None),
        changed("opened", fork=True),
    ),
    "opened into another branch": (
        merge_request("open", target_branch="release"),
        changed("opened", base_branch="release"),
    ),
    "closed": (merge_request("close"), PullClosed(PULL, HEAD, "main", "main", ANN, fork=False)),
    "merged": (merge_request("merge", merge_commit_sha=MERGE), MERGED),
    "merged, its head commit missing": (
        merge_request("merge", merge_commit_sha=MERGE, last_commit=None),
        PullMerged(PULL, None, "main", "main", ANN, MERGE, fork=False),
    ),
    "closed, its head commit missing": (
        merge_request("close", last_commit=None),
        PullClosed(PULL, None, "main", "main", ANN, fork=False),
    ),
    "merged, and when": (
        merge_request("merge", merge_commit_sha=MERGE, updated_at="2026-01-02 03:04:05 UTC"),
        PullMerged(
            PULL,
            HEAD,
            "main",
            "main",
            ANN,
            MERGE,
            fork=False,
            merged_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        ),
    ),
    "merged, where GitLab keeps another time zone": (
        merge_request("merge", merge_commit_sha=MERGE, updated_at="2026-01-02 05:04:05 +0200"),
        replace(MERGED, merged_at=NOTED.created_at),
    ),
    "merged by a fast-forward": (
        merge_request("merge", merge_commit_sha=None),
        PullMerged(PULL, HEAD, "main", "main", ANN, None, fork=False),
    ),
    "approved": (merge_request("approved"), Reviewed(PULL, ANN, "approved")),
    "approved by one": (merge_request("approval"), Reviewed(PULL, ANN, "approval")),
    "not approved any more": (merge_request("unapproved"), Reviewed(PULL, ANN, "unapproved")),
    "not approved by one any more": (
        merge_request("unapproval"),
        Reviewed(PULL, ANN, "unapproval"),
    ),
    "an action of tomorrow": (merge_request("vote"), Ignored("merge_request vote")),
    "no action": (merge_request(""), Ignored("merge_request")),
    "a note": (note(), NOTED),
    "a note, its time in ISO 8601": (note(created_at="2026-01-02T03:04:05.000Z"), NOTED),
    "a note, where GitLab keeps another time zone": (
        note(created_at="2026-01-02 05:04:05 +0200"),
        NOTED,
    ),
    "a note, west of it": (note(created_at="2026-01-01 23:34:05 -0330"), NOTED),
    "a note in a project without a default branch": (
        note(project=PROJECT | {"default_branch": None}),
        NOTED,
    ),
    "a note, of old without a word on being internal": (note(internal=None), NOTED),
    "a note on a line": (note(type="DiffNote"), NOTED),
    "a note edited": (note(action="update"), Ignored("note edited")),
    "a note by GitLab": (note(system=True), Ignored("note by GitLab itself")),
    "an internal note": (note(internal=True), Ignored("an internal note")),
    "a confidential note": (
        note(event_type="confidential_note"),
        Ignored("an internal note"),
    ),
    "a note by a project's token": (note(by="project_7_bot_0a1b2c"), Ignored("note by a bot")),
    "a note by a group's token": (note(by="group_7_bot"), Ignored("note by a bot")),
    "a note by an older token": (note(by="project_7_bot2"), Ignored("note by a bot")),
    "a note by a service account": (
        note(by="service_account_group_7_0a1b2c"),
        Ignored("note by a bot"),
    ),
    "a note on a commit": (note("Commit"), Ignored("note on a commit")),
    "an issue closed": (issue("close"), IssueMoved(REPO, 5, False, ANN, "issue closed")),
    "an issue opened again": (issue("reopen"), IssueMoved(REPO, 5, True, ANN, "issue reopened")),
    "an issue opened": (issue("open"), Ignored("issue open")),
    "an issue edited": (issue("update"), Ignored("issue update")),
    "an issue without an action": (issue(None), Ignored("issue")),
    "an issue whose action is null": (
        issue(None) | {"object_attributes": {"iid": 5, "action": None}},
        Ignored("issue"),
    ),
    "a note on an issue": (note("Issue"), ON_ISSUE),
    "a note on an issue edited": (note("Issue", action="update"), Ignored("note edited")),
    "a note on an issue by a token": (note("Issue", by="group_7_bot"), Ignored("note by a bot")),
    "an internal note on an issue": (note("Issue", internal=True), Ignored("an internal note")),
    "a note on a snippet": (note("Snippet"), Ignored("note on a snippet")),
    "a note on an epic": (note("Epic"), Ignored("note on something else")),
    "a push": (push(), Pushed(REPO, "main", HEAD, "main", ANN)),
    "a push to a topic": (push("refs/heads/a/b"), Pushed(REPO, "a/b", HEAD, "main", ANN)),
    "a push to a system hook": (push(kind="event_name"), Pushed(REPO, "main", HEAD, "main", ANN)),
    "a branch deleted": (push(after="0" * 40), Ignored("branch deleted")),
    "a tag in a push": (push("refs/tags/v1"), Ignored("push of a tag")),
    "a tag": (push() | {"object_kind": "tag_push"}, Ignored("tag_push")),
    "a pipeline passed": (pipeline("success"), Reviewed(PULL, ANN, "pipeline success")),
    "a pipeline failed": (pipeline("failed"), Reviewed(PULL, ANN, "pipeline failed")),
    "a pipeline runs": (pipeline("running"), Ignored("pipeline running")),
    "a pipeline of a merge request runs": (
        pipeline("running", source=FOR_MERGE),
        PipelineBegan(PULL, HEAD, ANN, "pipeline running"),
    ),
    "a pipeline of a merge request waits": (
        pipeline("pending", source=FOR_MERGE),
        PipelineBegan(PULL, HEAD, ANN, "pipeline pending"),
    ),
    "a pipeline of which GitLab tells less": (
        pipeline("running") | {"object_attributes": {"status": None, "source": None, "sha": None}},
        Ignored("pipeline"),
    ),
    "a pipeline of a merge request waits for a person": (
        pipeline("manual", source=FOR_MERGE),
        Ignored("pipeline manual"),
    ),
    "a pipeline of a merge request is cancelled": (
        pipeline("canceled", source=FOR_MERGE),
        Reviewed(PULL, ANN, "pipeline canceled", dropped=HEAD),
    ),
    "a pipeline of a merge request passed": (
        pipeline("success", source=FOR_MERGE),
        Reviewed(PULL, ANN, "pipeline success"),
    ),
    "a pipeline of a branch": (pipeline("success", False), Ignored("pipeline of no merge request")),
    "a pipeline of nobody": (
        pipeline("success") | {"user": None},
        Reviewed(PULL, Actor(Login("ghost")), "pipeline success"),
    ),
    "a pipeline of nobody, on a branch": (
        pipeline("success", False) | {"user": None},
        Ignored("pipeline of no merge request"),
    ),
    "a pipeline in a project without a default branch": (
        pipeline("failed") | {"project": PROJECT | {"default_branch": None}},
        Reviewed(PULL, ANN, "pipeline failed"),
    ),
    "a push in a project without a default branch": (
        push(project=PROJECT | {"default_branch": None}),
        Ignored("push without a default branch"),
    ),
    "a project made": (
        {"event_name": "project_create", "path_with_namespace": "a/b"},
        Ignored("project_create"),
    ),
    "a release": ({"object_kind": "release"}, Ignored("release")),
    "nothing named": ({}, Ignored("an event without a name")),
    "an odd name": ({"object_kind": 3}, Ignored("an event without a name")),
    "a long name": ({"object_kind": "x" * 99 + "\n"}, Ignored("x" * 40)),
}


@pytest.mark.parametrize(("payload", "event"), ROWS.values(), ids=ROWS)
def test_events(payload: Payload, event: object) -> None:
    """It tells what happened, and leaves alone what is nobody's business."""
    assert event_of("gitlab", json.dumps(payload).encode()) == event


ODD = [
    ("project.path_with_namespace", "infra"),
    ("project.path_with_namespace", "acme/../infra"),
    ("project.path_with_namespace", "-acme/infra"),
    ("project.path_with_namespace", "acme//infra"),
    ("project.default_branch", None),
    ("object_attributes.iid", 0),
    ("object_attributes.iid", "five"),
    ("object_attributes.last_commit", None),
    ("object_attributes.last_commit.id", "HEAD"),
    ("user.username", ""),
]


@pytest.mark.parametrize(("path", "value"), ODD)
def test_odd_fields(path: str, value: object) -> None:
    """It refuses a payload it cannot trust and names the field."""
    payload = merge_request("open")
    *keys, last = path.split(".")
    inner = payload
    for key in keys:
        inner = inner[key]
    inner[last] = value
    with pytest.raises(BadPayload, match=path):
        event_of("gitlab", json.dumps(payload).encode())


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[]", b"null", b"{", b"[" * 100_000])
def test_not_an_object(body: bytes) -> None:
    """It refuses what is no JSON object."""
    with pytest.raises(BadPayload):
        event_of("gitlab", body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.sampled_from([row for row, _ in ROWS.values()]), st.data(), JSON)
def test_any_field(real: Payload, data: st.DataObject, value: object) -> None:
    """It gives an event or BadPayload when any one field of a payload is odd."""
    payload = json.loads(json.dumps(real))
    inner: Any = payload
    while isinstance(inner, dict) and inner:
        key = data.draw(st.sampled_from(sorted(inner)))
        if not isinstance(inner[key], dict) or data.draw(st.booleans()):
            inner[key] = value
            break
        inner = inner[key]
    with suppress(BadPayload):
        assert event_of("gitlab", json.dumps(payload).encode()).reason
