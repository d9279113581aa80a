"""Looks every night at what the default branch says, project by project, and changes nothing.

Each process does it; the tables say who is first. A check is a run of its own, in a place that
no pull request has, of the lowest priority: whatever a dead process left of it others take up,
as with any run. When it has ended, what it found, and what follows, is kept once, by whoever
comes first. So no check is lost, and none is kept twice.

Not promised: that a look sees what is pushed while it goes on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from prbot.drift.state import Standing
from prbot.drift.turn import Room, due, replanned, take_turn
from prbot.engine.alarm import Alarm
from prbot.engine.drift_corrections import DriftCorrections
from prbot.engine.drift_ends import DriftEnds
from prbot.engine.drift_places import SILENCE, Place, Places
from prbot.engine.drift_proving import DriftProving
from prbot.engine.drift_reading import applied_of, unmerged_holders
from prbot.engine.drift_signals import signal_overdue
from prbot.engine.drift_withdrawing import putting_back, to_prove
from prbot.engine.messages import advance_message
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.errors.store import StoreUnavailable
from prbot.model import Login, ProjectKey, RepoRef, RunId, Selector
from prbot.ports.store import UnitOfWork
from prbot.runs.correction import holder_words, is_correction
from prbot.runs.drifting import place_for
from prbot.runs.run import CHANGING, Ask, AskKind, Run

log = structlog.get_logger()

BUSY, IDLE = timedelta(seconds=5), timedelta(seconds=30)
"""How often it is looked while a check is under way, and else: others may ask for one."""
WHO = Login("prbot")


class Drift:
    """One per process. `outbox` is rung when there is something to tell; `woken` rings when
    somebody wants something looked at."""

    def __init__(self, world: World, outbox: Alarm) -> None:
        self._world = world
        self._places = Places(world)
        self._ends = DriftEnds(world, self._places, outbox)
        self._corrections = DriftCorrections(world, self._places, outbox)
        self._proving = DriftProving(world)
        self._outbox = outbox
        self.woken = Alarm()

    async def run(self) -> None:
        """For ever, where the operator wants it."""
        while True:
            await self.woken.wait(
                await self._look() if self._world.settings.drift.enabled else None
            )

    async def _look(self) -> timedelta:
        try:
            return BUSY if await self.sweep() else IDLE
        except StoreUnavailable as error:
            log.warning("drift not looked for", action="drift", error=str(error))
        except Exception:  # whatever it is, it must not stop the service
            log.exception("drift not looked for", action="drift")
        return IDLE

    async def sweep(self) -> int:
        """Keep what has ended, then begin what was asked for and what is due; how many checks and
        corrections are under way then.

        Raises StoreUnavailable.
        """
        await self._ends.keep()
        await self._corrections.begin()
        for repo in await self._places.served():
            try:
                await self._look_at(repo)
            except StoreUnavailable:
                raise
            except PrbotError as error:  # the next repository may do better
                log.warning(
                    "drift not looked for", action="drift", repo=str(repo), error=str(error)
                )
        if await signal_overdue(self._world, SILENCE):
            self._outbox.ring()
        async with self._world.store.begin() as unit:
            return len(await unit.drift.under_way())

    async def _look_at(self, repo: RepoRef) -> None:
        if await self._proving.look(repo):
            self._outbox.ring()
        place = await self._places.at(repo, fresh=False)
        if place is None or not await self._any_due(place):
            return
        place = await self._places.at(repo, fresh=True)
        if place is not None:
            await self._begin(place)

    async def _any_due(self, place: Place) -> bool:
        """Notes when each is due next."""
        now, window = self._world.clock.now(), place.rules.drift.night
        async with self._world.store.begin() as unit:
            since = await unit.drift.hold(now, SILENCE)
            standings = await unit.drift.turns(place.repo)
            for standing in (proving := await to_prove(unit, place.repo, standings, now)):
                await unit.drift.plan(standing)
            if proving:
                standings = await unit.drift.turns(place.repo)
            for standing in replanned(standings, window, now, since):
                await unit.drift.plan(standing)
        return bool(due(standings, window, now, since))

    async def _begin(self, place: Place) -> None:
        """In one transaction, which keeps other processes out, so that what each of them found
        due is begun once."""
        now, window, bounds = (
            self._world.clock.now(),
            place.rules.drift.night,
            self._world.settings.drift,
        )
        async with self._world.store.begin() as unit:
            since = await unit.drift.hold(now, SILENCE)
            standings = await unit.drift.turns(place.repo)
            room = bounds.parallel - len(await unit.drift.under_way())
            turn = take_turn(
                standings,
                due(standings, window, now, since),
                await held(unit, place.repo),
                Room(room, bounds.per_environment),
                now,
            )
            for standing in turn.later:
                await unit.drift.plan(standing)
            started = [await self._started(unit, place, each, now) for each in turn.begin]
        for run in started:
            if run is not None:
                await self._world.queue.put(advance_message(run))

    async def _started(
        self, unit: UnitOfWork, place: Place, standing: Standing, now: datetime
    ) -> Run | None:
        project = standing.project
        whole = await unit.drift.get(place.repo, project)  # with what is known to be applied
        if whole is None:
            return None
        ask = Ask(
            AskKind.DRIFT,
            WHO,
            "drift",
            place.head,
            select=Selector(dirs=(project.dir,), workspaces=(project.workspace,)),
            base_branch=place.branch,
            default_branch=place.branch,
            applied=await applied_of(unit, whole),
        )
        run = Run(RunId(self._world.new_id("r")), place_for(place.repo, standing.number), ask, now)
        if not await unit.drift.begin(standing, run.id):
            return None
        await unit.runs.add(run)
        return run


async def held(unit: UnitOfWork, repo: RepoRef) -> dict[ProjectKey, str]:
    """By what each project is held: a pull request that is open, or an apply that runs. What an
    interrupted correction still holds is looked at, for that may show that it is mended."""
    unmerged = await unmerged_holders(unit, repo) | await putting_back(unit, repo)
    locks = await unit.locks.of_repo(repo)
    found = {
        lock.project: f"held by {holder_words(lock.holder)}"
        for lock in locks
        if lock.holder not in unmerged and not is_correction(lock.holder)
    }
    for run in await unit.runs.of_repo_unfinished(repo):
        for job in run.jobs:
            if job.kind in CHANGING and not job.state.finished:
                found[job.project] = f"being applied by {holder_words(run.pull)}"
    return found
