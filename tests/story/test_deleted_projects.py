"""Projects that are deleted, moved, or pointed at another one's state."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from state_server import StateServer
from town import REPOSITORY, Town, resource

from prbot.demo.state import Pull


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def opened(town: Town, files: dict[str, str], change: dict[str, str | None]) -> Pull:
    """A repository with these files, prbot started, and alice's pull request."""
    clone = await town.build(files)
    await town.start()
    await clone.push("topic", "Change", change)
    return await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")


async def test_it_lets_nobody_take_over_a_state(town: Town) -> None:
    """It refuses a new project with the state of a known one, before anything runs."""
    app = town.backend("app") + resource("web")
    elsewhere = town.backend("elsewhere") + resource("web")
    pull = await opened(
        town, {"app/main.tf": app}, {"app/main.tf": elsewhere, "thief/main.tf": app}
    )
    said = await town.hears(pull, "`thief` would take over the state")
    assert "by `thief/main.tf`, line 2" in said
    assert "that of `app`, by `app/main.tf`, line 2" in said
    await town.status(pull, "prbot/plan", "failure")
    await town.status(pull, "prbot/apply", "failure")


def kept(town: Town, name: str, *resources: str) -> None:
    """A state that holds these `terraform_data`, as an apply would have left it."""
    instances = [{"schema_version": 0, "attributes": {"id": "1"}}]
    provider = 'provider["terraform.io/builtin/terraform"]'
    common = {"mode": "managed", "type": "terraform_data", "provider": provider}
    listed = [{**common, "name": each, "instances": instances} for each in resources]
    state = {"version": 4, "serial": 1, "lineage": name, "terraform_version": "1.5.0"}
    town.state_file(name).parent.mkdir(exist_ok=True)
    text = json.dumps({**state, "outputs": {}, "resources": listed})
    town.state_file(name).write_text(text)


async def test_a_deleted_project_is_not_forgotten(town: Town) -> None:
    """It fails the check and lists what would be left, until somebody accepts that."""
    kept(town, "app", "web", "db")
    kept(town, "empty")
    files = {
        "app/main.tf": town.backend("app") + resource("web") + resource("db"),
        "empty/main.tf": town.backend("empty"),
        "never/main.tf": town.backend("never"),
    }
    pull = await opened(town, files, dict.fromkeys(files))
    said = await town.hears(pull, "`app` is deleted, and its state still holds 2 resources")
    assert "1 state left to nobody" in said.splitlines()[0]
    assert "- `terraform_data.web`" in said
    assert "- `terraform_data.db`" in said
    for name in ("empty", "never"):
        assert f"`{name}` is deleted. Its state is empty" in said
    words = await town.status(pull, "prbot/plan", "failure")
    assert words == "2 resources would be left to nobody"
    before = town.state_file("app").read_bytes()

    await town.forge.comment(pull, "carol", "prbot apply --accept-orphans")
    assert "needs write access" in await town.hears(pull, "Not done")
    await town.forge.comment(pull, "alice", "prbot apply --accept-orphans")
    assert "approvals of leaving this to nobody" in await town.hears(pull, "Not done")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply --accept-orphans")
    assert "`app`: 2 resources" in await town.hears(pull, "Left to nobody: 1 state")
    await town.status(pull, "prbot/plan", "success")
    await town.status(pull, "prbot/apply", "success")
    assert town.state_file("app").read_bytes() == before

    kept(town, "app", "web", "db", "more")
    await town.forge.comment(pull, "alice", "prbot plan -d app")
    await town.hears(pull, "still holds 3 resources")
    await town.status(pull, "prbot/plan", "failure")


async def test_a_state_that_cannot_be_read(town: Town, state_server: StateServer) -> None:
    """It does not take an unreadable state for an empty one, and looks again when asked."""
    state_server.broken = True
    files = {"app/main.tf": state_server.backend("app") + resource("web")}
    pull = await opened(town, files, dict.fromkeys(files))
    await town.hears(pull, "`app` is deleted, and its state could not be read")
    await town.status(pull, "prbot/plan", "failure")
    state_server.broken = False
    await town.forge.comment(pull, "alice", "prbot plan -d app")
    await town.hears(pull, "nothing is left behind")
    await town.status(pull, "prbot/plan", "success")
    assert state_server.locks == {}
    assert state_server.states == {}


async def test_merged_all_the_same(town: Town) -> None:
    """It tells author and merger what nobody manages any more."""
    kept(town, "app", "web")
    files = {"app/main.tf": town.backend("app") + resource("web")}
    pull = await opened(town, files, dict.fromkeys(files))
    await town.hears(pull, "still holds 1 resource")
    await town.status(pull, "prbot/plan", "failure")
    await town.forge.merge(pull, "bob")
    said = await town.hears(pull, "Merged: 1 state left to nobody")
    assert "@alice @bob" in said
    assert "- `terraform_data.web`" in said


async def test_a_moved_project_is_the_same_one(town: Town) -> None:
    """It plans a moved root against its state, and leaves nothing behind."""
    kept(town, "app")
    main = town.backend("app")
    pull = await opened(
        town, {"app/main.tf": main}, {"app/main.tf": None, "services/app/main.tf": main}
    )
    said = await town.hears(pull, "Plan for `services/app`: no changes")
    assert "`services/app` was `app` before: moved, with the same state." in said
    await town.status(pull, "prbot/plan", "success")
