"""What a dead process left behind: put back to work, or told, but never repeated.

The tables own the truth, so everything can be found in them: runs are decided again and
plans are made again; a correction of drift that had not begun to apply is dropped, for it was
judged for that moment. An apply that was intended and not settled is `interrupted`: its
tool may have run, so it is never started again, its lock stays, and people are told.

A message may be lost between the commit that made it due and the queue. From time to
time whatever should be under way and is not in the queue is put there again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import structlog

from prbot.engine.alarm import Alarm
from prbot.engine.messages import advance_message, job_message
from prbot.engine.state_changer import cut_off
from prbot.engine.world import World
from prbot.errors.applies import ApplyInterrupted, NotJudgedAnew
from prbot.errors.runs import LostLease
from prbot.errors.store import StoreUnavailable
from prbot.model import JobId
from prbot.ports.queue import Message
from prbot.ports.store import UnitOfWork
from prbot.runs.correcting import is_judged_once
from prbot.runs.order import busy, release
from prbot.runs.run import STATE_JOBS, Job, JobState, Run, RunState, Trouble

log = structlog.get_logger()

SWEEP = timedelta(minutes=1)
"""How often lost messages are looked for."""
LOOK_AT_WAITING = 5
"""Every so many sweeps also runs that wait for a lock look again: it costs the forge's
answers, and only a process that died at the wrong moment makes it necessary."""


class Recovery:
    """Keeps nothing; any process may do any of it at any time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._never = Alarm()

    async def at_start(self) -> None:
        """Take up everything that is unfinished."""
        world = self._world
        if world.alone:  # then whoever had something in hand is dead, whatever its lease says
            await world.queue.recover()
            async with world.store.begin() as unit:
                await unit.outbox.release(world.clock.now())
                left = [await self._take_over(unit, j) for j in await unit.runs.running_jobs()]
            log.info("taken over", action="recover", jobs=len(left))
        await self._put_again(lambda run: True)

    async def run(self) -> None:
        """Look for lost messages for ever."""
        sweeps = 0
        while True:
            await self._never.wait(SWEEP)
            sweeps += 1
            try:
                await self.sweep(waiting=sweeps % LOOK_AT_WAITING == 0)
            except StoreUnavailable as error:
                log.warning("nothing looked for", action="recover", error=str(error))

    async def sweep(self, waiting: bool) -> None:
        """Put again what no message stands for; of `waiting` runs too when that is wanted."""
        await self._put_again(lambda run: waiting or run.state is not RunState.WAITING)

    async def _put_again(self, wanted: Callable[[Run], bool]) -> None:
        known = await self._world.queue.known()
        async with self._world.store.begin() as unit:
            runs = [await unit.runs.get(run_id) for run_id in await unit.runs.unfinished()]
        for run in filter(wanted, runs):
            for message in messages_of(run):
                if message.work not in known:
                    await self._world.queue.put(message)

    # --- jobs whose worker is dead -------------------------------------------------------

    async def of_the_dead(self) -> None:
        """Take over the jobs whose leases ran out."""
        async with self._world.store.begin() as unit:
            expired = await unit.runs.expired(self._world.clock.now())
            left = [await self._take_over(unit, job) for job in expired]
            runs = {job.run_id: await unit.runs.get(job.run_id) for job in left}
        for job in left:
            await self._put(runs[job.run_id], job)

    async def of_ours(self, jobs: Iterable[JobId]) -> None:
        """Take over jobs that are leased to this process and that it does not work on."""
        for job_id in jobs:
            try:
                async with self._world.store.begin() as unit:
                    job = await unit.runs.get_job(job_id)
                    if job.state is not JobState.RUNNING or job.worker != self._world.worker:
                        continue
                    left = await self._take_over(unit, job)
                    run = await unit.runs.get(left.run_id)
            except LostLease:
                continue
            await self._put(run, left)

    async def _take_over(self, unit: UnitOfWork, job: Job) -> Job:
        if job.kind in STATE_JOBS:  # that it ran is all there is to know: never a second time
            log.error("state command interrupted", action="recover", job=job.id)
            return await cut_off(unit, job)
        intended = await unit.plans.intended(job)
        if intended is None:
            if is_judged_once(await unit.runs.get(job.run_id), job):
                return await _dropped(unit, job)
            log.warning("job given back", action="recover", job=job.id, worker=job.worker)
            return await unit.runs.move_job(job, JobState.QUEUED)
        log.error("apply interrupted", action="recover", job=job.id, plan=intended)
        error = ApplyInterrupted(intended)
        await unit.plans.settle(intended, "interrupted", None)
        told = replace(job, trouble=Trouble(str(error), error.next_step))
        return await unit.runs.move_job(job, JobState.INTERRUPTED, told)

    async def _put(self, run: Run, job: Job) -> None:
        queued = job.state is JobState.QUEUED
        await self._world.queue.put(job_message(run, job) if queued else advance_message(run))


async def _dropped(unit: UnitOfWork, job: Job) -> Job:
    log.warning("correction not begun", action="recover", job=job.id, worker=job.worker)
    error = NotJudgedAnew(job.reviewed or "")
    told = replace(job, trouble=Trouble(str(error), error.next_step))
    return await unit.runs.move_job(job, JobState.DROPPED, told)


def messages_of(run: Run) -> tuple[Message, ...]:
    """What must be in the queue, or in hand, for an unfinished run to go on.

    While a job of it is under way its end will advance the run; what waits for others is
    released by that.
    """
    queued = tuple(job_message(run, job) for job in run.jobs if job.state is JobState.QUEUED)
    if not busy(run) or release(run):
        return (advance_message(run), *queued)
    return queued
