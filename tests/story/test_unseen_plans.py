"""Whoever approves early approves nothing: a plan must have stood in the pull request."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from town import REPOSITORY, Town, resource


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def test_approved_before_the_plan_was_told(town: Town) -> None:
    """It does not take an approval for a plan that was made, but not told yet."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    town.forge.fail_next("POST", r"/issues/\d+/comments|/notes$", 502, hang=True)
    await town.start()
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.forge.wait_for(lambda: town.forge.faults.hanging, 60)
    await town.forge.review(pull, "bob", "APPROVE")
    town.forge.faults.let_go()
    await town.hears(pull, "terraform_data.more")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Not done", "0 of 1 approvals")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied")
