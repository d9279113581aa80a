"""The forge is asked and told little: many projects cost hardly more calls than one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from town import BOT, REPOSITORY, Town, a_town, resource

MANY = 12
STATUS_CALLS = 7
"""Planned: pending and two ends. Planned again: pending and one end, for the other stands
already. Applied: pending and the end."""


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def planned_twice_and_applied(town: Town, projects: int) -> tuple[int, int]:
    """How often a status was set, and how many calls there were, for a pull request that
    changes so many projects."""
    names = [f"p{number}" for number in range(projects)]
    clone = await town.build({f"{name}/main.tf": town.backend(name) for name in names})
    await town.start()
    await clone.push("topic", "Change", {f"{name}/more.tf": resource("more") for name in names})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more")
    await town.status(pull, "prbot/apply", "success")
    await town.forge.comment(pull, "alice", "prbot plan")
    await town.hears(pull, "terraform_data.more")
    await town.status(pull, "prbot/plan", "success")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, f"Applied: {projects} of {projects}")
    await town.forge.wait_for(lambda: "applied" in pull.repo.statuses[-1].description, 60)
    calls = town.forge.api.limits.of(BOT, town.forge.now()).used
    return len(pull.repo.statuses), calls


async def test_calls_do_not_grow_with_projects(tmp_path: Path, forge_kind: str) -> None:
    """It sets as few statuses for many projects as for one, none that stands already, and
    asks the forge not much oftener."""
    statuses, calls = {}, {}
    for projects in (1, MANY):
        directory = tmp_path / str(projects)
        directory.mkdir()
        async with a_town(directory, forge_kind) as town:
            statuses[projects], calls[projects] = await planned_twice_and_applied(town, projects)
    assert [count for count in statuses.values() if count > STATUS_CALLS] == []
    assert calls[MANY] - calls[1] < MANY, calls
