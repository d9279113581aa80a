"""The table of a run that ends without a report, whoever carries it to its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from prbot.engine.alarm import Alarm
from prbot.engine.live import Live
from prbot.engine.orchestrator import Orchestrator
from prbot.engine.world import World
from prbot.errors.forge import NotFound
from prbot.model import JobId, Login, ProjectKey, PullRef, RepoRef, RunId
from prbot.ports.outbox import CommentLetter
from prbot.runs.run import Ask, AskKind, Job, JobKind, Run, RunState
from prbot.telemetry import Redactor

PULL = PullRef(RepoRef("gh", "acme/infra"), 7)
BOTH = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)


class Gone:
    """A reader whose pull request is not there any more."""

    async def pull_request(self, pull: PullRef) -> Any:
        raise NotFound("gh", f"pull request {pull}")


async def begun(world: World, number: int = 1) -> Run:
    """A stored run of two projects, one of which runs."""
    run_id = RunId(f"r-{number}")
    jobs = tuple(
        Job(JobId(f"j-{number}{name}"), run_id, ProjectKey(name), JobKind.PLAN) for name in "ab"
    )
    ask = Ask(AskKind.PLAN, Login("ann"), "commented", comment_id=number)
    run = Run(run_id, PULL, ask, world.clock.now(), RunState.WORKING, jobs=jobs)
    async with world.store.begin() as unit:
        await unit.runs.add(run)
        until = world.clock.now() + timedelta(hours=1)
        assert await unit.runs.start_job(jobs[0].id, "w-1", until)
        return await unit.runs.get(run_id)


async def letters(world: World) -> list[str]:
    """All that waits to be said, in order."""
    said = []
    while True:
        async with world.store.begin() as unit:
            now = world.clock.now()
            rows = await unit.outbox.due(now, "w-1", now + timedelta(seconds=30))
            for row in rows:
                assert isinstance(row.letter, CommentLetter)
                said.append(row.letter.body)
                await unit.outbox.sent(row, 77, now)
        if not rows:
            return said


def here(world: World) -> World:
    reader: Any = Gone()
    forge = replace(world.forges["gh"], reader=reader)
    settings = replace(world.settings, summary_every=timedelta(0), installation="i")
    return replace(world, redactor=Redactor(), forges={"gh": forge}, settings=settings)


@BOTH
async def test_another_process_ends_it(world: World) -> None:
    """It goes on from what was told before a crash, and leaves no row that seems to run."""
    world = here(world)
    run = await begun(world)
    await Live(world, Alarm()).tell(run, (run,))
    clock: Any = world.clock
    clock.time += timedelta(seconds=1)
    after_the_crash = Live(world, Alarm())
    async with world.store.begin() as unit:
        run = await unit.runs.get(run.id)
    await after_the_crash.tell(run, (run,))
    async with world.store.begin() as unit:
        await after_the_crash.end(await unit.runs.get(run.id), unit, "Stopped: it was.")
    first, second, last = await letters(world)
    for table in (first, second):
        assert "| planning" in table
    assert "| planning" not in last
    assert "Stopped: it was" in last


@BOTH
async def test_given_up(world: World) -> None:
    """It ends the table of a run whose pull request is gone."""
    world = here(world)
    run = await begun(world)
    await Live(world, Alarm()).tell(run, (run,))
    clock: Any = world.clock
    clock.time += timedelta(seconds=1)
    await begun(world, 2)  # else nobody would ask the forge while its jobs go on
    absent: Any = None
    await Orchestrator(world, absent, Alarm(), absent).advance(run.id)
    async with world.store.begin() as unit:
        assert (await unit.runs.get(run.id)).state is RunState.IGNORED
    first, last = await letters(world)
    assert "Stopped" not in first
    assert "Stopped: " in last
    assert "| planning" not in last
