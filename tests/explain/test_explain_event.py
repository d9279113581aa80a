"""`prbot explain event`: GitHub's own example payloads, and hand-made ones of GitLab."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prbot.cli import run
from prbot.drift.issue import Kind, marker
from prbot.errors.webhooks import BadPayload
from prbot.intake.github_explained import event_name, explain

KEYS = ["kind", "repo", "number", "head_sha", "base", "actor", "draft", "fork", "reason"]
EDITIONS = ("api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35")

KINDS = {
    ("pull_request", "opened"): {"plan"},
    ("pull_request", "reopened"): {"plan"},
    ("pull_request", "ready_for_review"): {"plan"},
    ("pull_request", "synchronize"): {"plan"},
    ("pull_request", "closed"): {"merged", "closed"},
    ("pull_request", "labeled"): {"approval"},
    ("pull_request", "unlabeled"): {"approval"},
    ("pull_request_review", "submitted"): {"approval"},
    ("pull_request_review", "dismissed"): {"approval"},
    ("check_run", "completed"): {"approval"},
    ("check_suite", "completed"): {"approval"},
    ("status", ""): {"approval"},
    ("check_run", "rerequested"): {"rerun"},
    ("check_suite", "rerequested"): {"rerun"},
    ("merge_group", "checks_requested"): {"queue"},
    # a comment on a plain issue is nobody's business
    ("issue_comment", "created"): {"comment", "ignored"},
    # of the default branch; of another, of a tag, deleted
    ("push", ""): {"push", "ignored"},
    ("ping", ""): {"ping"},
    ("installation", "created"): {"installation"},
    ("installation", "deleted"): {"installation"},
    ("installation", "suspend"): {"installation"},
    ("installation", "unsuspend"): {"installation"},
    ("installation", "new_permissions_accepted"): {"installation"},
    ("installation_repositories", "added"): {"installation"},
    ("installation_repositories", "removed"): {"installation"},
}
"""By event and action; all others are ignored."""


def examples(octokit: Path, edition: str) -> Iterator[tuple[str, dict[str, Any]]]:
    index = octokit / "webhooks-examples" / edition / "index.json"
    for event in json.loads(index.read_text()):
        for payload in event["examples"]:
            yield event["name"], payload


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_example(octokit: Path, edition: str) -> None:
    """It tells the kind of each, by its header and by its shape alike."""
    seen = set()
    for name, payload in examples(octokit, edition):
        key = (name, payload.get("action", ""))
        found = explain(payload, name)
        assert found.kind in KINDS.get(key, {"ignored"}), key
        assert explain(payload, None).kind == found.kind, key
        assert found.reason
        seen.add((*key, found.kind))
    assert ("pull_request", "opened", "plan") in seen
    assert len(seen) > 20


def test_examples_hold_most_kinds(octokit: Path) -> None:
    """It meets each kind but two at least once: in no example something is merged, nor a
    comment on a pull request."""
    kinds = {explain(payload, name).kind for name, payload in examples(octokit, EDITIONS[0])}
    wanted = {kind for each in KINDS.values() for kind in each} - {"comment", "merged"}
    assert kinds == wanted


def test_shapes(octokit: Path) -> None:
    """It names the events that matter by their payloads' shape, and takes none for another."""
    telling = {name for name, _ in KINDS}
    for name, payload in examples(octokit, EDITIONS[0]):
        guess = event_name(payload)
        if name in telling or guess in telling:
            assert guess == name


# --- the document ------------------------------------------------------------------------

HEAD = "a" * 40
REPOSITORY = {"full_name": "acme/infra", "default_branch": "main", "id": 1}
PULL = {
    "number": 5,
    "draft": False,
    "merged": False,
    "head": {"ref": "topic", "sha": HEAD, "repo": {"full_name": "acme/infra", "id": 1}},
    "base": {"ref": "main", "sha": "b" * 40, "repo": {"id": 1}},
}
SENDER = {"login": "ann", "type": "User"}
AROUND = {"repository": REPOSITORY, "sender": SENDER}
CARL = {"login": "carl", "type": "User"}
GITLAB_PROJECT = {"path_with_namespace": "acme/platform/infra", "default_branch": "main"}


def on_pull(action: str, **odd: Any) -> dict[str, Any]:
    return {"action": action, "number": 5, "pull_request": PULL | odd, **AROUND}


