"""A pull request that is merged by itself, once everything of it is applied."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from serving import reading, started
from town import REPOSITORY, Town, resource

from prbot.config.per_repository import RepositoryRule
from prbot.demo.person import Clone
from prbot.demo.state import Protection, Pull
from prbot.model import PullRef, RepoRef
from prbot.runs.run import AskKind

LET = {"match": ["acme/*"], "allow": ["automerge"]}
FILE = """\
version: 1
automerge: {method: squash, delete_branch: true}
defaults: {apply_requirements: {approved: {count: 0}, mergeable: false}}
"""


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def prepared(town: Town) -> tuple[Clone, str]:
    backend = town.backend("app")
    clone = await town.build({"app/main.tf": backend, "prbot.yaml": FILE})
    return clone, backend + resource("web")


async def opened(town: Town, clone: Clone, code: str) -> Pull:
    """A pull request that changes one project, planned."""
    await clone.push("topic", "Change", {"app/main.tf": code})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "1 to create")
    return pull


async def merged(town: Town, pull: Pull) -> None:
    """Wait for the merge, and for what prbot makes of it: it deletes the branch."""
    await town.forge.wait_for(lambda: pull.merged or None, 60)
    assert pull.merged_by is not None
    assert pull.merged_by.login == town.bot
    await town.forge.wait_for(lambda: "topic" not in pull.repo.branches or None, 60)


async def test_applied_and_merged(town: Town) -> None:
    """It merges at the head that was applied, deletes the branch, and applies nothing twice."""
    clone, code = await prepared(town)
    prbot = await town.start(per_repository=(RepositoryRule.model_validate(LET),))
    pull = await opened(town, clone, code)
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, f"the {town.word} is merged now")
    await merged(town, pull)
    ref = PullRef(RepoRef("forge", REPOSITORY), pull.number)

    async def over() -> bool:
        async with prbot.store.begin() as unit:
            runs = await unit.runs.of_pull(ref)
        return any(r.ask.kind is AskKind.MERGE and r.state.finished for r in runs)

    await town.comes_true(over)
    applies = [line for line in await town.journal(pull) if line.action == "apply applied"]
    assert len(applies) == 1


async def test_refused(town: Town) -> None:
    """It tells once why the forge did not merge."""
    clone, code = await prepared(town)
    await town.start(per_repository=(RepositoryRule.model_validate(LET),))
    pull = await opened(town, clone, code)
    town.forge.protect(REPOSITORY, "main", Protection(required_checks=("ci/tests",)))
    await town.forge.comment(pull, "alice", "prbot apply")
    said = await town.hears(pull, "Not merged: everything is applied")
    assert ("ci must pass" if town.gitlab else "ci/tests") in said
    assert not pull.merged
    assert sum("Not merged" in comment.body for comment in town.said(pull)) == 1


async def test_killed_in_between(town: Town) -> None:
    """It merges once, whoever takes it up after the process died between apply and merge."""
    clone, code = await prepared(town)
    rules = json.dumps([LET])
    first = await started(town, per_repository=rules)
    async with reading(first):
        pull = await opened(town, clone, code)
        town.forge.fail_next("PUT", "/merge$", 503, hang=True)
        await town.forge.comment(pull, "alice", "prbot apply")
        await town.forge.wait_for(lambda: town.forge.faults.hanging or None, 60)
        await first.kill()
    town.forge.faults.let_go()
    assert not pull.merged
    second = await started(town, per_repository=rules)
    async with reading(second):
        await merged(town, pull)
        await second.stop()
