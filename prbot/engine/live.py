"""Writes the summary of a run while its jobs go on: seldom, and without asking the forge.

When it was written last stands in the key of its letter, so that whoever takes the run over
goes on from there. Each letter is put in a transaction that acts on the run: one that has
ended meanwhile has its report, and gets no summary after it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from prbot.engine.alarm import Alarm
from prbot.engine.letters import comment_letter
from prbot.engine.messages import advance_message
from prbot.engine.world import World
from prbot.ports.store import UnitOfWork
from prbot.runs.live import begins_a_comment, pause, progress
from prbot.runs.run import Run, RunState
from prbot.runs.steps import Say


class Live:
    """`outbox` is rung when a letter was put."""

    def __init__(self, world: World, outbox: Alarm) -> None:
        self._world = world
        self._outbox = outbox

    async def tell(self, run: Run, runs: tuple[Run, ...]) -> None:
        """Write the summary if it is due, else look again when it is.

        Raises LostLease when somebody else acted on the run.
        """
        now = self._world.clock.now()
        async with self._world.store.begin() as unit:
            told = await _told_at(unit, run)
            wait = pause(run, told, now, self._world.settings.summary_every)
            if wait is None:
                return
            if not wait:
                await self._write(await unit.runs.act_on(run), runs, unit, now)
        if wait:
            await self._world.queue.put(replace(advance_message(run), not_before=now + wait))
        self._outbox.ring()

    async def _write(
        self, run: Run, runs: tuple[Run, ...], unit: UnitOfWork, now: datetime
    ) -> None:
        plans = {plan.id: plan for plan in await unit.plans.of_pull(run.pull)}
        if begins_a_comment(run, runs, plans):
            letter = comment_letter(self._world, run.pull, Say(run.id, progress(run, plans)))
            await unit.outbox.put(f"{_prefix(run)}{now.isoformat()}", run.pull, letter, now)

    async def end(self, run: Run, unit: UnitOfWork, why: str) -> None:
        """The run ends without a report: what stands there must not look as if it went on."""
        if await _told_at(unit, run) is None:
            return
        plans = {plan.id: plan for plan in await unit.plans.of_pull(run.pull)}
        letter = comment_letter(self._world, run.pull, Say(run.id, progress(run, plans, why)))
        await unit.outbox.put(f"{run.id} end", run.pull, letter, self._world.clock.now())


def _prefix(run: Run) -> str:
    """No report's: whoever looks for when a plan was told must not find this."""
    return f"{run.id} live "


async def _told_at(unit: UnitOfWork, run: Run) -> datetime | None:
    key = await unit.outbox.newest_key(_prefix(run))
    return None if key is None else datetime.fromisoformat(key.removeprefix(_prefix(run)))


def why_stopped(state: RunState) -> str:
    newer = state is RunState.SUPERSEDED
    return "Stopped: something newer came." if newer else "Stopped: this is not prbot's any more."