def document(*values: object) -> dict[str, object]:
    return dict(zip(KEYS, values, strict=True))


PLANNED = ("acme/infra", 5, HEAD, "main", "ann", False, False)
CHECK = {"id": 3, "head_sha": HEAD, "app": {"slug": "prbot"}, "pull_requests": [PULL]}
MARKER = f"<!-- {marker('0a1b2c3d4e5f', Kind.DRIFT, 'acme/infra app')} -->"
ABOUT_DRIFT = {"number": 7, "body": f"{MARKER}\nwords about drift"}
ISSUE = {"number": 5, "pull_request": {"url": "x"}, "draft": True}
COMMENT = {"id": 1, "body": "plan", "user": CARL, "created_at": "2026-01-02T03:04:05Z"}
GROUP = {"head_sha": HEAD, "head_ref": "refs/heads/q", "base_ref": "refs/heads/main"}
BRANCH = {"before": "b" * 40, "after": HEAD, **AROUND}
ROWS = {
    "opened": (on_pull("opened"), document("plan", *PLANNED, "opened")),
    "a draft": (
        on_pull("synchronize", draft=True),
        document("plan", *PLANNED[:5], True, False, "synchronize"),
    ),
    "a fork": (
        on_pull("opened", head={"sha": HEAD, "repo": {"full_name": "eve/infra", "id": 2}}),
        document("plan", *PLANNED[:6], True, "opened"),
    ),
    "a fork that is gone": (
        on_pull("opened", head={"sha": HEAD, "repo": None}),
        document("plan", *PLANNED[:6], True, "opened"),
    ),
    "another base": (
        on_pull("edited") | {"changes": {"base": {"ref": {"from": "old"}}}},
        document("plan", *PLANNED, "base changed"),
    ),
    "another title": (
        on_pull("edited") | {"changes": {"title": {"from": "old"}}},
        document("ignored", *PLANNED, "pull_request edited"),
    ),
    "merged by somebody": (
        on_pull("closed", merged=True, merged_by=CARL),
        document("merged", *PLANNED[:4], "carl", False, False, "merged"),
    ),
    "closed": (on_pull("closed"), document("closed", *PLANNED, "closed")),
    "labeled": (on_pull("labeled"), document("approval", *PLANNED, "pull_request labeled")),
    "reviewed": (
        on_pull("submitted") | {"review": {"state": "approved"}},
        document("approval", *PLANNED, "review submitted"),
    ),
    "a comment": (
        {"action": "created", "issue": ISSUE, "comment": COMMENT, **AROUND},
        document("comment", "acme/infra", 5, None, None, "carl", True, None, "commented"),
    ),
    "a comment edited": (
        {"action": "edited", "issue": ISSUE, "comment": COMMENT, **AROUND},
        document(
            *("ignored", "acme/infra", 5, None, None, "ann", True, None, "issue_comment edited")
        ),
    ),
    "a comment on an issue": (
        {"action": "created", "issue": {"number": 7}, "comment": COMMENT, **AROUND},
        document(
            *("ignored", "acme/infra", None, None, None, "ann", None, None, "comment on an issue")
        ),
    ),
    "a comment on an issue about drift": (
        {"action": "created", "issue": ABOUT_DRIFT, "comment": COMMENT, **AROUND},
        document(
            *("comment", "acme/infra", 7, None, None, "carl", None, None, "comment on an issue")
        ),
    ),
    "a bot's comment on an issue about drift": (
        {
            "action": "created",
            "issue": ABOUT_DRIFT,
            "comment": COMMENT | {"user": {"login": "x[bot]", "type": "Bot"}},
            **AROUND,
        },
        document(
            *("ignored", "acme/infra", None, None, None, "ann", None, None, "comment by a bot")
        ),
    ),
    "a comment on an issue that quotes one about drift": (
        {
            "action": "created",
            "issue": {"number": 7, "body": f"See:\n> {MARKER}\nand so on"},
            "comment": COMMENT,
            **AROUND,
        },
        document(
            *("ignored", "acme/infra", None, None, None, "ann", None, None, "comment on an issue")
        ),
    ),
    "re-run": (
        {"action": "rerequested", "check_run": CHECK, **AROUND},
        document("rerun", *PLANNED, "check_run rerequested"),
    ),
    "a button that applies": (
        {
            "action": "requested_action",
            "check_run": CHECK,
            "requested_action": {"identifier": "apply"},
            **AROUND,
        },
        document("comment", *PLANNED, "check_run requested_action"),
    ),
    "a button that plans": (
        {
            "action": "requested_action",
            "check_run": CHECK,
            "requested_action": {"identifier": "rerun"},
            **AROUND,
        },
        document("rerun", *PLANNED, "check_run requested_action"),
    ),
    "re-run of a commit without a pull request": (
        {"action": "rerequested", "check_suite": CHECK | {"pull_requests": []}, **AROUND},
        document(
            *("rerun", "acme/infra", None, HEAD, None, "ann", None, None),
            "check_suite rerequested",
        ),
    ),
    "queued": (
        {"action": "checks_requested", "merge_group": GROUP, **AROUND},
        document(
            *("queue", "acme/infra", None, HEAD, "main", "ann", None, None),
            "merge_group checks_requested",
        ),
    ),
    "out of the queue": (
        {"action": "destroyed", "merge_group": GROUP, **AROUND},
        document(
            *("ignored", "acme/infra", None, HEAD, "main", "ann", None, None),
            "merge_group destroyed",
        ),
    ),
    "a push": (
        {"ref": "refs/heads/main", **BRANCH},
        document("push", "acme/infra", None, HEAD, "main", "ann", None, None, "pushed"),
    ),
    "a push to a topic": (
        {"ref": "refs/heads/topic", **BRANCH},
        document(
            *("ignored", "acme/infra", None, HEAD, "topic", "ann", None, None),
            "push to another branch than the default",
        ),
    ),
    "a status": (
        {"sha": HEAD, "state": "success", "context": "ci", **AROUND},
        document("approval", "acme/infra", None, HEAD, None, "ann", None, None, "status"),
    ),
    "a ping": (
        {"zen": "Design for failure.", "hook_id": 1},
        document("ping", None, None, None, None, None, None, None, "ping"),
    ),
    "nothing": (
        {},
        document("ignored", *[None] * 7, "an event without a name"),
    ),
}


