"""The service as a whole: its loops, how it starts, and how it stops.

Start. What a dead process left is put back to work (`recovery`), at once where no other
process works on the database, else when its leases have run out.

Stop, on SIGTERM. `ready` turns false, so that no more webhooks are sent here; those that
come all the same are stored. Nothing new is claimed, digested or written. Then:

- nothing is in hand: the end.
- a decision or a letter is in hand: it is ended, a matter of moments, or of the forge's
  time-out; within the grace.
- a tool runs and ends within the grace: its result is stored. What it makes due (the
  comment, the next job) is left for another process, or for the next start.
- a tool still runs after the grace: it is interrupted, saves its state, and is killed
  only if it has not ended after another grace. A plan is left for others, from its
  beginning; an apply is told as interrupted, because nobody knows how far it came.
- SIGTERM comes again: nothing changes. SIGKILL, or the machine dies: as after any crash,
  others take over when the leases have run out.
- the database is away: nothing can be stored; what was in hand is found by its lease. An
  apply's outcome is kept until the grace is over, because it is known nowhere else.
- a loop died of something unforeseen: the same as on SIGTERM, and the process fails.

All the while leases are renewed, so that nobody takes over what still runs here. Jobs that
are left are let go of at once; others need not wait for the leases to end. A letter that is
still under way after the grace keeps its lease: its call may reach the forge yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

import structlog

from prbot.engine.alarm import Alarm
from prbot.engine.asking import Asking
from prbot.engine.checkouts import Checkouts
from prbot.engine.drift import Drift
from prbot.engine.expiry import Expiry
from prbot.engine.heart import Heart
from prbot.engine.inbox import Inbox
from prbot.engine.orchestrator import Orchestrator
from prbot.engine.postman import Postman
from prbot.engine.reconciler import Reconciler
from prbot.engine.recovery import Recovery
from prbot.engine.thaw import Thaw
from prbot.engine.worker import Worker
from prbot.engine.world import World
from prbot.errors import Unforeseen
from prbot.errors.forge import ForgeRefused, ForgeUnavailable
from prbot.errors.store import StoreUnavailable
from prbot.ports.queue import AdvanceRun, Claim, PerformJob, Priority
from prbot.runs.run import Trouble

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
        asking, checkouts = Asking(world), Checkouts(world)
        self._checkouts = checkouts
        self.drift = Drift(world, self._written)
        self._inbox = Inbox(world, asking, self._delivered, self._written, self.drift.woken)
        self.reconciler = Reconciler(world, asking, self._written, self.drift.woken)
        self._postman = Postman(world, self._written)
        self._worker = Worker(world, checkouts)
        stop = self._worker.stop
        self._orchestrator = Orchestrator(world, checkouts, self._written, stop)
        self._recovery = Recovery(world)
        self._heart = Heart(world, self._worker, self._postman, self._recovery)
        self.expiry = Expiry(world, self._written, self._orchestrator.wake_waiting)
        self._loops: set[asyncio.Task[None]] = set()
        self._beating: set[asyncio.Task[None]] = set()
        self._writing: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._broken = Alarm()
        self._draining = False

    @property
    def ready(self) -> bool:
        """Started, not draining, and no loop has died."""
        loops = self._all_loops
        return bool(loops) and not self._draining and not any(loop.done() for loop in loops)

    @property
    def _all_loops(self) -> set[asyncio.Task[None]]:
        return self._loops | self._writing | self._beating

    def deliver(self) -> None:
        """A delivery was stored."""
        self._delivered.ring()

    async def start(self) -> None:
        """Recover what a dead process left, then start the loops."""
        await self._recovery.at_start()
        self._beating = {asyncio.create_task(self._heart.run())}
        self._writing = {asyncio.create_task(self._postman.run())}
        loops = [self._inbox.run(), self._broken.wait()]
        loops += [self.reconciler.run(), self.expiry.run(), self._recovery.run()]
        loops += [self._checkouts.run(), Thaw(self._world).run(), self.drift.run()]
        loops += [
            self._hand_out(ADVANCING, ADVANCERS),
            self._hand_out(TOOLING, self._world.settings.parallel_jobs),
        ]
        self._loops = {asyncio.create_task(loop) for loop in loops}

    async def wait(self) -> None:
        """Return when a loop has died, or work could not even be given back.

        Raises what killed the loop.
        """
        loops = self._all_loops
        ended, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
        for loop in ended:
            loop.result()

    async def drain(self, grace: float) -> None:
        """Stop claiming, let work in hand end for `grace` seconds, then interrupt it."""
        self._draining = True
        self._postman.rest()
        await _end(self._loops)
        in_hand = self._busy | self._writing
        if in_hand:
            await asyncio.wait(in_hand, timeout=grace)
        await _end(in_hand)
        await _end(self._beating)
        try:
            await self._heart.rest()
        except StoreUnavailable as error:  # then others will see that our leases run out
            log.warning("left without a word", action="drain", error=str(error))

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
            claim = await self._claim(priorities)
            work = asyncio.create_task(self._speaking(claim))
            self._busy.add(work)
            work.add_done_callback(ended)

    async def _claim(self, priorities: frozenset[Priority]) -> Claim:
        while True:
            try:
                return await self._world.queue.claim(priorities)
            except StoreUnavailable as error:
                log.warning("nothing claimed", action="claim", error=str(error))
            await Alarm().wait(RETRY)

    async def _speaking(self, claim: Claim) -> None:
        """All that is said meanwhile is about one pull request."""
        with self._world.redactor.about(claim.message.group or str(claim.message.work)):
            await self._handle(claim)

    async def _handle(self, claim: Claim) -> None:
        work = claim.message.work
        try:
            match work:
                case AdvanceRun(run_id):
                    await self._orchestrator.advance(run_id)
                case PerformJob(job_id) if self._worker.has(job_id):
                    # Taken from us while we were suspended, and ours again before the first
                    # try has ended: two in one directory would take it from each other.
                    await self._again(claim)
                    return
                case PerformJob(job_id):
                    await self._worker.perform(job_id)
        except (ForgeUnavailable, ForgeRefused, StoreUnavailable) as error:
            log.warning("work put off", action="claim", work=str(work), error=str(error))
            await self._again(claim)
            return
        except Exception as error:  # one bad run must not stop the service
            log.exception("work failed", action="claim", work=str(work))
            try:
                await self._fail(work, error)
            except StoreUnavailable:
                await self._again(claim)
                return
        await self._surely(lambda: self._world.queue.done(claim))

    async def _again(self, claim: Claim) -> None:
        not_before = self._world.clock.now() + RETRY
        await self._surely(lambda: self._world.queue.again(claim, not_before))

    async def _surely(self, act: Callable[[], Awaitable[None]]) -> None:
        """However long the database is away: what is in hand must not stay there."""
        while True:
            try:
                await act()
                return
            except StoreUnavailable as error:
                log.warning("queue not told yet", action="claim", error=str(error))
            await Alarm().wait(RETRY)

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
