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
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import structlog

from prbot.engine.alarm import Alarm
from prbot.engine.inbox import Inbox
from prbot.engine.orchestrator import Orchestrator, job_message
from prbot.engine.postman import Postman
from prbot.engine.worker import Worker, advance_message
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
        self._inbox = Inbox(world, self._delivered)
        self._postman = Postman(world, self._written)
        self._orchestrator = Orchestrator(world, self._written)
        self._worker = Worker(world)
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._draining = False

    @property
    def ready(self) -> bool:
        """Started, not draining, and no loop has died."""
        return bool(self._tasks) and not self._draining and not any(t.done() for t in self._tasks)

    def deliver(self) -> None:
        """A delivery was stored."""
        self._delivered.ring()

    async def start(self) -> None:
        """Recover what a dead process left, then start the loops."""
        await self.recover()
        loops = [self._inbox.run(), self._postman.run()]
        loops += [self._claim_for_ever(ADVANCING) for _ in range(ADVANCERS)]
        loops += [self._claim_for_ever(TOOLING) for _ in range(self._world.settings.parallel_jobs)]
        self._tasks = {asyncio.create_task(loop) for loop in loops}

    async def wait(self) -> None:
        """Return never; raise what killed a loop, should one die."""
        await asyncio.gather(*self._tasks)

    async def drain(self, grace: float) -> None:
        """Stop claiming, let work in hand end for `grace` seconds, then interrupt it."""
        self._draining = True
        for task in self._tasks - self._busy:
            task.cancel()
        if self._busy:
            await asyncio.wait(self._busy, timeout=grace)
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    # --- after a crash -------------------------------------------------------------------

    async def recover(self) -> None:
        """Put back to work whatever was in hand; report what must not be repeated."""
        await self._world.queue.recover()
        async with self._world.store.begin() as unit:
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

    async def _claim_for_ever(self, priorities: frozenset[Priority]) -> None:
        while not self._draining:
            claim = await self._world.queue.claim(priorities)
            await self._in_hand(self._handle(claim))

    async def _in_hand(self, work: Awaitable[None]) -> None:
        task = asyncio.current_task()
        if task is None:  # never: loops are tasks
            return
        self._busy.add(task)
        try:
            await work
        finally:
            self._busy.discard(task)

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
