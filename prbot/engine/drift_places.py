"""Which repositories are looked at, and what their default branches say of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from prbot.config.files import counted
from prbot.config.repo import Effective
from prbot.drift.state import Watch
from prbot.engine.drift_signals import signal_removed
from prbot.engine.survey import Surveyor
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.model import RepoRef, Sha
from prbot.ports.drift import DriftChecks
from prbot.runs.order import in_environments
from prbot.runs.run import Trouble

log = structlog.get_logger()

FRESH, OLD = timedelta(minutes=10), timedelta(hours=6)
"""For so long a repository is known well enough to look at one of its projects, and at all."""
SILENCE = timedelta(minutes=10)
"""After so long without a look nobody was there."""
OUT_OF_REACH = "it is archived, or out of our reach"


@dataclass(frozen=True)
class Place:
    """A repository's default branch, as it was fetched `at` that moment."""

    repo: RepoRef
    branch: str
    head: Sha
    rules: Effective
    at: datetime


class Places:
    """Each process asks for itself, and notes the same."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[RepoRef, Place | datetime] = {}
        self._served: dict[str, tuple[datetime, tuple[RepoRef, ...]]] = {}

    def forget(self, repo: RepoRef) -> None:
        """It is not as we thought: it is looked at anew."""
        self._known.pop(repo, None)

    async def served(self) -> tuple[RepoRef, ...]:
        """Of all forges; of one that does not answer those of which it told before."""
        return tuple([repo for name in self._world.forges for repo in await self._of(name)])

    async def _of(self, forge: str) -> tuple[RepoRef, ...]:
        now = self._world.clock.now()
        asked, known = self._served.get(forge, (None, ()))
        if asked is not None and now - asked < FRESH:
            return known
        try:
            found = await self._world.forges[forge].reader.repositories()
        except PrbotError as error:
            log.warning("forge not asked", action="drift", forge=forge, error=str(error))
            return known
        known = tuple(filter(self._world.settings.serves, found))
        self._served[forge] = (now, known)
        await self._note_others(forge, known)
        return known

    async def _note_others(self, forge: str, known: tuple[RepoRef, ...]) -> None:
        """What is listed no more is not looked at, and says why."""
        async with self._world.store.begin() as unit:
            for watch in await unit.drift.watches():
                if watch.repo.forge == forge and watch.repo not in known and not watch.skipped:
                    await unit.drift.watch(replace(watch, skipped=OUT_OF_REACH))

    async def at(self, repo: RepoRef, fresh: bool) -> Place | None:
        """As it is known, asked anew where that is too old; None while nothing is known.

        What cannot be asked, or read, is noted as the reason why nothing is looked at.
        """
        now = self._world.clock.now()
        known = self._known.get(repo)
        asked = known.at if isinstance(known, Place) else known
        if asked is None or now - asked >= (FRESH if fresh else OLD):
            self._known[repo] = known = await self._asked(repo, now)
        return known if isinstance(known, Place) else None

    async def _asked(self, repo: RepoRef, now: datetime) -> Place | datetime:
        try:
            return await self._refreshed(repo, now)
        except PrbotError as error:
            log.warning("drift not looked for", action="drift", repo=str(repo), error=str(error))
            await self._note(Watch(repo, skipped=self._world.redactor.redact(str(error))))
            return now

    async def _refreshed(self, repo: RepoRef, now: datetime) -> Place | datetime:
        world = self._world
        forge = world.forge_of(repo)
        access = await forge.reader.clone_access(repo)
        branch, head = await forge.workspaces.default_branch(repo, access)
        surveyor = Surveyor(forge.tree, world.facts)
        files = await surveyor.files(repo, head)
        rules = await asyncio.to_thread(world.settings.rules_of, repo, files)
        if isinstance(rules, Trouble):
            await self._note(Watch(repo, branch, skipped=rules.sentence))
            return now
        placed = await surveyor.all_of(repo, head, partial(counted, files, files, branch))
        environments = {p.project: p.environment for p in in_environments(placed, rules)}
        await self._note(Watch(repo, branch, now))
        async with world.store.begin() as unit:
            await signal_removed(world, unit, await unit.drift.found(repo, environments, now))
        return Place(repo, branch, head, rules, now)

    async def _note(self, watch: Watch) -> None:
        async with self._world.store.begin() as unit:
            known = await watch_of(unit.drift, watch.repo)
            later = watch.refreshed_at or known.refreshed_at
            branch = watch.branch or known.branch
            now = replace(known, branch=branch, refreshed_at=later, skipped=watch.skipped)
            await unit.drift.watch(now)


async def watch_of(checks: DriftChecks, repo: RepoRef) -> Watch:
    """What is noted of the repository."""
    watches = await checks.watches()
    return next((watch for watch in watches if watch.repo == repo), Watch(repo))
