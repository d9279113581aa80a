"""Projects that are deleted, moved, or pointed at another one's state."""

from __future__ import annotations

from collections.abc import Callable

import pytest
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
