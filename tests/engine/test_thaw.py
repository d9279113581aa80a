"""Who goes on when a freeze has ended, and when nobody is woken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from prbot.engine.thaw import Thaw
from prbot.engine.world import World
from prbot.model import Login, PullRef, RepoRef, RunId
from prbot.ports.queue import AdvanceRun
from prbot.runs.freezes import Freeze, FreezeId, FreezeScope
from prbot.runs.run import Ask, AskKind, Run, RunState

REPO = RepoRef("gh", "acme/infra")
DAVE = Login("dave")


async def prepared(world: World) -> Thaw:
    """A run in each unfinished state, and a freeze; the first look is over."""
    now = world.clock.now()
    ask = Ask(AskKind.APPLY, Login("ann"), "comment")
    async with world.store.begin() as unit:
        for number, state in enumerate((RunState.WORKING, RunState.WAITING, RunState.RESUMED)):
            run = Run(RunId(f"r-{state}"), PullRef(REPO, number), ask, now, state)
            await unit.runs.add(run)
        until = now + timedelta(hours=1)
        everywhere = FreezeScope.EVERYWHERE
        await unit.freezes.add(Freeze(FreezeId("f-1"), everywhere, "x", DAVE, now, until))
        await unit.freezes.add(Freeze(FreezeId("f-2"), everywhere, "y", DAVE, now))
    thaw = Thaw(world)
    await thaw.look()
    assert await woken(world) == {"r-waiting"}
    return thaw


async def woken(world: World) -> set[str]:
    """Who stands in the queue since this was asked last."""
    found = await world.queue.known()
    for work in found:
        await world.queue.cancel(work)
    return {work.run_id for work in found if isinstance(work, AdvanceRun)}


async def test_a_freeze_is_lifted(world: World) -> None:
    """It wakes what waits, once, and nothing else."""
    thaw = await prepared(world)
    async with world.store.begin() as unit:
        await unit.freezes.lift(FreezeId("f-2"), DAVE, world.clock.now())
    await thaw.look()
    assert await woken(world) == {"r-waiting"}
    await thaw.look()
    assert await woken(world) == set()


async def test_a_freeze_is_over(world: World) -> None:
    """It wakes what waits when a freeze ends by itself."""
    thaw = await prepared(world)
    clock: Any = world.clock
    clock.time += timedelta(minutes=59)
    await thaw.look()
    assert await woken(world) == set()
    clock.time += timedelta(minutes=1)
    await thaw.look()
    assert await woken(world) == {"r-waiting"}


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_one_more_freeze(world: World) -> None:
    """It wakes nobody while freezes only begin."""
    thaw = await prepared(world)
    async with world.store.begin() as unit:
        now = world.clock.now()
        await unit.freezes.add(Freeze(FreezeId("f-3"), FreezeScope.EVERYWHERE, "z", DAVE, now))
    await thaw.look()
    assert await woken(world) == set()
