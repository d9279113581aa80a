"""The service as a whole: its loops, how it starts after a crash, and how it stops.

Start. Whatever a dead process had in hand waits again: runs are decided again, plans
are made again. An apply that was intended and not settled is `interrupted`: its tool may
have run, so it is never started again, its lock stays, and people are told.

Stop. `drain` claims nothing new; what runs may end, up to a grace time; then tools are
interrupted (they save their state) by cancelling their tasks. What was not finished is
found again at the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import structlog

from prbot.engine.alarm import Alarm
from prbot.engine.asking import Asking
from prbot.engine.expiry import Expiry
from prbot.engine.inbox import Inbox
from prbot.engine.messages import advance_message, job_message
from prbot.engine.orchestrator import Orchestrator
from prbot.engine.postman import Postman
from prbot.engine.reconciler import Reconciler
from prbot.engine.worker import Worker
from prbot.engine.world import World
from prbot.errors import ApplyInterrupted, ForgeRefused, ForgeUnavailable, Unforeseen
from prbot.ports import AdvanceRun, Claim, PerformJob, Priority, UnitOfWork
from prbot.runs.run import Job, JobKind, JobState, Trouble

log = structlog.get_logger()

RETRY = timedelta(seconds=5)
ADVANCERS = 2
ADVANCING = frozenset({Priority.ADVANCE})
TOOLING = frozenset(Priority) - ADVANCING


class Service:
    """Everything that runs beside the web server, in one event loop."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._delivered = Alarm()
        self._written = Alarm()
        asking = Asking(world)
        self._inbox = Inbox(world, asking, self._delivered)
        self.reconciler = Reconciler(world, asking)
        self._postman = Postman(world, self._written)
        self._worker = Worker(world)
        self._orchestrator = Orchestrator(world, self._written, self._worker.stop)
        self.expiry = Expiry(world, self._written, self._orchestrator.wake_waiting)
        self._loops: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._broken = Alarm()
        self._draining = False

    @property
    def ready(self) -> bool:
        """Started, not draining, and no loop has died."""
        return bool(self._loops) and not self._draining and not any(t.done() for t in self._loops)

    def deliver(self) -> None:
        """A delivery was stored."""
        self._delivered.ring()

    async def start(self) -> None:
        """Recover what a dead process left, then start the loops."""
        await self.recover()
        loops = [self._inbox.run(), self._postman.run(), self._broken.wait()]
        loops += [self.reconciler.run(), self.expiry.run()]
        loops += [
            self._hand_out(ADVANCING, ADVANCERS),
            self._hand_out(TOOLING, self._world.settings.parallel_jobs),
        ]
        self._loops = {asyncio.create_task(loop) for loop in loops}

    async def wait(self) -> None:
        """Return when a loop has died, or work could not even be given back.

        Raises what killed the loop.
        """
        ended, _ = await asyncio.wait(self._loops, return_when=asyncio.FIRST_COMPLETED)
        for loop in ended:
            loop.result()

    async def drain(self, grace: float) -> None:
        """Stop claiming, let work in hand end for `grace` seconds, then interrupt it."""
        self._draining = True
        await _end(self._loops)
        if self._busy:
            await asyncio.wait(self._busy, timeout=grace)
        await _end(self._busy)

    # --- after a crash -------------------------------------------------------------------

    async def recover(self) -> None:
        """Put back to work whatever was in hand; report what must not be repeated."""
        await self._world.queue.recover()
        async with self._world.store.begin() as unit:
            await unit.outbox.release(self._world.clock.now())
            for job in await unit.runs.running_jobs():
                await self._recover_job(unit, job)
            unfinished = [await unit.runs.get(run_id) for run_id in await unit.runs.unfinished()]
            waiting = await unit.runs.waiting_jobs()
            runs = {job.run_id: await unit.runs.get(job.run_id) for job in waiting}
        for job in waiting:
            await self._world.queue.put(job_message(runs[job.run_id], job))
        for run in unfinished:
            await self._world.queue.put(advance_message(run))

    async def _recover_job(self, unit: UnitOfWork, job: Job) -> None:
        intended = await unit.plans.intended(job)
        if job.kind is JobKind.PLAN or intended is None:
            await unit.runs.move_job(job, JobState.QUEUED)
            return
        error = ApplyInterrupted(intended)
        await unit.plans.settle(intended, "interrupted", None)
        trouble = Trouble(str(error), error.next_step)
        await unit.runs.move_job(job, JobState.INTERRUPTED, replace(job, trouble=trouble))
        log.error("apply interrupted", action="recover", job=job.id, plan=intended)

    # --- the loops -----------------------------------------------------------------------

    async def _hand_out(self, priorities: frozenset[Priority], at_once: int) -> None:
        """Claim work and do up to `at_once` pieces of it side by side.

        One claimer for all of them: each change of the queue wakes it once, not every
        worker that has nothing to do.
        """
        room = asyncio.Semaphore(at_once)

        def ended(work: asyncio.Task[None]) -> None:
            self._busy.discard(work)
            room.release()
            if not work.cancelled() and work.exception() is not None:
                self._broken.ring()

        while True:
            await room.acquire()
            claim = await self._world.queue.claim(priorities)
            work = asyncio.create_task(self._handle(claim))
            self._busy.add(work)
            work.add_done_callback(ended)

    async def _handle(self, claim: Claim) -> None:
        work = claim.message.work
        try:
            match work:
                case AdvanceRun(run_id):
                    await self._orchestrator.advance(run_id)
                case PerformJob(job_id):
                    await self._worker.perform(job_id)
        except (ForgeUnavailable, ForgeRefused) as error:
            log.warning("forge does not help", action="claim", error=str(error))
            await self._world.queue.again(claim, self._world.clock.now() + RETRY)
            return
        except Exception as error:  # one bad run must not stop the service
            log.exception("work failed", action="claim", work=str(work))
            await self._fail(work, error)
        await self._world.queue.done(claim)

    async def _fail(self, work: AdvanceRun | PerformJob, error: Exception) -> None:
        if not isinstance(work, AdvanceRun):
            return
        unforeseen = Unforeseen(type(error).__name__, str(error))
        text = self._world.redactor.redact(str(unforeseen))
        await self._orchestrator.fail(work.run_id, Trouble(text))


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel them and wait until they have ended, however they end."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
