"""Night after night: the default branch is planned, and what others changed is told apart from
what nobody applied. Nothing is written by looking."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from nights import (
    APP,
    CHECKS,
    REPO,
    Nights,
    apply_by_hand,
    change_by_hand,
    window_that_has_passed,
)
from serving import eventually, reading, started
from town import PATIENCE, Town, resource
from watchfiles import awatch

from prbot.adapters.store import SqlStore
from prbot.app import compose
from prbot.demo.person import Clone
from prbot.drift.state import Standing
from prbot.drift.verdict import ProjectVerdict
from prbot.runs.drifting import place_for
from prbot.runs.run import JobState

CLOCK = compose.SystemClock()


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def on_main(clone: Clone, message: str, files: dict[str, str]) -> None:
    await clone.push("main", message, files)


async def test_killed_while_looking(town: Town) -> None:
    """It looks again after the process died in the middle of it, in the same run, and once."""
    rules = f"version: 1\ndrift: {{window: '{window_that_has_passed()}'}}\n"
    await town.build({"app/main.tf": town.backend("app") + resource("web"), "prbot.yaml": rules})
    first = await started(town, drift="{enabled: true}")
    async with reading(first):
        await eventually(lambda: any(town.directory.glob("prbot/jobs/*/*")), town)
        await first.kill()
    second = await started(town, drift="{enabled: true}")
    store = SqlStore(f"sqlite+aiosqlite:///{town.directory / 'prbot' / 'prbot.sqlite3'}", CLOCK)
    async with reading(second), asyncio.timeout(PATIENCE):
        watching = awatch(town.directory, step=5, rust_timeout=200, yield_on_timeout=True)
        while (standing := await known_of(store)) is None or standing.section is None:
            await anext(watching)
        async with store.begin() as unit:
            (run,) = await unit.runs.of_pull(place_for(REPO, standing.number))
        assert [job.state for job in run.jobs] == [JobState.PLANNED]
        assert standing.section.verdict is ProjectVerdict.BEHIND
        assert standing.run is None
        assert await second.stop() == 0
    await store.close()


async def known_of(store: SqlStore) -> Standing | None:
    async with store.begin() as unit:
        return await unit.drift.get(REPO, APP)


async def test_night_after_night(town: Town, nights: Nights) -> None:
    """It takes the first look as the baseline, then finds what was changed by hand, what nobody
    applied, and both at once; what cannot be planned is an error, and nothing is written."""
    web = {"app/main.tf": town.backend("app") + resource("web")}
    clone = await town.build(web)
    await apply_by_hand(town, clone.directory / "app")
    state = town.state_file("app").read_bytes()
    await town.start(drift=CHECKS)

    first = await nights.checked()
    assert (first.trouble, first.verdict, first.found) == (None, ProjectVerdict.IN_SYNC, ())
    assert (await nights.watch()).baseline_at is not None
    assert town.state_file("app").read_bytes() == state
    assert not town.state_file("app").with_name(".app.tfstate.lock.info").exists()

    change_by_hand(town, "one", "by hand")
    drifted = await nights.next()
    assert drifted.verdict is ProjectVerdict.DRIFTED
    (row,) = [each for each in drifted.found if each.attribute == "input"]
    assert (row.address, row.live, row.wanted) == ("terraform_data.web", '"by hand"', '"one"')

    await on_main(clone, "More", {"app/more.tf": resource("more")})
    mixed = await nights.next()
    assert mixed.verdict is ProjectVerdict.MIXED
    assert {each.address for each in mixed.found} == {"terraform_data.web"}

    change_by_hand(town, "by hand", "one")
    behind = await nights.next()
    assert (behind.verdict, behind.found) == (ProjectVerdict.BEHIND, ())

    await on_main(clone, "Break", {"app/more.tf": "output {"})
    broken = await nights.next()
    assert broken.verdict is ProjectVerdict.ERROR
    assert broken.trouble is not None
    known = await nights.standing()
    assert known is not None
    assert known.succeeded_at is not None
    assert known.checked_at is not None
    assert known.succeeded_at < known.checked_at

    assert (
        json.loads(town.state_file("app").read_text())["serial"] == json.loads(state)["serial"] + 2
    )
    assert town.prbot is not None
    async with town.prbot.store.begin() as unit:
        assert await unit.locks.of_repo(REPO) == ()
    assert not any((town.directory / "prbot" / "artifacts").glob("p-*"))
