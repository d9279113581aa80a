"""The demo forge's webhooks: signed, in order, and shaped as GitHub's schemas demand."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prbot.demo.forge import DemoForge
from prbot.demo.hooks import Hook
from prbot.demo.state import Protection, Pull

if TYPE_CHECKING:
    from conftest import Descriptions, Receiver, Tools

SPOKEN = {
    "ping",
    "push",
    "status",
    "pull_request opened",
    "pull_request synchronize",
    "pull_request reopened",
    "pull_request closed",
    "pull_request edited",
    "pull_request ready_for_review",
    "pull_request converted_to_draft",
    "issue_comment created",
    "issue_comment edited",
    "issue_comment deleted",
    "pull_request_review submitted",
    "pull_request_review dismissed",
    "issues opened",
    "issues edited",
    "issues closed",
    "issues reopened",
}


def _name(event: str, payload: dict[str, Any]) -> str:
    return f"{event} {payload.get('action', '')}".strip()


async def _push(forge: DemoForge, tools: Tools, directory: Path) -> None:
    """Commit to `topic` in a clone of the bare repository, past HTTP."""
    bare = forge.repository("acme/infra").git.path
    tools.git(directory, "clone", "--quiet", "--branch", "topic", str(bare), ".")
    tools.commit(directory, "More", {"more.tf": "c = 1\n", "main.tf": None, "new/ünï.tf": "b\n"})
    tools.git(directory, "push", "--quiet", "origin", "topic")
    await forge.refresh("acme/infra", "alice")


async def test_every_webhook_fits_githubs_schema(
    forge: DemoForge, hook: Hook, descriptions: Descriptions, tools: Tools, tmp_path: Path
) -> None:
    """It sends nothing through a pull request's life that GitHub's schemas do not allow."""
    work = tmp_path / "work"
    work.mkdir()
    repo = forge.repository("acme/infra")
    forge.protect("acme/infra", "main", Protection(dismiss_stale=True))
    pull = await forge.open_pull("acme/infra", head="topic", title="T", author="alice", draft=True)
    await forge.ready_for_review(pull, "alice")
    await forge.convert_to_draft(pull, "alice")
    await forge.ready_for_review(pull, "alice")
    comment = await forge.comment(pull, "bob", "plan")
    await forge.edit_comment(comment, "bob", "plan -d a")
    await forge.delete_comment(comment, "bob")
    await forge.review(pull, "bob", "APPROVE")
    await _push(forge, tools, work)
    await forge.close(pull, "alice")
    await forge.reopen(pull, "alice")
    await forge.change_base(pull, "alice", "late")
    await forge.change_base(pull, "alice", "main")
    await forge.set_status(repo, pull.head_sha, "prbot", "success", "prbot/plan", "1 project")
    issue = await forge.open_issue(repo, "bob", "An issue", "words", ["drift"])
    await forge.edit_issue(issue, "bob", "Another", "other words")
    await forge.set_issue_open(issue, "bob", False)
    await forge.set_issue_open(issue, "bob", True)
    await forge.merge(pull, "bob")
    tools.git(work, "push", "--quiet", "origin", ":topic")
    await forge.refresh("acme/infra")
    sent = [(_name(d.event, d.payload), d) for d in forge.deliveries]
    found = [(name, descriptions.webhook_faults(d.event, d.payload)) for name, d in sent]
    assert [(name, faults) for name, faults in found if faults] == []
    assert {name for name, _ in sent} == SPOKEN


async def test_webhooks_of_checks_fit(
    forge: DemoForge, hook: Hook, descriptions: Descriptions
) -> None:
    """It tells of check runs, of their buttons and of "Re-run" as GitHub's schemas allow."""
    app = forge.create_app("helper", "acme", b"", {"checks": "write"})
    forge.install(app, ["acme/infra"])
    pull = await forge.open_pull("acme/infra", head="topic", title="T", author="alice")
    begun = {"name": "a", "head_sha": pull.head_sha, "status": "in_progress"}
    run = await forge.create_check_run(pull.repo, app, begun)
    action = {"label": "Apply", "identifier": "apply", "description": "apply it"}
    done = {"conclusion": "success", "actions": [action], "external_id": "7"}
    await forge.update_check_run(pull.repo, run, app, done)
    await forge.press(pull.repo, run, "bob", "apply")
    await forge.press(pull.repo, run, "bob", "rerequest")
    await forge.rerequest_suite(pull.repo, run, "bob")
    sent = [d for d in forge.deliveries if d.event.startswith("check_")]
    assert [_name(d.event, d.payload) for d in sent] == [
        "check_run created",
        "check_run completed",
        "check_run requested_action",
        "check_run rerequested",
        "check_suite rerequested",
    ]
    assert [fault for d in sent for fault in descriptions.webhook_faults(d.event, d.payload)] == []
    numbers = [p["number"] for p in sent[2].payload["check_run"]["pull_requests"]]
    assert (numbers, sent[2].payload["sender"]["login"]) == ([pull.number], "bob")


