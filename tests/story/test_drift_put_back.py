"""A rule says that a pull request puts back what people changed by hand: prbot opens it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from nights import (
    CHECKS,
    Calendar,
    Nights,
    apply_by_hand,
    change_by_hand,
    proposed,
    window_that_has_passed,
)
from town import PATIENCE, REPOSITORY, Town, resource

from prbot.drift.verdict import ProjectVerdict


def rules() -> str:
    """People's approvals have the forge's time, so prbot's is not set: the night is over."""
    settings = {
        "window": window_that_has_passed(),
        "issues": True,
        "rules": [{"action": "open_pr"}],
    }
    return json.dumps({"version": 1, "drift": settings})


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def test_put_back(town: Town) -> None:
    """It opens a pull request without a change, plans just this project in it, applies it once
    somebody approved that plan who did not ask for it, proves it by a check, and closes both it
    and the issue."""
    code = {name: town.backend(name) + resource("web") for name in ("app", "other")}
    files = {f"{name}/main.tf": text for name, text in code.items()}
    clone = await town.build({**files, "prbot.yaml": rules()})
    await apply_by_hand(town, clone.directory / "app")
    await town.start(drift=CHECKS)
    nights = Nights(town, Calendar)
    await nights.checked()
    change_by_hand(town, "one", "two")
    assert (await nights.again()).verdict is ProjectVerdict.DRIFTED

    pull = await town.forge.wait_for(lambda: next(iter(proposed(town)), None), PATIENCE)
    assert (pull.author.login, pull.files) == (town.bot, ())
    assert '| `terraform_data.web, input` | `"two"` | `"one"` |' in pull.body
    said = await town.hears(pull, "Plan for `app`")
    assert "other" not in said
    (issue,) = town.forge.repository(REPOSITORY).issues.values()
    before = await nights.last()
    await town.forge.comment(issue, "bob", "prbot revert")
    await town.hears(issue, "it is planned again first")
    await nights.checked(before)
    answer = await town.hears(issue, "prbot revert")
    assert f"{town.titled(pull)} does it" in answer.replace("`", "")
    assert proposed(town) == [pull]
    await town.status(pull, "prbot/plan", "success")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "bob", "prbot apply")
    assert "neither prbot, asked for it nor wrote" in await town.hears(pull, "0 of 1 approvals")
    await town.forge.review(pull, "alice", "APPROVE")
    await town.forge.comment(pull, "bob", "prbot apply")
    await town.hears(pull, "Applied")
    assert '"one"' in town.state_file("app").read_text()

    async def over() -> bool | None:
        return not (issue.open or pull.open) or None

    await nights.sweeps(over)
    assert "an apply" in issue.comments[-1].body
    await town.hears(pull, "There is nothing to merge here")
    assert list(town.forge.repository(REPOSITORY).issues.values()) == [issue]
    assert not pull.merged
