"""A rule says that a pull request puts back what people changed by hand: prbot opens it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from nights import CHECKS, Calendar, Nights, apply_by_hand, change_by_hand, window_that_has_passed
from town import PATIENCE, REPOSITORY, Town, resource
from watchfiles import awatch

from prbot.demo.state import Pull
from prbot.drift.issue import Section
from prbot.drift.proposing import is_of_drift
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


def ours(town: Town) -> list[Pull]:
    pulls = town.forge.repository(REPOSITORY).pulls.values()
    return [pull for pull in pulls if is_of_drift(pull.head_branch)]


async def looked_again(town: Town, nights: Nights) -> Section:
    """As somebody asks for it."""
    assert town.prbot is not None
    known = await nights.standing()
    assert known is not None
    async with town.prbot.store.begin() as unit:
        await unit.drift.plan(replace(known, asked_at=known.checked_at))
    return await nights.checked(known.checked_at)


async def swept_until(town: Town, seen: Callable[[], bool]) -> None:
    """Let it look, as it does every half minute, until the forge shows it."""
    assert town.prbot is not None
    async with asyncio.timeout(PATIENCE):
        watching = awatch(town.directory, step=5, rust_timeout=200, yield_on_timeout=True)
        while not seen():
            await town.prbot.service.drift.sweep()
            await anext(watching)


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
    assert (await looked_again(town, nights)).verdict is ProjectVerdict.DRIFTED

    pull = await town.forge.wait_for(lambda: next(iter(ours(town)), None), PATIENCE)
    assert (pull.author.login, pull.files) == (town.bot, ())
    assert '| `terraform_data.web, input` | `"two"` | `"one"` |' in pull.body
    said = await town.hears(pull, "Plan for `app`")
    assert "other" not in said
    (issue,) = town.forge.repository(REPOSITORY).issues.values()
    await town.forge.comment(issue, "bob", "prbot revert")
    await town.hears(issue, "it is planned again first")
    before = await nights.standing()
    assert before is not None
    await nights.checked(before.checked_at)
    answer = await town.hears(issue, "prbot revert")
    assert f"{town.titled(pull)} does it" in answer.replace("`", "")
    assert ours(town) == [pull]
    await town.status(pull, "prbot/plan", "success")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "bob", "prbot apply")
    assert "neither prbot, asked for it nor wrote" in await town.hears(pull, "0 of 1 approvals")
    await town.forge.review(pull, "alice", "APPROVE")
    await town.forge.comment(pull, "bob", "prbot apply")
    await town.hears(pull, "Applied")
    assert '"one"' in town.state_file("app").read_text()

    await swept_until(town, lambda: not issue.open and not pull.open)
    assert "an apply" in issue.comments[-1].body
    await town.hears(pull, "There is nothing to merge here")
    assert list(town.forge.repository(REPOSITORY).issues.values()) == [issue]
    assert not pull.merged
