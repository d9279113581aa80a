"""Nobody loosens the rules for a pull request from where it can be written: they are read from
the default branch, whatever its head or the branch it goes into says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from town import REPOSITORY, Town, resource

STRICT = """\
version: 1
defaults: {apply_requirements: {approved: {count: 1}}}
"""
LAX = """\
version: 1
defaults: {apply_requirements: {approved: {count: 0}, mergeable: false, up-to-date: false}}
"""


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def test_a_branch_that_nobody_guards(town: Town) -> None:
    """It asks for approval on the way into a branch without protection whose own rules ask for
    none, also where the pull request repeats them."""
    code = town.backend("app") + resource("web")
    clone = await town.build({"app/main.tf": code, "prbot.yaml": STRICT})
    await clone.push("release", "Loosen the rules", {"prbot.yaml": LAX})
    await town.start(branches=("**",))
    files: dict[str, str | None] = {"app/main.tf": code + resource("more"), "prbot.yaml": LAX}
    await clone.push("topic", "Change", files)
    pull = await town.forge.open_pull(
        REPOSITORY, head="topic", base="release", title="Topic", author="alice"
    )
    await town.hears(pull, "terraform_data.more")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Not done", "0 of 1 approvals of this plan")
    assert not await asyncio.to_thread(town.state_file("app").exists)
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied")
