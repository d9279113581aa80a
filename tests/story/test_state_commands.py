"""`import` and `state rm`, from the comment to what Terraform's state holds."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest
from serving import eventually, reading, started
from town import REPOSITORY, Town, resource

from prbot.config.per_repository import RepositoryRule
from prbot.demo.state import Pull

LET = {"match": ["acme/*"], "allow": ["import", "state-rm"]}
ID = "11111111-2222-3333-4444-555555555555"
IMPORT = f"prbot import -d app terraform_data.web {ID}"


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def opened(town: Town) -> Pull:
    """A pull request that brings a resource which exists already."""
    clone = await town.clone_of("alice")
    code = town.backend("app") + 'resource "terraform_data" "web" {\n}\n'
    await clone.push("topic", "Change", {"app/main.tf": code})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "1 to create")
    return pull


def held(town: Town) -> list[str]:
    state = json.loads(town.state_file("app").read_text())
    return [each["instances"][0]["attributes"]["id"] for each in state["resources"]]


async def test_import_and_forget(town: Town) -> None:
    """It imports for approvals of that very command, plans again, and forgets when asked."""
    await town.build({"app/main.tf": town.backend("app")})
    await town.start(per_repository=(RepositoryRule.model_validate(LET),))
    pull = await opened(town)
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", IMPORT)
    assert "0 of 1 approvals of this very command" in await town.hears(pull, "Not done")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", IMPORT)
    said = await town.hears(pull, "Done: `prbot import` in `app`")
    assert "Import successful!" in said
    assert held(town) == [ID]
    await town.hears(pull, "Plan for `app`: no changes")
    await town.status(pull, "prbot/apply", "success")

    forget = "prbot state rm -d app terraform_data.web"
    await town.forge.comment(pull, "alice", forget)
    await town.hears(pull, "Not done")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", forget)
    await town.hears(pull, "Done: `prbot state rm` in `app`")
    await town.hears(pull, "Plan for `app`: 1 to create")
    assert held(town) == []
    await town.forge.comment(pull, "alice", "prbot version -d app")
    await town.hears(pull, "## prbot", "| `app` | `terraform ")


async def test_killed_meanwhile(town: Town) -> None:
    """It is not begun again by whoever takes over, and people are told."""
    await town.build(
        {
            "app/main.tf": town.backend("app") + resource("old"),
            "prbot.yaml": "version: 1\ndefaults: {apply_requirements: {approved: {count: 0}}}\n",
        }
    )
    gate, count = town.directory / "gate", town.directory / "count"
    os.mkfifo(gate)
    steps = [{"run": f"echo run >> '{count}'; cat '{gate}'"}, "import"]
    settings = {
        "workflows": json.dumps({"slow": {"import": {"steps": steps}}}),
        "per_repository": json.dumps([LET | {"workflow": "slow"}]),
    }
    first = await started(town, **settings)
    async with reading(first):
        pull = await opened(town)
        await town.forge.comment(pull, "alice", IMPORT)
        await eventually(count.exists, town)
        await first.kill()
    second = await started(town, **settings)
    async with reading(second):
        await town.hears(pull, "Interrupted: `prbot import` in `app`", "not known whether")
        assert count.read_text() == "run\n"
        await second.stop()
    os.close(os.open(gate, os.O_RDWR | os.O_NONBLOCK))
