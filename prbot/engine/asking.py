"""From an event to a run, whoever told of it: a webhook, or the reconciler.

The repository is held while a run is added, so that what two processes hear at the same
moment is still started once.
"""

from __future__ import annotations

from dataclasses import replace

from prbot.engine.drift_answers import Answered, DriftAnswers
from prbot.engine.messages import advance_message
from prbot.engine.world import World
from prbot.model import Event, Ignored, IssueCommented, PullMerged, RepoRef, RunId
from prbot.ports import UnitOfWork
from prbot.runs.asks import Asked, Listening, Nudged, ask_of
from prbot.runs.reconcile import is_late, why_known
from prbot.runs.run import Ask, Run, RunState


class Asking:
    def __init__(self, world: World) -> None:
        self._world = world
        self._answers = DriftAnswers(world)

    async def heard(self, forge: str, event: Event) -> Asked | Nudged | Answered | Ignored:
        """What the event asks for. Raises what asking the forge for our name raises."""
        if isinstance(event, Ignored):
            return event
        settings = self._world.settings
        bot = await self._world.forge_of(RepoRef(forge, "")).reader.bot_login()
        listening = Listening(
            settings.serves, settings.serves_branch, bot, settings.aliases, settings.bare_commands
        )
        if isinstance(event, IssueCommented):
            return await self._answers.heard(event, listening)
        return ask_of(event, listening)

    async def start(
        self, unit: UnitOfWork, event: Event, asked: Asked | Nudged | Answered | Ignored
    ) -> tuple[str, Run | None]:
        """Add the run, unless one did it already; a few words, and the run that is new, or
        one that may go on.

        `wake` it once the transaction is committed.
        """
        if isinstance(asked, Ignored):
            return asked.reason, None
        if isinstance(asked, Answered):
            return await self._answers.perform(unit, asked), None
        if isinstance(asked, Nudged):
            resting = [
                r for r in await unit.runs.of_pull(asked.pull) if r.state is RunState.WAITING
            ]
            return f"{asked.reason}; {len(resting)} wait", next(iter(resting), None)
        now = self._world.clock.now()
        seen = await unit.repositories.hold(asked.pull.repo, now)
        runs = await unit.runs.of_pull(asked.pull)
        known = why_known(asked.ask, runs)
        if known:
            return known, None
        max_age = self._world.settings.max_event_age
        merged_at = event.merged_at if isinstance(event, PullMerged) else None
        ask: Ask = replace(asked.ask, late=is_late(merged_at, seen.seen_at, now, max_age, runs))
        run = Run(RunId(self._world.new_id("r")), asked.pull, ask, now)
        await unit.runs.add(run)
        return f"{run.id}: {ask.kind.value}", run

    async def wake(self, run: Run) -> None:
        """The new run, and those of the pull request that it may have overtaken."""
        async with self._world.store.begin() as unit:
            runs = await unit.runs.of_pull(run.pull)
        for each in runs:
            if not each.state.finished:
                await self._world.queue.put(advance_message(each))
