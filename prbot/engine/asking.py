"""From an event to a run, whoever told of it: a webhook, or the reconciler.

The repository is held while a run is added, so that what two processes hear at the same
moment is still started once.
"""

from __future__ import annotations

from dataclasses import replace

from prbot.engine.drift_answers import Answered, DriftAnswers
from prbot.engine.drift_by_hand import ByHand, Moved
from prbot.engine.messages import advance_message
from prbot.engine.world import World
from prbot.errors.forge import ForgeRefused, NotFound
from prbot.model import (
    Event,
    Ignored,
    IssueCommented,
    IssueMoved,
    PipelineBegan,
    PullMerged,
    QueueMoved,
    RepoRef,
    RunId,
)
from prbot.ports.store import UnitOfWork
from prbot.runs.asks import Asked, Listening, Nudged, ask_of
from prbot.runs.queued import place_of
from prbot.runs.reconcile import is_late, why_known
from prbot.runs.run import Ask, AskKind, Run, RunState


class Asking:
    def __init__(self, world: World) -> None:
        self._world = world
        self._answers = DriftAnswers(world)
        self._by_hand = ByHand(world)

    async def heard(self, forge: str, event: Event) -> Asked | Nudged | Answered | Moved | Ignored:
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
        if isinstance(event, IssueMoved):
            return await self._by_hand.heard(event, listening)
        if isinstance(event, PipelineBegan):
            event = await self._of_train(event)
        return ask_of(event, listening)

    async def _of_train(self, event: PipelineBegan) -> QueueMoved | Ignored:
        """The forge is asked once of each commit of a train, and of others at each word of
        their pipeline. What it does not tell now, the reconciler asks again."""
        repo = event.pull.repo
        if not self._world.settings.serves(repo):
            return Ignored("the repository is not served")
        async with self._world.store.begin() as unit:
            runs = await unit.runs.of_pull(place_of(repo, event.commit))
        if any(run.ask.head_sha == event.commit for run in runs):
            return Ignored("the train's commit is planned already")
        try:
            queue = await self._world.forge_of(repo).reader.merge_queue(repo)
        except (ForgeRefused, NotFound) as error:
            return Ignored(str(error))
        for moved in queue:
            if moved.commit == event.commit:
                return replace(moved, reason=f"{event.reason}, of a merge train")
        return Ignored(f"{event.reason}, of no merge train")

    async def start(
        self, unit: UnitOfWork, event: Event, asked: Asked | Nudged | Answered | Moved | Ignored
    ) -> tuple[str, Run | None]:
        """Add the run, unless one did it already; a few words, and the run that is new, or
        one that may go on.

        `wake` it once the transaction is committed.
        """
        if isinstance(asked, Ignored):
            return asked.reason, None
        if isinstance(asked, Answered):
            return await self._answers.perform(unit, asked), None
        if isinstance(asked, Moved):
            return await self._by_hand.perform(unit, asked), None
        if isinstance(asked, Nudged):
            return await self._nudged(unit, asked)
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

    async def _nudged(self, unit: UnitOfWork, nudged: Nudged) -> tuple[str, Run | None]:
        tried = await self._dropped(unit, nudged)
        if tried is not None:
            return f"{nudged.reason}; {tried.id}: {tried.ask.kind.value}", tried
        resting = [r for r in await unit.runs.of_pull(nudged.pull) if r.state is RunState.WAITING]
        return f"{nudged.reason}; {len(resting)} wait", next(iter(resting), None)

    async def _dropped(self, unit: UnitOfWork, nudged: Nudged) -> Run | None:
        """A run that ends what is still planned of a merge train's commit."""
        if nudged.dropped is None:
            return None
        now, place = self._world.clock.now(), place_of(nudged.pull.repo, nudged.dropped)
        await unit.repositories.hold(place.repo, now)
        runs = await unit.runs.of_pull(place)
        going = (run for run in runs if run.ask.kind is AskKind.QUEUED and not run.state.finished)
        tried = next((run for run in going if run.ask.head_sha == nudged.dropped), None)
        if tried is None:
            return None
        ask = replace(tried.ask, kind=AskKind.UNQUEUED, reason=nudged.reason)
        if why_known(ask, runs):
            return None
        ended = Run(RunId(self._world.new_id("r")), place, ask, now)
        await unit.runs.add(ended)
        return ended

    async def wake(self, run: Run) -> None:
        """The new run, and those of the pull request that it may have overtaken."""
        async with self._world.store.begin() as unit:
            runs = await unit.runs.of_pull(run.pull)
        for each in runs:
            if not each.state.finished:
                await self._world.queue.put(advance_message(each))
