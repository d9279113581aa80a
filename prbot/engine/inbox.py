"""Digests deliveries: each becomes a run, or a note why not.

A delivery is digested in the transaction that adds its run, so a crash between the two
cannot lose or double it. Those of which no run is made are noted many at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from prbot.engine.alarm import Alarm
from prbot.engine.asking import Asking
from prbot.engine.world import World
from prbot.errors import ForgeRefused, ForgeUnavailable, PrbotError
from prbot.model import Event, Ignored
from prbot.ports import Delivery
from prbot.runs.asks import Asked

log = structlog.get_logger()

RETRY = timedelta(seconds=10)


class DigestedElsewhere(Exception):  # not an error: nothing of ours is kept
    """Another process digested the delivery first."""


class Inbox:
    """One per process. `woken` rings when a delivery was stored."""

    def __init__(self, world: World, asking: Asking, woken: Alarm) -> None:
        self._world = world
        self._asking = asking
        self._woken = woken

    async def run(self) -> None:
        """Digest for ever; what cannot be digested now is tried again."""
        while True:
            retry = await self.digest_waiting()
            await self._woken.wait(retry)

    async def digest_waiting(self) -> timedelta | None:
        """Digest all that waits; returns when to try again if a forge did not answer."""
        done = [await self._digest_all_of(forge) for forge in self._world.forges]
        return None if all(done) else RETRY

    async def _digest_all_of(self, forge: str) -> bool:
        """False when this forge keeps its deliveries waiting; the others go on."""
        while True:
            async with self._world.store.begin() as unit:
                waiting = await unit.deliveries.waiting(forge)
            if not waiting:
                return True
            for delivery in await self._of_interest(waiting):
                try:
                    await self._digest(delivery)
                except (ForgeUnavailable, ForgeRefused) as error:
                    # Refused: the token may be renewed, and no event must be lost by then.
                    log.warning("forge does not help", action="digest", error=str(error))
                    return False

    async def _of_interest(self, batch: Sequence[Delivery]) -> Sequence[Delivery]:
        """Note together all that start nothing, most of any flood; returns the others.

        From the first on of which that cannot be told all are returned: digested alone, it
        will say why, and the forge is not asked in vain for each of them.
        """
        notes, others = [], []
        told = True
        for delivery in batch:
            asked = await self._asked_by(delivery) if told else None
            told = asked is not None
            if isinstance(asked, Ignored):
                notes.append((delivery, asked.reason))
            else:
                others.append(delivery)
            await asyncio.sleep(0)  # whoever knocks at the door comes first
        if notes:
            async with self._world.store.begin() as unit:
                await unit.deliveries.digested_all(notes)
            log.info("deliveries digested", action="digest", outcomes=_ids_by_outcome(notes))
        return others

    async def _asked_by(self, delivery: Delivery) -> Asked | Ignored | None:
        try:
            return await self._asking.heard(delivery.forge, self._event_of(delivery))
        except Exception:
            return None

    async def _digest(self, delivery: Delivery) -> None:
        event = self._event_of(delivery)
        asked = await self._asking.heard(delivery.forge, event)
        try:
            async with self._world.store.begin() as unit:
                outcome, run = await self._asking.start(unit, event, asked)
                if not await unit.deliveries.digested(delivery, outcome):
                    raise DigestedElsewhere
        except DigestedElsewhere:
            return
        log.info("delivery digested", action="digest", delivery=delivery.id, outcome=outcome)
        if run is not None:
            await self._asking.wake(run)

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
