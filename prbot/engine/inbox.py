"""Digests deliveries: each becomes a run, or a note why not.

A delivery is digested in the transaction that adds its run, so a crash between the two
cannot lose or double it. Those of which no run is made are noted many at a time. One at
which our own code fails is tried again, and then noted as failed, so that it does not keep
back those behind it; what it told, the reconciler finds by itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from prbot.engine.alarm import Alarm
from prbot.engine.asking import Asking
from prbot.engine.drift_answers import Answered
from prbot.engine.drift_by_hand import Moved
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.errors.forge import ForgeRefused, ForgeUnavailable, NotFound
from prbot.errors.store import StoreUnavailable
from prbot.model import (
    DeliveryId,
    Event,
    Ignored,
    IssueCommented,
    IssueMoved,
    PipelineBegan,
    RepoRef,
)
from prbot.ports.deliveries import Delivery
from prbot.runs.asks import Asked, Nudged
from prbot.runs.run import Run

log = structlog.get_logger()

RETRY = timedelta(seconds=10)
AT_ONCE = 100
TURN = 10
"""So many deliveries are read before others have a turn: a millisecond or two."""
FAILURES = 3
"""How often one process fails at a delivery for a reason nobody foresaw."""


Heard = Asked | Nudged | Answered | Moved
"""What a delivery asks for; to find that out again could ask the forge again."""


class DigestedElsewhere(Exception):  # not an error: nothing of ours is kept
    """Another process digested the delivery first."""


class Inbox:
    """One per process. `woken` rings when a delivery was stored; `outbox` is rung when there
    is something to tell of which no run tells, `drift` when somebody wants it looked at."""

    def __init__(
        self,
        world: World,
        asking: Asking,
        woken: Alarm,
        outbox: Alarm,
        drift: Alarm | None = None,
    ) -> None:
        self._world = world
        self._asking = asking
        self._woken = woken
        self._outbox = outbox
        self._drift = drift or Alarm()
        self._failures: Counter[tuple[str, DeliveryId]] = Counter()
        self._new: deque[Run] = deque()

    async def run(self) -> None:
        """Digest for ever; what cannot be digested now is tried again."""
        while True:
            retry = await self.digest_waiting()
            # Nobody rings here for what a process stored that died before it digested it.
            await self._woken.wait(retry or self._world.settings.lease)

    async def digest_waiting(self) -> timedelta | None:
        """Digest all that waits; returns when to try again if something was left."""
        try:
            await self._wake_new()
            done = [await self._digest_all_of(forge) for forge in self._world.forges]
        except StoreUnavailable as error:
            log.warning("store does not answer", action="digest", error=str(error))
            return RETRY
        return None if all(done) else RETRY

    async def _digest_all_of(self, forge: str) -> bool:
        """False when something of this forge was left; the other forges go on."""
        failed: set[DeliveryId] = set()
        more = True
        while more:
            limit = AT_ONCE + len(failed)
            async with self._world.store.begin() as unit:
                waiting = await unit.deliveries.waiting(forge, limit)
            more = len(waiting) == limit  # who comes from now on rings
            fresh = [delivery for delivery in waiting if delivery.id not in failed]
            for delivery, heard in await self._of_interest(fresh):
                try:
                    done = await self._try(delivery, heard)
                except (ForgeUnavailable, ForgeRefused, NotFound) as error:
                    # Refused: the token may be renewed, and no event must be lost by then.
                    log.warning("forge does not help", action="digest", error=str(error))
                    if not await self._is_of_one_repository(delivery):
                        return False
                    done = False  # those of others need not wait for it
                if not done:
                    failed.add(delivery.id)
        return not failed

    async def _try(self, delivery: Delivery, heard: Heard | None) -> bool:
        """False when it failed for a reason nobody foresaw, and is to be tried again."""
        key = (delivery.forge, delivery.id)
        try:
            await self._digest(delivery, heard)
        except (ForgeUnavailable, ForgeRefused, NotFound, StoreUnavailable):
            raise
        except Exception as error:  # one that we cannot digest must not stop the others
            log.exception("digest failed", action="digest", delivery=delivery.id)
            self._failures[key] += 1
            if self._failures[key] < FAILURES:
                return False
            async with self._world.store.begin() as unit:
                await unit.deliveries.digested(delivery, f"failed: {type(error).__name__}")
        self._failures.pop(key, None)
        return True

    async def _of_interest(
        self, batch: Sequence[Delivery]
    ) -> Sequence[tuple[Delivery, Heard | None]]:
        """Note together all that start nothing, most of any flood; returns the others, with what
        they ask for: the forge may have been asked for it already.

        From the first on of which that cannot be told all are returned: digested alone, it
        will say why, and the forge is not asked in vain for each of them.
        """
        notes, others = [], []
        told = True
        for number, delivery in enumerate(batch):
            if number % TURN == 0:
                await asyncio.sleep(0)  # whoever knocks at the door comes first
            asked = await self._asked_by(delivery) if told else None
            told = asked is not None
            if isinstance(asked, Ignored):
                notes.append((delivery, asked.reason))
            else:
                others.append((delivery, asked))
        if notes:
            async with self._world.store.begin() as unit:
                await unit.deliveries.digested_all(notes)
            log.info("deliveries digested", action="digest", outcomes=_ids_by_outcome(notes))
        return others

    async def _asked_by(self, delivery: Delivery) -> Heard | Ignored | None:
        try:
            return await self._asking.heard(delivery.forge, self._event_of(delivery))
        except Exception:
            return None

    async def _digest(self, delivery: Delivery, heard: Heard | None) -> None:
        event = self._event_of(delivery)
        asked = heard or await self._asking.heard(delivery.forge, event)
        try:
            async with self._world.store.begin() as unit:
                outcome, run = await self._asking.start(unit, event, asked)
                if not await unit.deliveries.digested(delivery, outcome):
                    raise DigestedElsewhere
        except DigestedElsewhere:
            return
        log.info("delivery digested", action="digest", delivery=delivery.id, outcome=outcome)
        if isinstance(asked, Answered):
            self._outbox.ring()
            self._drift.ring()
        if run is not None:
            self._new.append(run)
            await self._wake_new()

    async def _wake_new(self) -> None:
        """Wake the runs that were added, also those the queue did not take before."""
        while self._new:
            try:
                await self._asking.wake(self._new[0])
            except StoreUnavailable:
                raise
            except Exception:  # the run is stored, and woken at the next start
                log.exception("run not woken", action="digest", run=self._new[0].id)
            self._new.popleft()

    async def _is_of_one_repository(self, delivery: Delivery) -> bool:
        """What happens to an issue, or in a train's pipeline, asks the forge about its repository;
        it may help elsewhere."""
        if not isinstance(self._event_of(delivery), IssueCommented | IssueMoved | PipelineBegan):
            return False
        try:
            await self._world.forge_of(RepoRef(delivery.forge, "")).reader.bot_login()
        except (ForgeUnavailable, ForgeRefused, NotFound):
            return False
        return True

    def _event_of(self, delivery: Delivery) -> Event:
        try:
            return self._world.forges[delivery.forge].digest(delivery)
        except PrbotError as error:  # stored by an older version, or not what it claims
            return Ignored(str(error))


def _ids_by_outcome(notes: Sequence[tuple[Delivery, str]]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for delivery, outcome in notes:
        found.setdefault(outcome, []).append(delivery.id)
    return found
