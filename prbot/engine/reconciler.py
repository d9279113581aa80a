"""Webhooks are a hint: every few minutes the forge itself is asked what there is.

At start and then at intervals, open and recently closed pull requests, new comments and the
commits of merge queues of each served repository are listed, told as the events their webhooks
would have been, and whatever no run has done is started. What runs did already is nothing new,
so the order does not matter, and looking twice does no harm; one process at a time looks at a
repository only to spare the forge. Lists that did not change cost it next to nothing.

Not promised: comments that were edited or deleted before they were found, and what
happened more than `LOOK_BACK` ago while nobody looked.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import structlog

from prbot.engine.alarm import Alarm
from prbot.engine.asking import Asking
from prbot.engine.drift_answers import KNOWN, Answered
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.errors.store import StoreUnavailable
from prbot.model import Event, PullRequest, RepoRef
from prbot.ports.store import Seen
from prbot.runs.asks import Asked
from prbot.runs.reconcile import event_of, why_known

log = structlog.get_logger()

RETRY = timedelta(minutes=1)
"""When to look again at what could not be looked at."""
CLAIM = timedelta(minutes=1)
"""How long others keep off a repository whose process may have died over it."""
OVERLAP = timedelta(minutes=10)
"""What is looked at once more: forges show things late, and clocks differ."""
LOOK_BACK = timedelta(days=7)
JITTER = 0.1


class Reconciler:
    """One per process. `outbox` is rung when there is something to tell of which no run tells,
    `drift` when somebody wants it looked at."""

    def __init__(
        self,
        world: World,
        asking: Asking,
        outbox: Alarm | None = None,
        drift: Alarm | None = None,
    ) -> None:
        self._world = world
        self._asking = asking
        self._alarm = Alarm()
        self._outbox, self._drift = outbox or Alarm(), drift or Alarm()
        self._random = random.SystemRandom()

    async def run(self) -> None:
        """Look at once, whoever looked before; then at intervals."""
        starting = True
        while True:
            complete = await self.sweep(starting)
            starting = starting and not complete
            await self._alarm.wait(self._pause() if complete else min(RETRY, self._pause()))

    def _pause(self) -> timedelta:
        """With jitter, so that many installations do not ask at the same moment."""
        interval = self._world.settings.reconcile_every
        return interval * self._random.uniform(1 - JITTER, 1 + JITTER)

    async def sweep(self, starting: bool = False) -> bool:
        """Look at all repositories that nobody looked at lately, or (`starting`) at all.

        False when something could not be looked at.
        """
        return all([await self._sweep_forge(forge, starting) for forge in self._world.forges])

    async def _sweep_forge(self, forge: str, starting: bool) -> bool:
        try:
            repos = await self._world.forges[forge].reader.repositories()
        except PrbotError as error:
            log.warning("forge not reconciled", action="reconcile", forge=forge, error=str(error))
            return False
        served = filter(self._world.settings.serves, repos)
        return all([await self._try(repo, starting) for repo in served])

    async def _try(self, repo: RepoRef, starting: bool) -> bool:
        try:
            return await self._reconcile(repo, starting)
        except PrbotError as error:  # the next repository may do better
            log.warning("not reconciled", action="reconcile", repo=str(repo), error=str(error))
            return False

    async def _reconcile(self, repo: RepoRef, starting: bool) -> bool:
        """False when somebody else has the repository, and might have died."""
        now = self._world.clock.now()
        lately = now if starting else now - self._world.settings.reconcile_every * (1 - 2 * JITTER)
        async with self._world.store.begin() as unit:
            seen = await unit.repositories.claim(repo, now, now + CLAIM, lately)
        if seen is None:
            return not starting
        reader = self._world.forge_of(repo).reader
        waiting = await reader.open_pulls(repo)
        for pull in waiting:
            await self._look_at(pull, now)
        for moved in await reader.merge_queue(repo) if waiting else ():
            await self._start(repo, moved)
        comments = await reader.comments_since(repo, comments_since(seen, now))
        heard = all([await self._heard(repo, comment) for comment in comments])
        for pull in await reader.recently_closed_pulls(repo, self._closed_since(seen, now)):
            await self._look_at(pull, now)
        if not heard:
            return False
        async with self._world.store.begin() as unit:
            await unit.repositories.reconciled(repo, now)
        return True

    async def _heard(self, repo: RepoRef, comment: Event) -> bool:
        """False when it is to be looked for again; what nobody foresaw must not stop the rest."""
        try:
            await self._start(repo, comment)
        except StoreUnavailable:
            raise
        except PrbotError as error:  # an issue here may be about another repository
            log.warning("not heard", action="reconcile", repo=str(repo), error=str(error))
            return False
        except Exception:
            log.exception("not heard", action="reconcile", repo=str(repo))
        return True

    def _closed_since(self, seen: Seen, now: datetime) -> datetime:
        """At the first time also what was merged shortly before: it is planned and held."""
        if seen.reconciled_at is not None:
            return _since(seen.reconciled_at, now)
        return seen.seen_at - self._world.settings.max_event_age

    # --- what is seen --------------------------------------------------------------------

    async def _look_at(self, pull: PullRequest, began: datetime) -> None:
        """Start what is missing; only then the pull request is asked for by itself, because
        a list does not tell who merged."""
        async with self._world.store.begin() as unit:
            runs = await unit.runs.of_pull(pull.ref)
        newer = (run for run in runs if run.created_at >= began and not run.ask.by_comment)
        if pull.open and any(newer):
            return  # webhooks came meanwhile: the list may be older than they are
        asked = await self._asking.heard(pull.ref.repo.forge, event_of(pull))
        if not isinstance(asked, Asked) or why_known(asked.ask, runs):
            return
        if pull.merged:
            pull = await self._world.forge_of(pull.ref.repo).reader.pull_request(pull.ref)
        await self._start(pull.ref.repo, event_of(pull))

    async def _start(self, repo: RepoRef, event: Event) -> None:
        asked = await self._asking.heard(repo.forge, event)
        if not isinstance(asked, Asked | Answered):
            return
        async with self._world.store.begin() as unit:
            outcome, run = await self._asking.start(unit, event, asked)
        if isinstance(asked, Answered) and outcome != KNOWN:
            log.info("found", action="reconcile", repo=str(repo), outcome=outcome)
            self._outbox.ring()
            self._drift.ring()
        if run is not None:
            log.info("found", action="reconcile", pull=str(run.pull), outcome=outcome)
            await self._asking.wake(run)


def comments_since(seen: Seen, now: datetime) -> datetime:
    """Never from before we came: nobody spoke to us then."""
    came = seen.seen_at.replace(microsecond=0)
    return came if seen.reconciled_at is None else max(came, _since(seen.reconciled_at, now))


def _since(reconciled_at: datetime, now: datetime) -> datetime:
    """Cut to the hour: the same question again is answered with `unchanged`."""
    since = max(reconciled_at - OVERLAP, now - LOOK_BACK)
    return since.replace(minute=0, second=0, microsecond=0)
