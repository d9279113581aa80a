"""A token that does not work, at the start and later: nothing is lost, nothing dies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from town import REPOSITORY, Town, resource

from prbot.errors.forge import ForgeRefused


async def test_wrong_from_the_start(town: Town) -> None:
    """It does not start with a token the forge refuses, and does not show it."""
    town.environ["STORY_TOKEN"] = "wrong-from-the-start"
    with pytest.raises(ForgeRefused) as refused:
        await town.start()
    assert "wrong-from-the-start" not in str(refused.value)


async def test_forge_down_at_the_start(town: Town, need: Callable[[str], None]) -> None:
    """It starts without its forge, and works once the forge is back."""
    need("terraform")
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    town.forge.fail_next("GET", r"/user$", 503, times=1)
    await town.start()
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more")


async def test_refused_for_a_while(town: Town, need: Callable[[str], None]) -> None:
    """It keeps the event of a time when its token was refused, and plans afterwards."""
    need("terraform")
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    prbot = await town.start()
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    refusal = town.forge.fail_next("GET", r"/(pulls|merge_requests)/1$", 401, times=1)
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more")
    assert refusal.times == 0
    assert prbot.service.ready
