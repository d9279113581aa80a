"""A merge request that GitLab merges by itself, later, because prbot asked it to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from town import REPOSITORY, Town, resource

from prbot.config.per_repository import RepositoryRule
from prbot.demo.state import Protection

pytestmark = pytest.mark.only_forge("gitlab", "prbot never asks GitHub to merge later")

LET = {"match": ["acme/*"], "allow": ["automerge"]}
FILE = """\
version: 1
automerge: {method: squash, delete_branch: true}
defaults: {apply_requirements: {approved: {count: 0}, mergeable: false}}
"""


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


@pytest.mark.parametrize("train", [False, True], ids=["pipeline", "train"])
async def test_gitlab_merges_later(train: bool, town: Town) -> None:
    """It is applied, then merged when GitLab's own pipeline has ended, with its branch deleted,
    and nothing is applied twice."""
    backend = town.backend("app")
    clone = await town.build({"app/main.tf": backend, "prbot.yaml": FILE})
    await town.start(per_repository=(RepositoryRule.model_validate(LET),))
    await clone.push("topic", "Change", {"app/main.tf": backend + resource("web")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "1 to create")
    town.forge.protect(REPOSITORY, "main", Protection(required_checks=("ci/tests",)))
    pull.repo.merge_trains = train
    await town.forge.set_status(pull.repo, pull.head_sha, "alice", "pending", "ci/tests")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "the merge request is merged now")
    await town.forge.wait_for(lambda: pull.to_come, 60)
    assert pull.open
    assert "topic" in pull.repo.branches
    await town.forge.set_status(pull.repo, pull.head_sha, "alice", "success", "ci/tests")
    if train:
        assert await town.forge.wait_for(lambda: pull.train, 60)
        await town.forge.end_train(pull, good=True)
    await town.forge.wait_for(lambda: pull.merged, 60)
    assert "topic" not in pull.repo.branches
    assert not [comment for comment in town.said(pull) if "Not merged" in comment.body]
    applies = [line for line in await town.journal(pull) if line.action == "apply applied"]
    assert len(applies) == 1
