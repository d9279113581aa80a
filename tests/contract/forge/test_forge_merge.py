"""Merging a pull request at exactly one head, and deleting its branch, once."""

from __future__ import annotations

from typing import Any

import pytest

from prbot.demo.state import Protection
from prbot.errors.forge import ForgeRefused, ForgeUnavailable, NotMergeable
from prbot.model import Sha

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any
RIGHTS = {"contents": "write", "pull_requests": "write", "metadata": "read"}


@pytest.fixture
def may_merge(scene: Scene) -> Scene:
    """The App was granted what it needs to merge."""
    if scene.app is not None:
        scene.app.permissions.update(RIGHTS)
    return scene


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_merge(may_merge: Scene, method: str) -> None:
    scene = may_merge
    await scene.port.merge(scene.ref, Sha(scene.pull.head_sha), method)
    assert scene.pull.merged
    assert scene.pull.merged_by.login == scene.bot


async def test_merged_before(may_merge: Scene) -> None:
    """It leaves what was merged, by whomever, and takes an answer that was lost for none."""
    scene = may_merge
    scene.demo.fail_next("PUT", "/merge$", 0, after=True)
    with pytest.raises(ForgeUnavailable):
        await scene.port.merge(scene.ref, Sha(scene.pull.head_sha), "merge")
    merged = scene.pull.merge_sha
    await scene.port.merge(scene.ref, Sha(scene.pull.head_sha), "merge")
    assert scene.pull.merge_sha == merged


async def test_another_head(may_merge: Scene) -> None:
    """It merges exactly the head it was told."""
    with pytest.raises(NotMergeable, match=may_merge.wire.other_head):
        await may_merge.port.merge(may_merge.ref, Sha("1" * 40), "merge")
    assert not may_merge.pull.merged


async def test_protected(may_merge: Scene) -> None:
    """It says what the branch's protection requires."""
    scene = may_merge
    scene.demo.protect("acme/infra", "main", Protection(required_checks=("ci",)))
    with pytest.raises(NotMergeable, match="ci"):
        await scene.port.merge(scene.ref, Sha(scene.pull.head_sha), "merge")
    assert not scene.pull.merged


async def test_no_right_to(scene: Scene) -> None:
    """It says that it may not, where an App was not granted the contents."""
    if scene.app is None:
        pytest.skip("tokens of people may merge")
    with pytest.raises(NotMergeable, match="not accessible"):
        await scene.port.merge(scene.ref, Sha(scene.pull.head_sha), "merge")
    with pytest.raises(ForgeRefused, match="not accessible"):
        await scene.port.delete_branch(scene.ref, "topic", Sha(scene.pull.head_sha))


async def test_delete_branch(may_merge: Scene) -> None:
    """It deletes a branch where it was merged, and leaves one that went on or is gone."""
    scene = may_merge
    await scene.port.delete_branch(scene.ref, "topic", Sha("1" * 40))
    assert "topic" in scene.pull.repo.branches
    await scene.port.delete_branch(scene.ref, "topic", Sha(scene.pull.head_sha))
    assert "topic" not in scene.pull.repo.branches
    await scene.port.delete_branch(scene.ref, "topic", Sha(scene.pull.head_sha))
