"""What comes to the door and is no good: answered at once, and the service goes on."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import aiohttp
import pytest
from town import HOOK_SECRET, REPOSITORY, Town

PING = json.dumps({"zen": "Keep it logically awesome.", "hook_id": 1}).encode()
PUSH = json.dumps(
    {
        "object_kind": "push",
        "ref": "refs/heads/main",
        "after": "a" * 40,
        "user_username": "alice",
        "project": {"path_with_namespace": "acme/infra", "default_branch": "main"},
    }
).encode()
GOOD = {"github": PING, "gitlab": PUSH}


def signed(body: bytes, algorithm: str = "sha256", secret: str = HOOK_SECRET) -> str:
    return f"{algorithm}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"


def headers(kind: str, body: bytes, **changes: str | None) -> dict[str, str]:
    """What this forge sends along, and how it is said to be its own."""
    github = {
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": hashlib.sha256(body).hexdigest(),
        "X-Hub-Signature-256": signed(body),
    }
    gitlab = {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": HOOK_SECRET}
    given: dict[str, str | None] = {"Content-Type": "application/json"}
    given |= github if kind == "github" else gitlab
    given |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in given.items() if value is not None}


UNSIGNED: dict[str, str | None] = {"X_Hub_Signature_256": None}
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
Case = tuple[str, bytes, dict[str, str | None], int]
CASES: dict[str, list[Case]] = {
    "github": [
        ("good", PING, {}, 202),
        ("unknown event", b'{"action": "x"}', {"X_GitHub_Event": "never_heard_of"}, 202),
        ("missing signature", PING, UNSIGNED, 401),
        ("wrong secret", PING, {"X_Hub_Signature_256": signed(PING, secret="other")}, 401),
        ("another body's signature", PING, {"X_Hub_Signature_256": signed(b"{}")}, 401),
        ("sha1 only", PING, {**UNSIGNED, "X_Hub_Signature": signed(PING, "sha1")}, 401),
        ("sha1 under the new name", PING, {"X_Hub_Signature_256": signed(PING, "sha1")}, 401),
        ("not hexadecimal", PING, {"X_Hub_Signature_256": "sha256=zz"}, 401),
        ("too large", b" " * 5000, {}, 413),
        ("not JSON", b"zen=x", {}, 400),
        ("not an object", b"[]", {}, 400),
        ("not UTF-8", b"\xff\xfe", {}, 400),
        ("no delivery id", PING, {"X_GitHub_Delivery": None}, 400),
        ("no event", PING, {"X_GitHub_Event": None}, 400),
        ("a form", b"payload=%7B%7D", {**FORM}, 400),
    ],
    "gitlab": [
        ("good", PUSH, {}, 202),
        ("unknown event", b'{"object_kind": "x"}', {"X_Gitlab_Event": "Emoji Hook"}, 202),
        ("missing token", PUSH, {"X_Gitlab_Token": None}, 401),
        ("another token", PUSH, {"X_Gitlab_Token": "other"}, 401),
        ("a signature instead", PUSH, {"X_Gitlab_Token": signed(PUSH)}, 401),
        ("too large", b" " * 5000, {}, 413),
        ("not JSON", b"zen=x", {}, 400),
        ("not an object", b"[]", {}, 400),
        ("not UTF-8", b"\xff\xfe", {}, 400),
        ("no event", PUSH, {"X_Gitlab_Event": None}, 400),
        ("a form", b"payload=%7B%7D", {**FORM}, 400),
    ],
}


async def test_door(town: Town) -> None:
    """It answers each with its status, says what to do about a refusal, and goes on."""
    kind = town.forge.customs.kind
    limits = town.config.limits.model_copy(update={"max_payload": 4096})
    await town.start(limits=limits)
    found, mute = {}, []
    async with aiohttp.ClientSession() as client:
        for name, body, changes, _ in CASES[kind]:
            given = headers(kind, body, **changes)
            async with client.post(town.door, data=body, headers=given) as answer:
                told = await answer.json()
                found[name] = answer.status
                if answer.status != 202 and not (told["error"] and told["hint"]):
                    mute.append(name)
            good = GOOD[kind]
            async with client.post(town.door, data=good, headers=headers(kind, good)) as answer:
                assert answer.status == 202, f"after {name}"
    assert found == {name: status for name, _, _, status in CASES[kind]}
    assert mute == []


async def test_too_large_without_length(town: Town) -> None:
    """It stops reading a body that hides its length."""
    limits = town.config.limits.model_copy(update={"max_payload": 4096})
    await town.start(limits=limits)

    async def endless():  # type: ignore[no-untyped-def]  # an async generator of bytes
        for _ in range(64):
            yield b" " * 1024

    async with aiohttp.ClientSession() as client:
        given = headers(town.forge.customs.kind, b"")
        async with client.post(town.door, data=endless(), headers=given) as answer:
            assert answer.status == 413


async def test_same_delivery_once(town: Town) -> None:
    """It stores a delivery once, however often it is sent."""
    await town.start()
    kind = town.forge.customs.kind
    good = GOOD[kind]
    async with aiohttp.ClientSession() as client:
        news = []
        for _ in range(3):
            async with client.post(town.door, data=good, headers=headers(kind, good)) as answer:
                news.append((await answer.json())["new"])
    assert news == [True, False, False]


async def test_health(town: Town) -> None:
    """It is alive and ready once started."""
    prbot = await town.start()
    async with aiohttp.ClientSession() as client:
        for path in ("/healthz", "/readyz"):
            async with client.get(f"{prbot.url}{path}") as answer:
                assert answer.status == 200


@pytest.mark.only_forge("github", "GitLab publishes no examples to fetch; see tests/intake")
async def test_every_example_of_github(town: Town, octokit: Path) -> None:
    """It takes every payload GitHub publishes, and goes on: none is an error of ours."""
    prbot = await town.start()
    examples = sorted((octokit / "webhooks-examples" / "api.github.com").glob("*.json"))
    examples = examples or sorted((octokit / "webhooks-examples").rglob("api.github.com/*.json"))
    assert examples
    sent = 0
    async with aiohttp.ClientSession() as client:
        for entry in (e for path in examples for e in json.loads(path.read_text())):
            for example in entry["examples"]:
                body = json.dumps(example).encode()
                changes = {"X_GitHub_Event": entry["name"]}
                given = headers("github", body, **changes)
                async with client.post(town.door, data=body, headers=given) as answer:
                    assert answer.status == 202, (entry["name"], await answer.text())
                sent += 1
    assert sent > 200
    await digested(town)
    assert prbot.service.ready


async def digested(town: Town) -> None:
    """A comment that is answered proves that everything before it was digested."""
    clone = await town.build({"README.md": "Hello.\n"})
    await clone.push("topic", "Change", {"README.md": "Hello again.\n"})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.forge.comment(pull, "alice", "prbot help")
    await town.hears(pull, "prbot plan")
