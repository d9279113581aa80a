"""Webhook bodies become events: one row per line of the product's table of events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.errors.webhooks import BadPayload
from prbot.intake.github import event_of
from prbot.model import (
    Actor,
    Commented,
    Ignored,
    IssueCommented,
    IssueMoved,
    Login,
    PullChanged,
    PullClosed,
    PullMerged,
    PullRef,
    Pushed,
    QueueMoved,
    RepoRef,
    Reviewed,
    Sha,
)

HEAD, BASE, MERGE = Sha("a" * 40), Sha("b" * 40), Sha("c" * 40)
REPO = RepoRef("github", "acme/infra")
PULL = PullRef(REPO, 5)
ANN, BOB, CARL = Actor(Login("ann")), Actor(Login("bob")), Actor(Login("carl"))

Payload = dict[str, Any]

REPOSITORY: Payload = {"id": 7, "full_name": "acme/infra", "default_branch": "main"}


def user(login: str, kind: str = "User") -> Payload:
    return {"login": login, "id": 1, "type": kind}


BOB_USER = user("bob")


def pull_payload(action: str, changes: Mapping[str, Any] | None = None, **fields: Any) -> Payload:
    """A `pull_request` payload; keywords replace fields of the pull request."""
    pull = {
        "number": 5,
        "state": "open",
        "draft": False,
        "merged": False,
        "merged_by": None,
        "merge_commit_sha": MERGE,
        "user": user("ann"),
        "head": {"ref": "topic", "sha": HEAD, "repo": {"full_name": "acme/infra"}},
        "base": {"ref": "main", "sha": BASE, "repo": dict(REPOSITORY)},
    }
    payload = {
        "action": action,
        "number": 5,
        "pull_request": pull | fields,
        "repository": dict(REPOSITORY),
        "sender": user("ann"),
    }
    return payload if changes is None else payload | {"changes": dict(changes)}


def comment_payload(
    action: str = "created", author: Payload | None = BOB_USER, on_pull: bool = True
) -> Payload:
    """An `issue_comment` payload, by default on a pull request."""
    issue: Payload = {"number": 5, "title": "A change"}
    if on_pull:
        issue["pull_request"] = {"url": "https://forge.test/repos/acme/infra/pulls/5"}
    return {
        "action": action,
        "issue": issue,
        "comment": {
            "id": 99,
            "body": "prbot plan",
            "user": author,
            "created_at": "2026-01-02T03:04:05Z",
        },
        "repository": dict(REPOSITORY),
        "sender": author or user("ghost"),
    }


def push(ref: str, **fields: Any) -> Payload:
    return {
        "ref": ref,
        "after": HEAD,
        "deleted": False,
        "repository": dict(REPOSITORY),
        "sender": user("ann"),
    } | fields


def digest(name: str, payload: object) -> object:
    return event_of("github", name, json.dumps(payload).encode())


def changed(reason: str, **fields: Any) -> PullChanged:
    known: dict[str, Any] = {
        "pull": PULL,
        "head_sha": HEAD,
        "base_branch": "main",
        "default_branch": "main",
        "actor": ANN,
        "draft": False,
        "fork": False,
        "reason": reason,
    }
    return PullChanged(**known | fields)


OTHER_BASE = {"base": {"ref": {"from": "old"}, "sha": {"from": "b" * 40}}}
FORK = {"ref": "topic", "sha": HEAD, "repo": {"full_name": "eve/infra"}}
GONE = {"ref": "topic", "sha": HEAD, "repo": None}
CARL_MERGED: Payload = {
    "merged": True,
    "state": "closed",
    "merged_by": {"login": "carl", "type": "User"},
}


@pytest.mark.parametrize(
    ("action", "changes", "fields", "event"),
    [
        ("opened", None, {}, changed("opened")),
        ("reopened", None, {}, changed("reopened")),
        ("ready_for_review", None, {}, changed("ready_for_review")),
        ("synchronize", None, {}, changed("synchronize")),
        ("edited", OTHER_BASE, {}, changed("base changed")),
        ("edited", {"title": {"from": "old"}}, {}, Ignored("pull_request edited")),
        ("edited", None, {}, Ignored("pull_request edited")),
        ("opened", None, {"draft": True}, changed("opened", draft=True)),
        ("opened", None, {"draft": None}, changed("opened")),
        ("opened", None, {"head": FORK}, changed("opened", fork=True)),
        ("opened", None, {"head": GONE}, changed("opened", fork=True)),
        ("converted_to_draft", None, {}, Ignored("pull_request converted_to_draft")),
        ("labeled", None, {}, Ignored("pull_request labeled")),
        ("enqueued", None, {}, Ignored("pull_request enqueued")),
        ("tomorrow's action", None, {}, Ignored("pull_request tomorrow's action")),
        (
            "closed",
            None,
            {"state": "closed"},
            PullClosed(PULL, HEAD, "main", "main", ANN, fork=False),
        ),
        (
            "closed",
            None,
            CARL_MERGED,
            PullMerged(PULL, HEAD, "main", "main", CARL, MERGE, fork=False),
        ),
        (
            "closed",
            None,
            CARL_MERGED | {"merged_by": None, "head": GONE},
            PullMerged(PULL, HEAD, "main", "main", ANN, MERGE, fork=True),
        ),
        (
            "closed",
            None,
            CARL_MERGED | {"merged_at": "2026-01-05T12:00:00Z"},
            PullMerged(
                *(PULL, HEAD, "main", "main", CARL, MERGE),
                fork=False,
                merged_at=datetime(2026, 1, 5, 12, tzinfo=UTC),
            ),
        ),
    ],
)
def test_pull_request(
    action: str,
    changes: dict[str, Any] | None,
    fields: dict[str, Any],
    event: object,
) -> None:
    """It tells changed, merged, closed and somebody else's business apart."""
    assert digest("pull_request", pull_payload(action, changes, **fields)) == event


