"""A rule says that what people change by hand goes into the code: a pull request does it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from town import PATIENCE, REPOSITORY, Town, resource
from watchfiles import awatch

from prbot.config.drift import DriftBounds
from prbot.demo.state import Pull
from prbot.drift.proposing import is_of_drift
from prbot.drift.state import Standing
from prbot.drift.verdict import ProjectVerdict
from prbot.model import ProjectKey, RepoRef

REPO, APP = RepoRef("forge", REPOSITORY), ProjectKey("app")
RULES = "version: 1\ndrift:\n  rules:\n  - {action: open_pr, proposal: adopt}\n"


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def applied_by_hand(town: Town, code: str) -> None:
    place = town.directory / "by-hand"
    place.mkdir()
    (place / "main.tf").write_text(code)
    for words in (("init",), ("apply", "-auto-approve")):
        process = await asyncio.create_subprocess_exec(
            *("terraform", *words),
            cwd=place,
            stdout=asyncio.subprocess.DEVNULL,
            env={**town.environ, "TF_CLI_CONFIG_FILE": os.devnull},
        )
        assert await process.wait() == 0


def change_by_hand(town: Town, old: str, new: str) -> None:
    """The value that lives, as the state has it."""
    state = town.state_file("app")
    document = json.loads(state.read_text().replace(f'"{old}"', f'"{new}"'))
    state.write_text(json.dumps(document | {"serial": document["serial"] + 1}))


async def standing(town: Town) -> Standing | None:
    assert town.prbot is not None
    async with town.prbot.store.begin() as unit:
        return await unit.drift.get(REPO, APP)


async def checked(town: Town, last: datetime | None = None) -> ProjectVerdict:
    """Wait for a check that ended after `last`; one is asked for if there was one."""
    assert town.prbot is not None
    if last is not None:
        known = await standing(town)
        assert known is not None
        async with town.prbot.store.begin() as unit:
            await unit.drift.plan(replace(known, asked_at=last))
    async with asyncio.timeout(PATIENCE):
        watching = awatch(town.directory, step=5, rust_timeout=200, yield_on_timeout=True)
        while True:
            await town.prbot.service.drift.sweep()
            now = await standing(town)
            if now is not None and now.section is not None and now.checked_at != last:
                return now.section.verdict
            await anext(watching)


async def checked_again(town: Town) -> ProjectVerdict:
    known = await standing(town)
    assert known is not None
    return await checked(town, known.checked_at)


def ours(town: Town) -> list[Pull]:
    pulls = town.forge.repository(REPOSITORY).pulls.values()
    return [pull for pull in pulls if is_of_drift(pull.head_branch)]


async def test_adopt_by_rule(town: Town) -> None:
    """It opens one pull request, which changes one literal and whose plan changes nothing; equal
    drift opens no second one, also after people closed it; other drift does."""
    code = town.backend("app") + "\n" + resource("web")
    await town.build({"app/main.tf": code, "prbot.yaml": RULES})
    await applied_by_hand(town, code)
    await town.start(drift=DriftBounds(enabled=True))
    assert await checked(town) is ProjectVerdict.IN_SYNC
    assert ours(town) == []

    change_by_hand(town, "one", "two")
    assert await checked_again(town) is ProjectVerdict.DRIFTED
    pull = await town.forge.wait_for(lambda: next(iter(ours(town)), None), PATIENCE)
    (file,) = pull.files
    changed = [line for line in (file.patch or "").splitlines() if line[:1] in "+-"]
    assert changed == ['-  input = "one"', '+  input = "two"']
    assert "`terraform_data.web, input`" in pull.body
    await town.hears(pull, "Plan for `app`: no changes")

    assert await checked_again(town) is ProjectVerdict.DRIFTED
    await town.forge.close(pull, "alice")
    assert await checked_again(town) is ProjectVerdict.DRIFTED
    change_by_hand(town, "two", "three")
    assert await checked_again(town) is ProjectVerdict.DRIFTED
    newer = await town.forge.wait_for(lambda: next((p for p in ours(town) if p.open), None), 60)
    assert [(p.author.login, p.open) for p in ours(town)] == [(town.bot, False), (town.bot, True)]
    assert '+  input = "three"' in (newer.files[0].patch or "")


async def test_what_cannot_be_written(town: Town) -> None:
    """It opens none where the value comes from a variable; the drift is found all the same."""
    code = town.backend("app") + (
        '\nvariable "v" {\n  default = "one"\n}\n'
        '\nresource "terraform_data" "web" {\n  input = var.v\n}\n'
    )
    await town.build({"app/main.tf": code, "prbot.yaml": RULES})
    await applied_by_hand(town, code)
    await town.start(drift=DriftBounds(enabled=True))
    assert await checked(town) is ProjectVerdict.IN_SYNC
    change_by_hand(town, "one", "two")
    assert await checked_again(town) is ProjectVerdict.DRIFTED
    assert await checked_again(town) is ProjectVerdict.DRIFTED
    assert ours(town) == []