@pytest.mark.parametrize(("payload", "expected"), ROWS.values(), ids=ROWS)
def test_document(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    payload: dict[str, Any],
    expected: dict[str, object],
) -> None:
    """It prints every key, and as much as the payload says."""
    file = tmp_path / "body.json"
    file.write_text(json.dumps(payload))
    assert run(["explain", "event", "--forge", "github", "--json", str(file)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == KEYS
    assert told == expected


MERGE = {
    "iid": 5,
    "target_branch": "main",
    "source_project_id": 2,
    "target_project_id": 1,
    "last_commit": {"id": HEAD},
    "draft": True,
    "action": "open",
}
USER = {"user": {"username": "ann"}, "project": GITLAB_PROJECT}
NOTE = {
    "id": 1,
    "note": "prbot plan",
    "noteable_type": "MergeRequest",
    "created_at": "2026-01-02 03:04:05 UTC",
}
TRAIN = {"ref": "refs/merge-requests/5/train", "status": "running", "sha": HEAD}
ON_MERGE = ("acme/platform/infra", 5, HEAD, "main", "ann", True, True)
GITLAB = {
    "opened": (
        {"object_kind": "merge_request", "object_attributes": MERGE, **USER},
        document("plan", *ON_MERGE, "opened"),
    ),
    "merged": (
        {"object_kind": "merge_request", "object_attributes": MERGE | {"action": "merge"}, **USER},
        document("merged", *ON_MERGE, "merged"),
    ),
    "approved": (
        {
            "object_kind": "merge_request",
            "object_attributes": MERGE | {"action": "approved"},
            **USER,
        },
        document("approval", *ON_MERGE, "approved"),
    ),
    "a note": (
        {"object_kind": "note", "object_attributes": NOTE, "merge_request": MERGE, **USER},
        document("comment", *ON_MERGE, "commented"),
    ),
    "a note on an issue about drift": (
        {
            "object_kind": "note",
            "object_attributes": NOTE | {"noteable_type": "Issue"},
            "issue": {"iid": 9, "description": f"words\n\n{MARKER}"},
            **USER,
        },
        document(
            *("comment", "acme/platform/infra", 9, None, None, "ann", None, None),
            "comment on an issue",
        ),
    ),
    "a note on another issue": (
        {
            "object_kind": "note",
            "object_attributes": NOTE | {"noteable_type": "Issue"},
            "issue": {"iid": 9, "description": None},
            **USER,
        },
        document(
            *("ignored", "acme/platform/infra", None, None, None, "ann", None, None),
            "comment on an issue",
        ),
    ),
    "a push": (
        {
            "object_kind": "push",
            "ref": "refs/heads/main",
            "after": HEAD,
            "user_username": "ann",
            "project": GITLAB_PROJECT,
        },
        document("push", "acme/platform/infra", None, HEAD, "main", "ann", None, None, "pushed"),
    ),
    "a merge train": (
        {
            "object_kind": "pipeline",
            "object_attributes": TRAIN,
            "merge_request": {"iid": 5, "target_branch": "main"},
            **USER,
        },
        document(
            *("queue", "acme/platform/infra", 5, HEAD, "main", "ann", None, None, "merge train")
        ),
    ),
    "another": (
        {"object_kind": "wiki_page", **USER},
        document(
            *("ignored", "acme/platform/infra", None, None, None, "ann", None, None, "wiki_page")
        ),
    ),
}


@pytest.mark.parametrize(("payload", "expected"), GITLAB.values(), ids=GITLAB)
def test_gitlab(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    payload: dict[str, Any],
    expected: dict[str, object],
) -> None:
    """It reads GitLab's too, here from stdin."""
    body = io.TextIOWrapper(io.BytesIO(json.dumps(payload).encode()))
    monkeypatch.setattr("sys.stdin", body)
    assert run(["explain", "event", "--forge=gitlab", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == expected


def test_header_of_gitlab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It goes by --event where the body does not name itself."""
    file = tmp_path / "body.json"
    file.write_text(json.dumps({"object_attributes": MERGE, **USER}))
    words = ["explain", "event", str(file), "--forge", "gitlab"]
    assert run([*words, "--event", "Merge Request Hook"]) == 0
    assert capsys.readouterr().out.startswith("plan: opened\n")
    assert run(words) == 0
    assert capsys.readouterr().out.startswith("ignored: an event without a name\n")


def test_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It tells people the same in words, with nothing that a terminal acts on."""
    file = tmp_path / "body.json"
    file.write_text(json.dumps(on_pull("opened") | {"sender": {"login": "a\x1b[2Jb"}}))
    assert run(["explain", "event", "--forge", "github", str(file)]) == 0
    assert capsys.readouterr().out == (
        f"plan: opened\n    repo: acme/infra\n    number: 5\n    head_sha: {HEAD}\n"
        "    base: main\n    actor: a?[2Jb\n    draft: no\n    fork: no\n"
    )


UNREADABLE = {
    "not JSON": (b'{\n  "a": }', "line 2, column 8: this is not JSON"),
    "empty": (b"", "line 1, column 1"),
    "a form": (b"payload=%7B%7D", "line 1"),
    "a list": (b"[]", "not a JSON object"),
    "not text": (b'{"a": "\xff"}', "not UTF-8"),
    "too deep": (b"[" * 200_000, "too deeply nested"),
    "a long number": (b'{"a": ' + b"9" * 10_000 + b"}", "number too long"),
    "half a payload": (
        b'{"action": "opened", "number": 1, "pull_request": {}, "repository": {}}',
        "pull_request.number",
    ),
}


@pytest.mark.parametrize(("body", "words"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: bytes, words: str
) -> None:
    """It says in a sentence why the file cannot be read, and exits 1."""
    file = tmp_path / "body.json"
    file.write_bytes(body)
    assert run(["explain", "event", "--forge", "github", "--json", str(file)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert words in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nowhere.json", "--forge", "github"], 1),
        ([".", "--forge", "github"], 1),
        (["x.json"], 64),
        (["--forge", "github"], 64),
        (["x.json", "--forge", "bitbucket"], 64),
        (["x.json", "y.json", "--forge", "github"], 64),
    ],
)
def test_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
) -> None:
    """It tells a wrong command line from a file that is not there."""
    monkeypatch.chdir(tmp_path)
    assert run(["explain", "event", *words]) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err


def test_named_otherwise() -> None:
    """It goes by the header, and refuses a payload that is not what it says."""
    assert explain(on_pull("opened"), "star").kind == "ignored"
    with pytest.raises(BadPayload):
        explain({"zen": "x"}, "pull_request")
