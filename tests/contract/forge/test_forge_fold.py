"""Outdated comments are folded: our own only, as often as it is told."""

from __future__ import annotations

from typing import Any

import pytest

from prbot.adapters.github_wire import graphql_path
from prbot.errors.forge import ForgeRefused, ForgeUnavailable

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any

MARKER = "<!-- m -->"


async def ours(scene: Scene) -> Any:
    known = await scene.port.upsert_comment(scene.ref, MARKER, f"{MARKER} old", None)
    return scene.pull.repo.comments[known]


@pytest.mark.parametrize("identity", ["token", "app"])
async def test_it_is_folded(scene: Scene) -> None:
    """It folds a comment as outdated, and does not mind that it is already."""
    comment = await ours(scene)
    for _ in range(2):
        await scene.port.minimise(scene.ref, comment.id)
    assert comment.minimised == "outdated"


async def test_somebody_elses(scene: Scene) -> None:
    """It leaves a comment that is not ours, whatever we were told."""
    comment = await scene.demo.comment(scene.pull, "bob", f"{MARKER} mine")
    await scene.port.minimise(scene.ref, comment.id)
    assert comment.minimised == ""


async def test_a_comment_that_is_gone(scene: Scene) -> None:
    """It does not mind that there is nothing to fold any more."""
    comment = await ours(scene)
    await scene.demo.delete_comment(comment, "carl")
    await scene.port.minimise(scene.ref, comment.id)
    assert scene.bodies == []


@pytest.mark.parametrize("identity", ["token", "app"])
@pytest.mark.parametrize(
    ("status", "error"), [(0, ForgeUnavailable), (502, ForgeUnavailable), (403, ForgeRefused)]
)
async def test_trouble(scene: Scene, status: int, error: type[Exception]) -> None:
    """It tells apart a forge that refuses from one that is away."""
    comment = await ours(scene)
    scene.demo.fail_next("POST", "/graphql$", status)
    with pytest.raises(error):
        await scene.port.minimise(scene.ref, comment.id)
    assert comment.minimised == ""


@pytest.mark.parametrize("identity", ["token", "app"])
async def test_a_refusal_with_status_200(scene: Scene) -> None:
    """It hears GraphQL's refusals, which come as good answers."""
    comment = await ours(scene)
    for token in scene.demo.tokens.values():
        token.permissions = {"metadata": "read", "issues": "read"}
    with pytest.raises(ForgeRefused, match="not accessible"):
        await scene.port.minimise(scene.ref, comment.id)


@pytest.mark.parametrize(
    ("api", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://ghe.acme.test/api/v3", "https://ghe.acme.test/api/graphql"),
        ("https://ghe.acme.test/api/v3/", "https://ghe.acme.test/api/graphql"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql"),
    ],
)
def test_where_it_is(api: str, graphql: str) -> None:
    """It finds the GraphQL API beside the REST API."""
    assert graphql_path(api) == graphql