async def test_webhooks_of_an_installed_app_fit_too(
    forge: DemoForge, hook: Hook, descriptions: Descriptions
) -> None:
    """It names the installation when an App is installed, as the schemas allow."""
    app = forge.create_app("helper", "acme", b"", {})
    installation = forge.install(app, ["acme/infra"])
    await forge.open_pull("acme/infra", head="topic", title="T", author="alice")
    opened = forge.deliveries[-1]
    assert descriptions.webhook_faults(opened.event, opened.payload) == []
    assert opened.payload["installation"]["id"] == installation.id


async def test_webhooks_are_signed(
    forge: DemoForge, hook: Hook, receiver: Receiver, pull: Pull
) -> None:
    """It signs the very bytes it sends, under GitHub's header names."""
    await forge.settled()
    headers, body = receiver.got[-1]
    expected = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={expected}"
    assert headers["X-GitHub-Event"] == "pull_request"
    assert headers["X-GitHub-Delivery"] == forge.deliveries[-1].id
    assert json.loads(body)["number"] == pull.number


async def test_webhooks_arrive_in_order(
    forge: DemoForge, hook: Hook, receiver: Receiver, pull: Pull
) -> None:
    """It delivers in the order things happened, a ping first."""
    for n in range(5):
        await forge.comment(pull, "bob", f"word {n}")
    await forge.settled()
    events = [headers["X-GitHub-Event"] for headers, _ in receiver.got]
    words = [json.loads(body).get("comment", {}).get("body") for _, body in receiver.got]
    assert events == ["ping", "pull_request"] + ["issue_comment"] * 5
    assert words[2:] == [f"word {n}" for n in range(5)]


async def test_failed_deliveries_are_kept_and_sent_again_on_demand(
    forge: DemoForge, hook: Hook, receiver: Receiver, pull: Pull
) -> None:
    """It records the answer, does not retry by itself, and redelivers under the same id."""
    receiver.status = 503
    await forge.comment(pull, "bob", "lost?")
    await forge.settled()
    failed = forge.deliveries[-1]
    assert (failed.status, failed.attempts) == (503, 1)
    receiver.status = 202
    forge.redeliver(failed.id)
    await forge.settled()
    ids = [headers["X-GitHub-Delivery"] for headers, _ in receiver.got]
    assert (failed.status, failed.attempts, ids.count(failed.id)) == (202, 2, 2)


async def test_a_receiver_that_is_not_there_is_recorded(forge: DemoForge, pull: Pull) -> None:
    """It goes on when nobody listens, and says why a delivery failed."""
    forge.add_hook("http://127.0.0.1:9/hooks", "secret")
    await forge.comment(pull, "bob", "anybody?")
    await forge.settled()
    assert [(d.status, bool(d.error)) for d in forge.deliveries] == [(None, True)] * 2


async def test_deliveries_can_be_lost_repeated_and_reordered(
    forge: DemoForge, hook: Hook, receiver: Receiver, pull: Pull
) -> None:
    """It loses, repeats and reorders deliveries when a test asks for it."""
    await forge.settled()
    receiver.got.clear()
    forge.courier.lose_next("issue_comment")
    forge.courier.repeat_next("pull_request_review")
    forge.courier.hold()
    await forge.comment(pull, "bob", "never heard")
    await forge.review(pull, "bob", "APPROVE")
    await forge.comment(pull, "bob", "heard")
    forge.courier.release(order=lambda waiting: waiting[::-1])
    await forge.settled()
    events = [headers["X-GitHub-Event"] for headers, _ in receiver.got]
    ids = [headers["X-GitHub-Delivery"] for headers, _ in receiver.got]
    assert events == ["issue_comment", "pull_request_review", "pull_request_review"]
    assert ids[1] == ids[2]


async def test_hooks_hear_only_what_they_asked_for(forge: DemoForge, receiver: Receiver) -> None:
    """It keeps other events and other repositories from a hook that named its own."""
    forge.add_hook(receiver.url, "s", events=["push"], repository="acme/secret")
    pull = await forge.open_pull("acme/secret", head="topic", title="T", author="alice")
    await forge.merge(pull, "bob")
    other = await forge.open_pull("acme/infra", head="topic", title="T", author="alice")
    await forge.merge(other, "bob")
    await forge.settled()
    heard = [(headers["X-GitHub-Event"], json.loads(body)) for headers, body in receiver.got]
    assert [event for event, _ in heard] == ["ping", "push"]
    assert heard[1][1]["repository"]["full_name"] == "acme/secret"
