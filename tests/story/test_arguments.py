"""Plans with arguments of a comment, from the comment to what Terraform did."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from town import REPOSITORY, Town, resource

from prbot.config.per_repository import RepositoryRule
from prbot.demo.state import Pull

LET_DESTROY = RepositoryRule.model_validate({"match": ["acme/*"], "allow": ["destroy"]})


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def opened(town: Town, files: dict[str, str], change: dict[str, str | None]) -> Pull:
    clone = await town.build(files)
    await town.start(per_repository=(LET_DESTROY,))
    await clone.push("topic", "Change", change)
    return await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")


def held(town: Town, name: str) -> list[str]:
    """What Terraform's state holds."""
    state = json.loads(town.state_file(name).read_text())
    return sorted(each["name"] for each in state["resources"])


async def test_a_target(town: Town) -> None:
    """It plans and applies a part by comment, for approvals of that very plan, and the merge
    applies the rest of the whole."""
    code = town.backend("app") + resource("one") + resource("two")
    pull = await opened(town, {"app/main.tf": town.backend("app")}, {"app/main.tf": code})
    await town.hears(pull, "2 to create")
    await town.forge.review(pull, "bob", "APPROVE")
    if not town.forge.customs.precise:
        # dated in whole seconds, this approval and the next plan may be of one moment
        pull.reviews[-1].submitted_at -= timedelta(seconds=1)
    await town.forge.comment(pull, "alice", "prbot plan -d app -- --target terraform_data.one")
    said = await town.hears(pull, "Plan for `app` with `-target=terraform_data.one`: 1 to create")
    assert "a merge does not apply it" in said
    await town.forge.comment(pull, "alice", "prbot apply")
    assert "0 of 1 approvals of this plan" in await town.hears(pull, "Not done")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied: 1 of 1 project", "with `-target=terraform_data.one`")
    assert held(town, "app") == ["one"]
    assert await town.status(pull, "prbot/apply", "failure") == "1 applied, 1 to go"
    await town.forge.merge(pull, "bob")
    # of the whole plan that was reviewed, one part is live already: the merge applies the rest
    await town.hears(pull, "Applied on merge: 1 of 1 project")
    assert held(town, "app") == ["one", "two"]


async def test_destroy_what_is_deleted(town: Town) -> None:
    """It destroys a deleted project from the base, which opens the way to the merge."""
    empty, code = town.backend("app"), town.backend("app") + resource("web") + resource("db")
    first = await opened(town, {"app/main.tf": empty}, {"app/main.tf": code})
    await town.hears(first, "2 to create")
    await town.forge.merge(first, "bob")
    await town.hears(first, "Applied on merge: 1 of 1 project")
    later = await town.clone_of("alice")
    await later.push("delete", "Delete", {"app/main.tf": None})
    pull = await town.forge.open_pull(REPOSITORY, head="delete", title="Delete", author="alice")
    said = await town.hears(pull, "its state still holds 2 resources")
    assert "prbot plan --destroy -d app" in said
    await town.status(pull, "prbot/plan", "failure")
    await town.forge.comment(pull, "alice", "prbot plan --destroy -d app")
    await town.hears(pull, "Plan for `app` with `-destroy`: 2 to delete")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply -d app")
    await town.hears(pull, "Applied: 1 of 1 project")
    assert held(town, "app") == []
    await town.status(pull, "prbot/plan", "success")
    await town.status(pull, "prbot/apply", "success")
