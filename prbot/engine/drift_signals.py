"""Tells other programs of drift: what a check found, what is no more, and what nobody looks at.

Through the outbox, in the transaction that keeps what is told, so that a process that dies tells
all of it or nothing, and two tell it once. Where nobody listens nothing is kept: who begins to
listen hears of all that drifts, as new.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from prbot.drift.issue import Section
from prbot.drift.signals import Signal, after_check, overdue, removed
from prbot.drift.state import Standing
from prbot.engine.letters import signal_letter
from prbot.engine.world import World
from prbot.model import RunId
from prbot.ports.outbox import of_signals
from prbot.ports.store import UnitOfWork

log = structlog.get_logger()

CATCHING_UP = timedelta(days=1)
"""After a time in which nobody looked there is so much longer until a project is overdue."""


async def signal_found(
    world: World, unit: UnitOfWork, before: Standing, run: RunId, section: Section, baseline: bool
) -> None:
    """What this check tells. `section` as people answered to it. What was no project any more when
    it ended is told to be over already, and nothing would end it a second time."""
    if world.receiver is None or before.gone_at is not None:
        return
    trace, signals = after_check(before, section, baseline)
    if trace != before.trace:
        await unit.drift.trace(before, trace)
    for signal in signals:
        await _put(world, unit, signal, str(run))


async def signal_removed(world: World, unit: UnitOfWork, gone: tuple[Standing, ...]) -> None:
    """What the default branch has no more."""
    now = world.clock.now()
    for standing in gone if world.receiver is not None else ():
        signal = removed(standing, now)
        if signal is not None:
            await _put(world, unit, signal, f"d-{standing.number}-{now:%Y%m%dT%H%M%S}")


async def signal_overdue(world: World, silence: timedelta) -> bool:
    """What nobody has looked at for too long, each once; whether there was any.

    Raises StoreUnavailable.
    """
    if world.receiver is None:
        return False
    now, after = world.clock.now(), timedelta(seconds=world.settings.drift.overdue_after)
    async with world.store.begin() as unit:
        silent = await unit.drift.silent(now - after)
        if not silent:
            return False
        since = await unit.drift.hold(now, silence)
        if now - since < CATCHING_UP:
            silent = tuple(each for each in silent if _last(each, now) < now - after - CATCHING_UP)
        skipped = {watch.repo: watch.skipped for watch in await unit.drift.watches()}
        for standing in silent:
            if await unit.drift.overdue(standing, now):
                signal = overdue(standing, skipped.get(standing.repo, ""), now)
                await _put(world, unit, signal, f"d-{standing.number}-{now:%Y%m%dT%H%M%S}")
    return bool(silent)


def _last(standing: Standing, now: datetime) -> datetime:
    return standing.succeeded_at or standing.known_at or now


async def _put(world: World, unit: UnitOfWork, signal: Signal, occasion: str) -> None:
    """An occasion tells of each kind once, under the same name however often it is sent."""
    delivery = f"{occasion}-{signal.kind.value.replace('.', '-')}"
    letter = signal_letter(world, delivery, signal)
    await unit.outbox.put(f"signal {delivery}", of_signals(signal.repo), letter, signal.at)
    log.info("drift told", action="drift", kind=signal.kind.value, delivery=delivery)
