"""prbot as a GitHub App: check runs, with notes at the lines that are wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from town import REPOSITORY, Town, resource

WRONG = 'resource "terraform_data" "one" {\n  input = var.missing\n}\n'


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def test_an_error_is_noted_at_its_line(town: Town) -> None:
    """It ends the check with the failure, noted at file and line, and with "Re-run" only."""
    clone = await town.build({"envs/prod/main.tf": town.backend("prod")})
    town.become_an_app()
    await town.start()
    await clone.push("topic", "Wrong", {"envs/prod/one.tf": WRONG})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    check = await town.check(pull, "prbot/plan", "failure")
    (note,) = check.annotations
    assert (note["path"], note["start_line"], note["annotation_level"]) == (
        "envs/prod/one.tf",
        2,
        "failure",
    )
    assert note["title"] == "Reference to undeclared input variable"
    assert "1 of 1 project not planned" in check.title
    assert "envs/prod" in check.summary
    assert [action["identifier"] for action in check.actions] == ["rerun"]
    await town.check(pull, "prbot/apply", "failure")
    assert pull.repo.statuses == []


async def test_an_app_without_checks_sets_statuses(town: Town) -> None:
    """It goes on with plain statuses where the App was installed before there were checks."""
    clone = await town.build({"main.tf": town.backend("root")})
    town.become_an_app(checks="")
    await town.start()
    await clone.push("topic", "More", {"more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    assert "1 with changes" in await town.status(pull, "prbot/plan", "success")
    assert pull.repo.check_runs == {}
