"""Who sent a GitLab webhook, and which delivery it is."""

from __future__ import annotations

import pytest

from prbot.errors.webhooks import BadToken
from prbot.intake.gitlab_door import delivery_id, verify

SECRETS = [("one", b"first secret"), ("two", b"second secret"), ("empty", b"")]


@pytest.mark.parametrize(
    ("headers", "forge"),
    [
        ({"X-Gitlab-Token": "first secret"}, "one"),
        ({"x-gitlab-token": "second secret"}, "two"),
    ],
)
def test_known_tokens(headers: dict[str, str], forge: str) -> None:
    """It names the forge whose token was sent."""
    assert verify(headers, SECRETS) == forge


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({}, "missing"),
        ({"X-Gitlab-Token": ""}, "missing"),
        ({"X-Gitlab-Token": "third secret"}, "wrong"),
        ({"X-Gitlab-Token": "First secret"}, "wrong"),
        ({"X-Gitlab-Token": "first secret "}, "wrong"),
        ({"X-Gitlab-Token": "first\udcff"}, "wrong"),
        ({"X-Gitlab-Token": "größe"}, "wrong"),
        ({"X-Hub-Signature-256": "first secret"}, "missing"),
    ],
)
def test_strangers(headers: dict[str, str], problem: str) -> None:
    """It lets nobody in with another token, none, or an empty one."""
    with pytest.raises(BadToken, match=problem):
        verify(headers, SECRETS)


UUID = {"X-Gitlab-Event-UUID": "13792a34-cac6-4fda-95a8-c58e00a3954e"}
KEY = {"Idempotency-Key": "f5e57b80-a1a0-4b5d-a1a0-1f2e3d4c5b6a"}


def test_the_same_delivery() -> None:
    """It knows a delivery again: by its key, or by event and body."""
    assert delivery_id(KEY, b"{}") == delivery_id(KEY | UUID, b"{}")
    assert delivery_id(UUID, b"{}") == delivery_id(UUID, b"{}")
    assert len(delivery_id({}, b"{}")) == len("gitlab-") + 40


def test_others() -> None:
    """It tells apart what one request set off, and what has no names at all."""
    ids = [
        delivery_id(KEY, b"{}"),
        delivery_id(UUID, b"{}"),
        delivery_id(UUID, b"[]"),
        delivery_id({}, b"{}"),
        delivery_id({"Idempotency-Key": "other"}, b"{}"),
    ]
    assert len(set(ids)) == len(ids)