COMMENTED = Commented(PULL, 99, "prbot plan", BOB, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
ON_ISSUE = IssueCommented(REPO, 5, 99, "prbot plan", BOB, COMMENTED.created_at)
BOT = {"login": "dependabot[bot]", "type": "Bot"}


@pytest.mark.parametrize(
    ("how", "event"),
    [
        ({}, COMMENTED),
        ({"action": "edited"}, Ignored("issue_comment edited")),
        ({"action": "deleted"}, Ignored("issue_comment deleted")),
        ({"on_pull": False}, ON_ISSUE),
        ({"on_pull": False, "action": "edited"}, Ignored("issue_comment edited")),
        ({"on_pull": False, "author": BOT}, Ignored("comment by a bot")),
        ({"author": BOT}, Ignored("comment by a bot")),
        ({"author": None}, Ignored("comment by a deleted account")),
    ],
)
def test_comments(how: dict[str, Any], event: object) -> None:
    """It hears new comments of people on pull requests and issues, and no others."""
    assert digest("issue_comment", comment_payload(**how)) == event


@pytest.mark.parametrize(
    ("action", "sender", "event"),
    [
        ("closed", "ann", IssueMoved(REPO, 5, False, ANN, "issue closed")),
        ("reopened", "ann", IssueMoved(REPO, 5, True, ANN, "issue reopened")),
        ("closed", None, IssueMoved(REPO, 5, False, Actor(Login("ghost")), "issue closed")),
        ("edited", "ann", Ignored("issues edited")),
        ("opened", "ann", Ignored("issues opened")),
        ("deleted", "ann", Ignored("issues deleted")),
    ],
)
def test_issues(action: str, sender: str | None, event: object) -> None:
    """It hears that plain issues were closed or opened again, and by whom."""
    payload: Payload = {"action": action, "issue": {"number": 5}, "repository": REPOSITORY}
    payload |= {"sender": user(sender)} if sender else {}
    assert digest("issues", payload) == event


@pytest.mark.parametrize(
    ("action", "event"),
    [
        ("submitted", Reviewed(PULL, ANN, "review submitted")),
        ("dismissed", Reviewed(PULL, ANN, "review dismissed")),
        ("edited", Ignored("pull_request_review edited")),
    ],
)
def test_reviews(action: str, event: object) -> None:
    """It passes on what may change an approval."""
    payload = pull_payload(action) | {"review": {"state": "approved", "id": 3}}
    assert digest("pull_request_review", payload) == event


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        (push("refs/heads/main"), Pushed(REPO, "main", HEAD, "main", ANN)),
        (push("refs/heads/feature/x"), Pushed(REPO, "feature/x", HEAD, "main", ANN)),
        (push("refs/tags/v1"), Ignored("push of a tag")),
        (push("refs/heads/x", deleted=True, after="0" * 40), Ignored("branch deleted")),
    ],
)
def test_pushes(payload: dict[str, Any], event: object) -> None:
    """It reports new commits on branches, not tags and not deletions."""
    assert digest("push", payload) == event


@pytest.mark.parametrize(
    ("name", "payload", "event"),
    [
        ("ping", {"zen": "Non-blocking is better than blocking."}, Ignored("ping")),
        ("installation", {"action": "created"}, Ignored("installation created")),
        (
            "installation_repositories",
            {"action": "added"},
            Ignored("installation_repositories added"),
        ),
        ("check_run", {"action": "created"}, Ignored("check_run created")),
        ("milestone", {"action": 3}, Ignored("milestone")),
        ("merge_group", {"action": "odd"}, Ignored("merge_group odd")),
        ("event_of_2031", {}, Ignored("event_of_2031")),
        ("", {}, Ignored("an event without a name")),
        ("x" * 500, {"action": "y" * 500}, Ignored("x" * 40 + " " + "y" * 40)),
        ("line\nbreak", {}, Ignored("linebreak")),
    ],
)
def test_others(name: str, payload: dict[str, Any], event: object) -> None:
    """It ignores what it does not know, and says in a few plain words what it was."""
    assert digest(name, payload) == event


