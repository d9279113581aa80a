"""GitLab's webhook door over HTTP: the token first, then the body, then 202."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from prbot.adapters.store import SqlStore
from prbot.web import hooks, server

TOKEN = "token of the door"
PUSH = {
    "object_kind": "push",
    "ref": "refs/heads/main",
    "after": "a" * 40,
    "user_username": "alice",
    "project": {"path_with_namespace": "acme/platform/infra", "default_branch": "main"},
}
GOOD = {
    "X-Gitlab-Token": TOKEN,
    "X-Gitlab-Event": "Push Hook",
    "X-Gitlab-Event-UUID": "13792a34-cac6-4fda-95a8-c58e00a3954e",
}


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def url(store: SqlStore) -> AsyncIterator[str]:
    """A door with a GitHub's secret and a GitLab's."""
    door = hooks.Door(
        store, Clock(), [("hub", b"hub's")], 4096, lambda: None, [("lab", TOKEN.encode())]
    )
    runner, port = await server.listen(server.application(door, lambda: True), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}/hooks"
    await runner.cleanup()


async def post(url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as client,
        client.post(url, data=body, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


def body(**changes: object) -> bytes:
    return json.dumps(PUSH | changes).encode()


async def test_stored_once(url: str, store: SqlStore) -> None:
    """It stores a delivery before it answers, and the same one once."""
    first = await post(f"{url}/gitlab", GOOD, body())
    again = await post(f"{url}/gitlab", GOOD, body())
    other = await post(f"{url}/gitlab", GOOD, body(after="b" * 40))
    assert [status for status, _ in (first, again, other)] == [202, 202, 202]
    assert [said["new"] for _, said in (first, again, other)] == [True, False, True]
    async with store.begin() as unit:
        waiting = await unit.deliveries.waiting("lab")
    assert [(one.event, json.loads(one.body)["after"][0]) for one in waiting] == [
        ("Push Hook", "a"),
        ("Push Hook", "b"),
    ]


@pytest.mark.parametrize(
    ("name", "headers", "content", "status"),
    [
        ("group hook", {}, body(), 202),
        ("system hook", {"X-Gitlab-Event": "System Hook"}, body(object_kind=None), 202),
        ("unknown event", {"X-Gitlab-Event": "Emoji Hook"}, b'{"object_kind":"emoji"}', 202),
        ("no token", {"X-Gitlab-Token": ""}, body(), 401),
        ("another token", {"X-Gitlab-Token": "hub's"}, body(), 401),
        ("no event", {"X-Gitlab-Event": ""}, body(), 400),
        ("not JSON", {}, b"x", 400),
        ("not an object", {}, b"[]", 400),
        ("lacks a field", {}, body(ref=None), 400),
        ("too large", {}, b" " * 5000, 413),
        ("too large and a stranger's", {"X-Gitlab-Token": "x"}, b" " * 5000, 401),
    ],
)
async def test_door(
    url: str, name: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    """It answers each with its status, and says what to do about a refusal."""
    got, said = await post(f"{url}/gitlab", GOOD | headers, content)
    assert got == status, said
    assert status == 202 or (said["error"] and said["hint"])


async def test_doors_are_apart(url: str) -> None:
    """It lets nobody in at GitHub's door with a GitLab's token."""
    status, said = await post(f"{url}/github", GOOD, body())
    assert (status, said["error"]) == (401, "The webhook's signature is missing.")
