"""Merges that GitLab makes by itself: once a pipeline has ended, and in a merge train.

https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request,
https://docs.gitlab.com/api/merge_trains/
"""

from __future__ import annotations

from typing import Any

import pytest

from prbot.demo.state import Protection
from prbot.errors.forge import NotMergeable
from prbot.model import Sha

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any
pytestmark = pytest.mark.parametrize("identity", ["personal"])


async def piped(scene: Scene, state: str) -> None:
    """The branch requires a pipeline, which stands so."""
    scene.demo.protect("acme/infra", "main", Protection(required_checks=("ci",)))
    await says(scene, state)


async def says(scene: Scene, state: str) -> None:
    await scene.demo.set_status(scene.pull.repo, scene.pull.head_sha, "bob", state, "ci")


async def merge(
    scene: Scene, head: str | None = None, *, method: str = "merge", tidy: bool = False
) -> bool:
    sha = Sha(head or scene.pull.head_sha)
    return bool(await scene.port.merge(scene.ref, sha, method, delete_branch=tidy))


async def test_merged_at_once(scene: Scene) -> None:
    """It merges at once what nothing stands against."""
    assert await merge(scene)
    assert scene.pull.merged


async def test_pipeline_still_runs(scene: Scene) -> None:
    """It has GitLab merge this head when the pipeline ends well, and delete the branch then."""
    await piped(scene, "pending")
    assert not await merge(scene, method="squash", tidy=True)
    assert scene.pull.open
    assert "topic" in scene.pull.repo.branches
    await says(scene, "success")
    assert (scene.pull.merged, scene.pull.merge_kind) == (True, "squash")
    assert scene.pull.merged_by.login == scene.bot
    assert "topic" not in scene.pull.repo.branches


async def test_asked_again(scene: Scene) -> None:
    """It leaves what GitLab merges by itself already, should the first answer have been lost."""
    await piped(scene, "pending")
    assert not await merge(scene)
    assert not await merge(scene)
    await says(scene, "success")
    assert scene.pull.merged
    assert await merge(scene)


async def test_another_head_while_it_runs(scene: Scene) -> None:
    """It lets nothing be merged but the head it was told."""
    await piped(scene, "pending")
    with pytest.raises(NotMergeable, match="SHA does not match"):
        await merge(scene, "1" * 40)
    await says(scene, "success")
    assert scene.pull.open


@pytest.mark.parametrize("state", ["failure", "error"])
async def test_pipeline_failed(state: str, scene: Scene) -> None:
    """It waits for no pipeline that has ended badly."""
    await piped(scene, state)
    with pytest.raises(NotMergeable, match="ci must pass"):
        await merge(scene)
    assert scene.pull.open


async def test_pipeline_fails_later(scene: Scene) -> None:
    """It is not merged where the pipeline that it waits for fails."""
    await piped(scene, "pending")
    assert not await merge(scene)
    await says(scene, "failure")
    assert scene.pull.open


async def test_a_train(scene: Scene) -> None:
    """It puts the merge request on the train where the project has them, and never past it."""
    scene.pull.repo.merge_trains = True
    assert not await merge(scene, method="squash", tidy=True)
    assert scene.pull.open
    await scene.demo.end_train(scene.pull, good=True)
    assert (scene.pull.merged, scene.pull.merge_kind) == (True, "squash")
    assert "topic" not in scene.pull.repo.branches


async def test_a_train_when_the_pipeline_ends(scene: Scene) -> None:
    """It has it put there when the pipeline that still runs has ended."""
    scene.pull.repo.merge_trains = True
    await piped(scene, "pending")
    assert not await merge(scene)
    assert not await merge(scene)
    assert scene.pull.train is None
    await says(scene, "success")
    assert scene.pull.train is not None
    await scene.demo.end_train(scene.pull, good=True)
    assert scene.pull.merged


async def test_on_the_train_already(scene: Scene) -> None:
    """It leaves it there."""
    scene.pull.repo.merge_trains = True
    assert not await merge(scene)
    commit = scene.pull.train
    assert not await merge(scene)
    assert scene.pull.train == commit


async def test_another_head_for_a_train(scene: Scene) -> None:
    scene.pull.repo.merge_trains = True
    with pytest.raises(NotMergeable, match="SHA"):
        await merge(scene, "1" * 40)
    assert scene.pull.train is None


async def test_off_the_train(scene: Scene) -> None:
    """It stays open where the train's pipeline failed, and can be put there again."""
    scene.pull.repo.merge_trains = True
    assert not await merge(scene)
    await scene.demo.end_train(scene.pull, good=False)
    assert scene.pull.open
    assert not await merge(scene)
    assert scene.pull.train is not None
