"""Lets what waits go on when a freeze has ended: over by itself, or lifted by another process.

Whoever lifts one works on the database alone and rings no bell here, so the freezes in force
are looked at every few seconds; that is one small table.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from prbot.engine.alarm import Alarm
from prbot.engine.messages import advance_message
from prbot.engine.world import World
from prbot.errors.store import StoreUnavailable
from prbot.runs.freezes import FreezeId
from prbot.runs.run import RunState

log = structlog.get_logger()

EVERY = timedelta(seconds=10)


class Thaw:
    """Each process does it; a run that is woken twice decides twice, and does one thing."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._frozen: frozenset[FreezeId] | None = None

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                log.warning("freezes not looked at", action="thaw", error=str(error))
            await Alarm().wait(EVERY)

    async def look(self) -> None:
        """Wake every waiting run if a freeze has ended since the last look; at the first look
        nobody knows, so they are woken, too. Raises StoreUnavailable."""
        async with self._world.store.begin() as unit:
            now = self._world.clock.now()
            frozen = frozenset(freeze.id for freeze in await unit.freezes.in_force(now))
            ended = self._frozen is None or bool(self._frozen - frozen)
            ids = await unit.runs.unfinished() if ended else ()
            runs = [await unit.runs.get(run_id) for run_id in ids]
        waiting = [run for run in runs if run.state is RunState.WAITING]
        for run in waiting:
            await self._world.queue.put(advance_message(run))
        self._frozen = frozen
        if waiting:
            log.info("runs woken", action="thaw", number=len(waiting))
