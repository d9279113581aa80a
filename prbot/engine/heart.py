"""Keeps hold of what this process has in hand, and takes over what nobody holds any more.

Every job and letter in hand is leased. Long before the lease could run out it is renewed;
a process that cannot do that (dead, suspended, cut off from the database) loses it, and
another one takes over: a plan is made again, an apply that may have begun is
interrupted, never repeated.

A process that was cut off and comes back finds its leases gone. It stops its plans, which
others make by now. It does not stop an apply: killing it half-way would only do harm, and
its result is refused by its fence. Not promised: that such an apply does not overlap with
what people do about the interrupted one; the state's own lock is what keeps them apart.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from prbot.engine.alarm import Alarm
from prbot.engine.postman import Postman
from prbot.engine.recovery import Recovery
from prbot.engine.worker import Worker
from prbot.engine.world import World
from prbot.errors.applies import JobStopped
from prbot.errors.store import StoreUnavailable
from prbot.ports.store import Held
from prbot.runs.run import Job, JobKind, JobState

log = structlog.get_logger()

RETRY = timedelta(seconds=1)
"""When to try again what the database did not hear."""
BEATS = 3
"""How often in the time of a lease it is renewed."""


class Pulse:
    """Whether a lease that ran out tells that its process is dead.

    After the database was away, or this machine slept, all leases have run out, those of
    the living too: they get the time of one lease to renew them.
    """

    def __init__(self, lease: timedelta, now: datetime) -> None:
        self._lease = lease
        self._last = self._steady_since = now

    def beat(self, now: datetime) -> bool:
        """Note a beat that reached the database; True when it is steady for long enough."""
        if now - self._last > 2 * self._lease / BEATS:
            self._steady_since = now
        self._last = now
        return now - self._steady_since >= self._lease


class Heart:
    """One per process. `beat` may be called at any time."""

    def __init__(self, world: World, worker: Worker, postman: Postman, recovery: Recovery) -> None:
        self._world = world
        self._worker = worker
        self._postman = postman
        self._recovery = recovery
        self._never = Alarm()
        self._pulse = Pulse(world.settings.lease, world.clock.now())

    async def run(self) -> None:
        """Beat for ever, and sooner while the database is away."""
        while True:
            try:
                await self.beat()
                pause = self._world.settings.lease / BEATS
            except StoreUnavailable as error:
                log.error("leases not renewed", action="beat", error=str(error))
                pause = min(RETRY, self._world.settings.lease / BEATS)
            await self._never.wait(pause)

    async def beat(self) -> None:
        """Renew what is held, stop what is to be stopped, take over what is orphaned."""
        before = self._worker.jobs
        held = await self._renew(self._world.settings.lease)
        for each in held:
            if each.stop_asked:
                self._worker.stop(each.job_id, self._worker.trouble(JobStopped()))
        await self._let_go_of_lost(before, held)
        await self._recovery.of_ours(
            each.job_id for each in held if not self._worker.has(each.job_id)
        )
        if self._pulse.beat(self._world.clock.now()):
            await self._recovery.of_the_dead()

    async def rest(self) -> None:
        """The last beat: jobs still leased to this process are left for others at once.

        Letters only when their leases end: the calls of those still in hand may be on their
        way to the forge.
        """
        held = await self._renew(timedelta(0))
        await self._recovery.of_ours(each.job_id for each in held)

    async def _renew(self, lease: timedelta) -> tuple[Held, ...]:
        world = self._world
        until = world.clock.now() + lease
        async with world.store.begin() as unit:
            if lease:
                await unit.outbox.renew(world.worker, until, self._postman.letters)
            return await unit.runs.renew(world.worker, until)

    async def _let_go_of_lost(self, before: tuple[Job, ...], held: tuple[Held, ...]) -> None:
        kept = {each.job_id for each in held}
        for job in before:
            if job.id in kept or job.kind is JobKind.APPLY:
                continue
            async with self._world.store.begin() as unit:
                now = await unit.runs.get_job(job.id)
            if is_lost(job, now):
                log.warning("job lost", action="beat", job=job.id, worker=now.worker)
                self._worker.let_go(job.id)


def is_lost(started: Job, now: Job) -> bool:
    """Whether the job as it was started belongs to somebody else, or to nobody, by now.

    One that has ended under the same fence was ended by us.
    """
    return now.fence != started.fence or now.state is JobState.QUEUED
