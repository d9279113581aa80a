"""When a run is looked at again although nobody rings for it."""

from __future__ import annotations

from dataclasses import replace

from prbot.config.repo import Effective
from prbot.engine.messages import advance_message
from prbot.engine.world import World
from prbot.model import RepoRef
from prbot.runs.live import pause
from prbot.runs.requirements.times import next_look
from prbot.runs.run import Run, RunState
from prbot.runs.scene import Scene


class Waking:
    """Keeps nothing: messages of the queue do."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def look_again(self, run: Run, scene: Scene) -> None:
        """What waits may go on when a window opens or a freeze ends; nobody will ring then."""
        rules = scene.rules
        if run.state is not RunState.WAITING or not isinstance(rules, Effective):
            return
        if (due := next_look(scene, rules)) is not None:
            await self._world.queue.put(replace(advance_message(run), not_before=due))

    async def look_soon(self, run: Run) -> None:
        """Look when the first summary is due, should no job have ended by then."""
        async with self._world.store.begin() as unit:
            run = await unit.runs.get(run.id)
        due = pause(run, None, self._world.clock.now(), self._world.settings.summary_every)
        if due is not None:
            not_before = self._world.clock.now() + due
            await self._world.queue.put(replace(advance_message(run), not_before=not_before))

    async def wake_waiting(self, repo: RepoRef) -> None:
        """Somebody let go of a project: whoever waits in this repository looks again."""
        async with self._world.store.begin() as unit:
            runs = await unit.runs.of_repo_unfinished(repo)
        for run in runs:
            if run.state is RunState.WAITING:
                await self._world.queue.put(advance_message(run))
