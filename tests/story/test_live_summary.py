"""A table fills in while the projects of a run are planned, where the report will stand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from town import PATIENCE, REPOSITORY, Town, resource


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


@pytest.fixture
async def watched(town: Town) -> Town:
    """A town whose summaries are written at once."""
    limits = town.config.limits.model_copy(update={"summary_every": 0.0})
    town.config = town.config.model_copy(update={"limits": limits})
    return town


async def test_it_fills_in_and_is_replaced(watched: Town) -> None:
    """It shows the failed project while the other waits, and the report takes its place."""
    town = watched
    wait = "version: 1\nprojects:\n  - {dir: a}\n  - {dir: b, depends_on: [a]}\n  - {dir: c}\n"
    names = ("a", "b", "c")
    files = {f"{name}/main.tf": town.backend(name) for name in names}
    clone = await town.build({"prbot.yaml": wait, **files})
    await town.start()
    change = {f"{name}/more.tf": resource("more") for name in names}
    await clone.push("topic", "Change", change | {"c/more.tf": 'output "x" { value = var.y }\n'})
    bodies: list[str] = []
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")

    def look() -> bool:
        said = [comment.body for comment in town.said(pull)]
        bodies.extend(body for body in said if body not in bodies)
        return any("## Plan for 3 projects" in body for body in said)

    await town.forge.wait_for(look, PATIENCE)
    assert len(town.said(pull)) == 1, "the report stands where the table stood"
    tables = [body for body in bodies if "## Planning 3 projects" in body]
    assert tables
    assert "fills in" in tables[0]
    assert "fills in" not in town.said(pull)[0].body