@pytest.mark.parametrize(
    "name", ["pull_request", "issue_comment", "pull_request_review", "push", "ping"]
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b"payload=%7B%22action%22%3A%22opened%22%7D",
    ],
)
def test_not_an_object(name: str, body: bytes) -> None:
    """It refuses what is no JSON object, whatever the event; form encoding gets its hint."""
    with pytest.raises(BadPayload) as caught:
        event_of("github", name, body)
    assert "application/json" in caught.value.next_step


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("pull_request", None),
        ("pull_request.number", "five"),
        ("pull_request.number", 0),
        ("pull_request.number", 2**63),
        ("pull_request.head.sha", "HEAD"),
        ("pull_request.head.sha", "-" + "a" * 39),
        ("repository.full_name", "infra"),
        ("repository.full_name", "acme/../infra"),
        ("repository.full_name", "acme/.."),
        ("repository.full_name", "../infra"),
        ("repository.full_name", "-acme/infra"),
        ("repository.default_branch", None),
        ("sender", None),
        ("sender.login", ""),
    ],
)
def test_missing_or_odd_fields(path: str, value: object) -> None:
    """It refuses a payload it cannot trust and names the field."""
    payload = pull_payload("opened")
    put(payload, path.split("."), value)
    with pytest.raises(BadPayload) as caught:
        digest("pull_request", payload)
    assert path in str(caught.value)


@pytest.mark.parametrize("name", ["pull_request", "push"])
def test_nobody_sent_it(name: str) -> None:
    """It names GitHub's ghost where GitHub names nobody, which its schema allows."""
    real = pull_payload("opened") if name == "pull_request" else push("refs/heads/main")
    event = digest(name, {key: real[key] for key in real if key != "sender"})
    assert isinstance(event, PullChanged | Pushed)
    assert event.actor == Actor(Login("ghost"))


def test_half_a_character() -> None:
    """It refuses text that no UTF-8 can hold, which would fail later, at the store."""
    with pytest.raises(BadPayload):
        digest("issue_comment", comment_payload(author=user("\ud800")))


def put(payload: Payload, path: list[str], value: object) -> None:
    for key in path[:-1]:
        payload = payload[key]
    payload[path[-1]] = value


def paths(payload: object, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of each field, however deep."""
    if not isinstance(payload, dict):
        return [prefix]
    inner = [path for key, value in payload.items() for path in paths(value, (*prefix, key))]
    return [prefix, *inner] if prefix else inner


REAL = (
    ("pull_request", pull_payload("opened")),
    ("pull_request", pull_payload("closed", **CARL_MERGED)),
    ("pull_request_review", pull_payload("submitted")),
    ("issue_comment", comment_payload()),
    ("push", push("refs/heads/main")),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("action"), inner),
    max_leaves=20,
)
NAMES = st.sampled_from([name for name, _ in REAL]) | st.just("ping") | st.text()


def digests(name: str, body: bytes) -> None:
    with suppress(BadPayload):
        assert event_of("github", name, body).reason


@given(NAMES, st.binary())
def test_any_bytes(name: str, body: bytes) -> None:
    """It gives an event or BadPayload for any bytes."""
    digests(name, body)


@given(NAMES, JSON)
def test_any_json(name: str, payload: object) -> None:
    """It gives an event or BadPayload for any JSON value."""
    digests(name, json.dumps(payload).encode())


@given(st.sampled_from(REAL), st.data(), JSON)
def test_any_field(real: tuple[str, Payload], data: st.DataObject, value: object) -> None:
    """It gives an event or BadPayload when any one field of a real payload is odd."""
    name, original = real
    payload = json.loads(json.dumps(original))
    put(payload, list(data.draw(st.sampled_from(paths(payload)))), value)
    digests(name, json.dumps(payload).encode())


@pytest.mark.parametrize(("action", "left"), [("checks_requested", False), ("destroyed", True)])
def test_merge_queue(action: str, left: bool) -> None:
    """It tells which commit a merge queue wants checked, or gave up."""
    body = {
        "action": action,
        "merge_group": {
            "head_sha": "c" * 40,
            "head_ref": "refs/heads/gh-readonly-queue/main/pr-1-" + "d" * 40,
            "base_sha": "d" * 40,
            "base_ref": "refs/heads/main",
        },
        "repository": {"full_name": "acme/infra", "default_branch": "main"},
        "sender": {"login": "queue", "type": "User"},
    }
    event = event_of("hub", "merge_group", json.dumps(body).encode())
    assert event == QueueMoved(
        RepoRef("hub", "acme/infra"),
        Sha("c" * 40),
        "main",
        "main",
        Actor(Login("queue")),
        left,
        f"merge_group {action}",
    )


def test_a_merge_queue_without_a_commit() -> None:
    """It refuses a merge group that lacks what its event promises."""
    body = {"action": "checks_requested", "merge_group": {"base_ref": "refs/heads/main"}}
    with pytest.raises(BadPayload):
        event_of("hub", "merge_group", json.dumps(body).encode())
