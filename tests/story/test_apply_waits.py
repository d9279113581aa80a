"""An apply that lacks something others can bring about goes on by itself when it is there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from town import REPOSITORY, Town, resource


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def test_for_an_approval(town: Town) -> None:
    """It tells once for what it waits, and applies when somebody approves, without another word."""
    clone = await town.build(
        {
            "prbot.yaml": "version: 1\ndefaults: {apply_waits: true}\n",
            "app/main.tf": town.backend("app"),
        }
    )
    await town.start()
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Waiting", "0 of 1 approvals", "run `r-")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.hears(pull, "Applied: 1 of 1")
    (decided,) = [line for line in await town.journal(pull) if line.action == "apply decided"]
    assert (decided.actor, decided.approvals) == ("alice", ("bob",))
    assert sum("Waiting" in comment.body for comment in town.said(pull)) == 1
