"""Performs jobs: one project's plan or apply, from claim to stored result.

A job is started with a new fence, and its result is stored only while that fence
holds. Plans may be made any number of times. An apply is intended before the tool
starts, in a transaction of its own, and what was intended once is never started again:
after a crash it is `interrupted`, and people are told.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta

import structlog

from prbot.engine import hooks
from prbot.engine.alarm import Alarm
from prbot.engine.applier import Applier
from prbot.engine.checkouts import Checkouts
from prbot.engine.freshness import Freshness
from prbot.engine.inventory import take_inventory
from prbot.engine.looker import Looker
from prbot.engine.memory import remember
from prbot.engine.messages import advance_message
from prbot.engine.planner import Planner, job_directory, read_digests
from prbot.engine.state_changer import BY_ITSELF, cut_off
from prbot.engine.state_versions import StateVersions
from prbot.engine.toolbox import Toolbox, same_again
from prbot.engine.ways import way_of
from prbot.engine.world import MadePlan, World
from prbot.errors import PrbotError, Unforeseen
from prbot.errors.applies import (
    ApplyFailed,
    ApplyInterrupted,
    ApplyKilled,
    ApplyStopped,
    FrozenMeanwhile,
    JobStopped,
    PlanFileChanged,
)
from prbot.errors.forge import ForgeUnavailable
from prbot.errors.plans import BadPlan, NoRecord, NotFresh, PlanAgain
from prbot.errors.runs import LostLease
from prbot.errors.store import StoreUnavailable
from prbot.model import JobId, PlanId
from prbot.plans.arguments import REFRESH_ONLY
from prbot.plans.canonical import Digests
from prbot.plans.differences import Compared, compared
from prbot.plans.freshness import record_of, unequal_fields
from prbot.plans.plan import parse
from prbot.plans.record import StoredPlan
from prbot.ports.tool import ApplyOutcome
from prbot.runs.checks import LONGEST_NOTE
from prbot.runs.correcting import is_judged_once
from prbot.runs.hooks import HOOKS
from prbot.runs.run import PLANNING, STATE_JOBS, AskKind, Flaw, Job, JobKind, JobState, Run, Trouble

log = structlog.get_logger()

RETRY = timedelta(seconds=1)
"""Between two tries to store what an apply did."""


class Worker:
    """Does jobs, each in a task of its own, so that one can be stopped by itself."""

    def __init__(self, world: World, checkouts: Checkouts) -> None:
        self._world = world
        self._checkouts = checkouts
        self._state_versions = StateVersions()
        self._looker = Looker(world, checkouts)
        self._beginning: set[JobId] = set()
        self._jobs: dict[JobId, Job] = {}
        self._tasks: dict[JobId, asyncio.Task[Job]] = {}
        self._stopping: dict[JobId, Trouble] = {}
        self._lost: set[JobId] = set()

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Those being worked on, as they were started."""
        return tuple(self._jobs.values())

    def has(self, job_id: JobId) -> bool:
        """Whether it is being worked on here, or about to be."""
        return job_id in self._beginning or job_id in self._jobs

    def let_go(self, job_id: JobId) -> None:
        """End work on a job that is no longer ours; nothing of it is kept."""
        task = self._tasks.get(job_id)
        if task is not None:
            self._lost.add(job_id)
            task.cancel()

    def stop(self, job_id: JobId, why: Trouble) -> None:
        """End a job that runs here: its tool is interrupted, and killed after the grace."""
        task = self._tasks.get(job_id)
        if task is not None and job_id not in self._stopping:
            self._stopping[job_id] = why
            task.cancel()

    async def perform(self, job_id: JobId) -> None:
        """Do the job if it still waits, store what came of it, and advance its run.

        Raises StoreUnavailable when nothing can be stored (the heart gives the job back),
        ForgeUnavailable when it cannot begin yet (it waits again, for another call).
        """
        self._beginning.add(job_id)
        try:
            started = await self._start(job_id)
        finally:
            self._beginning.discard(job_id)
        if started is not None:
            await self._carry_out(*started)

    async def _start(self, job_id: JobId) -> tuple[Run, Job] | None:
        world = self._world
        until = world.clock.now() + world.settings.lease
        async with world.store.begin() as unit:
            job = await unit.runs.start_job(job_id, world.worker, until)
            if job is None:
                return None
            run = await unit.runs.get(job.run_id)
        self._jobs[job_id] = job
        return run, job

    async def _carry_out(self, run: Run, job: Job) -> None:
        bound = log.bind(action=job.kind.value, run=run.id, job=job.id, project=str(job.project))
        bound.info("job started")
        try:
            ended = await self._stoppable(run, job)
        except LostLease as lost:
            bound.warning("job lost", error=str(lost))
            return
        finally:
            del self._jobs[job.id]
        bound.info("job ended", state=ended.state.value)
        await self._world.queue.put(advance_message(run))

    async def _stoppable(self, run: Run, job: Job) -> Job:
        if job.stop_asked:  # while it was somebody else's, or waited
            return await self._stopped(job, self.trouble(JobStopped()))
        task = asyncio.create_task(self._work(run, job))
        self._tasks[job.id] = task
        try:
            return await task
        except asyncio.CancelledError:
            if job.id in self._lost:
                raise LostLease(f"job {job.id}") from None
            why = self._stopping.get(job.id)
            if why is None:  # we are being stopped ourselves; others take it up
                raise
            return await self._stopped(job, why)
        finally:
            del self._tasks[job.id]
            self._stopping.pop(job.id, None)
            self._lost.discard(job.id)

    async def _stopped(self, job: Job, why: Trouble) -> Job:
        """Stopped on command: dropped, or interrupted when an apply had begun."""
        async with self._world.store.begin() as unit:
            if job.kind in STATE_JOBS:
                return await cut_off(unit, job)
            intended = await unit.plans.intended(job)
            if intended is None:
                return await unit.runs.move_job(job, JobState.DROPPED, replace(job, trouble=why))
            await unit.plans.settle(intended, "interrupted", None)
            told = self.trouble(ApplyStopped(intended, why.sentence))
            return await unit.runs.move_job(job, JobState.INTERRUPTED, replace(job, trouble=told))

    async def _work(self, run: Run, job: Job) -> Job:
        try:
            await remember(self._world, run.pull)
            if job.kind in PLANNING:
                return await self._plan(run, job)
            if job.kind is JobKind.APPLY:
                return await self._apply(run, job)
            if job.kind in BY_ITSELF:
                box = self._planner(run).toolbox
                return await BY_ITSELF[job.kind](self._world, self._checkouts, box, run, job)
            if job.kind is JobKind.INVENTORY:
                return await take_inventory(self._world, self._checkouts, run, job)
            if job.kind in HOOKS:
                return await hooks.perform(self._world, self._checkouts, run, job)
            return await self._looker.perform(run, job)
        except (LostLease, StoreUnavailable):
            raise
        except ForgeUnavailable as error:
            if job.kind in STATE_JOBS:  # it has not begun, and is asked for again by people
                return await self._failed(job, self.trouble(error))
            if is_judged_once(run, job):
                return await self._stopped(job, self.trouble(error))
            await self._put_off(job)
            raise
        except FrozenMeanwhile as error:  # nothing has begun, so it is as if it were cancelled
            return await self._stopped(job, self.trouble(error))
        except PlanAgain as error:
            return await self._stale(job, self.trouble(error))
        except (NotFresh, NoRecord) as error:
            return await self._stale(job, replace(self.trouble(error), refused=True))
        except PrbotError as error:
            return await self._failed(job, self.trouble(error))
        except Exception as error:  # whatever it is, people must hear that the job ended
            log.exception("job failed", action=job.kind.value, job=job.id)
            return await self._broke(job, error)

    async def _put_off(self, job: Job) -> None:
        """Its commit cannot be fetched now; nothing has begun."""
        async with self._world.store.begin() as unit:
            await unit.runs.move_job(job, JobState.QUEUED)

    def trouble(self, error: PrbotError) -> Trouble:
        """An error for people, with the tool's words redacted."""
        redact = self._world.redactor.redact
        output = getattr(error, "output", "")
        flaws = tuple(
            Flaw(file, first, last, fatal, *(redact(text)[:LONGEST_NOTE] for text in words))
            for file, first, last, fatal, *words in getattr(error, "flaws", ())
        )
        return Trouble(redact(str(error)), redact(error.next_step), redact(output), flaws=flaws)

    async def _failed(self, job: Job, trouble: Trouble) -> Job:
        """Store a failure; the intent, if one was recorded, is settled as failed."""
        async with self._world.store.begin() as unit:
            intended = await unit.plans.intended(job)
            if intended is not None:
                await unit.plans.settle(intended, "failed", None)
            result = replace(job, trouble=trouble)
            return await unit.runs.move_job(job, JobState.FAILED, result)

    async def _stale(self, job: Job, trouble: Trouble) -> Job:
        """An apply that never began: its plan is not fresh any more."""
        async with self._world.store.begin() as unit:
            result = replace(job, trouble=trouble)
            return await unit.runs.move_job(job, JobState.STALE, result)

    async def _broke(self, job: Job, error: Exception) -> Job:
        """An unforeseen end. After an intent nobody knows what the tool did: interrupted."""
        async with self._world.store.begin() as unit:
            if job.kind in STATE_JOBS:
                return await cut_off(unit, job)
            intended = await unit.plans.intended(job)
            if intended is not None:
                await unit.plans.settle(intended, "interrupted", None)
                result = replace(job, trouble=self.trouble(ApplyInterrupted(intended)))
                return await unit.runs.move_job(job, JobState.INTERRUPTED, result)
            trouble = self.trouble(Unforeseen(type(error).__name__, str(error)))
            return await unit.runs.move_job(job, JobState.FAILED, replace(job, trouble=trouble))

    # --- plan ----------------------------------------------------------------------------

    async def _plan(self, run: Run, job: Job) -> Job:
        made = await self._make(run, job)
        found: Compared = self._world.redactor.redact_values(await self._compare(job, made))
        await self._world.artifacts.put(made.record.plan_file, made.file)
        await self._world.artifacts.put(made.record.plan_json, made.json)
        await self._world.artifacts.put(made.record.log, made.log.encode("utf-8", "replace"))
        result = replace(job, plan_id=made.record.id, differences=found.different)
        summary = replace(made.record.summary, live=found.live)
        async with self._world.store.begin() as unit:
            await unit.plans.add(replace(made.record, summary=summary))
            return await unit.runs.move_job(job, JobState.PLANNED, result)

    async def _make(self, run: Run, job: Job) -> MadePlan:
        checkout, worktree = await self._checkouts.worktree_for(run, job)
        planner = self._planner(run)
        plan_id = PlanId(self._world.new_id("p"))
        asked = await self._asked(run, job)
        way = await way_of(self._world, self._checkouts, run, job, asked)
        with job_directory(self._world.settings.jobs_dir, job) as data_dir:
            place, lock = (checkout, worktree, data_dir), run.ask.kind is not AskKind.DRIFT
            return await planner.plan(run.pull, job, way, plan_id, *place, lock=lock)

    async def _asked(self, run: Run, job: Job) -> tuple[str, ...]:
        """The comment's arguments: a plan that is made again is made with those it had."""
        if job.reviewed is None:
            return run.ask.arguments
        async with self._world.store.begin() as unit:
            reviewed = await unit.plans.get(job.reviewed)
        return reviewed.inputs.asked if reviewed is not None else ()

    def _planner(self, run: Run) -> Planner:
        world = self._world
        tree = world.forge_of(run.pull.repo).tree
        return Planner(
            toolbox=Toolbox(world.tools, tree, world.facts, world.settings.allow_tool_switch),
            tree=tree,
            redactor=world.redactor,
            clock=world.clock,
            hash_key=world.settings.hash_key,
            environment=world.settings.tool_environment,
            timeout=world.settings.job_timeout,
            state_versions=self._state_versions,
        )

    async def _compare(self, job: Job, made: MadePlan) -> Compared:
        """In what the fresh plan is not the reviewed one."""
        if job.reviewed is None:
            return Compared(())
        async with self._world.store.begin() as unit:
            reviewed = await unit.plans.get(job.reviewed)
        if reviewed is None:
            return Compared(("the reviewed plan is no longer stored",))
        old, new = record_of(reviewed), record_of(made.record)
        if old is None or new is None:
            return Compared((str(NoRecord(reviewed.id)),))
        inputs = tuple(str(each) for each in unequal_fields(old, new))
        if reviewed.hash == made.record.hash:
            return Compared(inputs)
        changes = await self._changes(reviewed, made)
        return Compared((*changes.different, *inputs), changes.live)

    async def _changes(self, reviewed: StoredPlan, made: MadePlan) -> Compared:
        data = await self._world.artifacts.get(reviewed.plan_json)
        if data is None:
            return Compared(("the reviewed plan's JSON is no longer stored",))
        found = await asyncio.to_thread(_compared, data, made.json, self._world.redactor.sought())
        # The keyed hash decides; the words only explain it.
        return found if found.different or found.live else Compared(("the plan's content changed",))

    # --- apply ---------------------------------------------------------------------------

    async def _apply(self, run: Run, job: Job) -> Job:
        plan = await self._reviewed(job)
        file = await self._plan_file(plan)
        digests = await self._known(plan)
        tool = await same_again(self._world.tools, plan.inputs.tool)
        way = await way_of(self._world, self._checkouts, run, job)
        checkout, worktree = await self._checkouts.worktree_of(run, job.project)
        planner, age = self._planner(run), self._world.settings.plan_age
        fresh = Freshness(planner, plan, digests, way, checkout, worktree, tool, age)
        fresh.check_steps()
        with job_directory(self._world.settings.jobs_dir, job) as data_dir:
            surroundings = planner.surroundings(job, worktree, data_dir)
            there = run.place_of(job.project).environment
            applier = Applier(self._world, run, job, plan, file, tool, fresh.check, there)
            outcome = await applier.apply(way, surroundings)
        return await self._settle(job, plan, outcome)

    async def _reviewed(self, job: Job) -> StoredPlan:
        async with self._world.store.begin() as unit:
            plan = await unit.plans.get(job.reviewed) if job.reviewed else None
        if plan is None:
            raise BadPlan("it is no longer stored")
        return plan

    async def _plan_file(self, plan: StoredPlan) -> bytes:
        """The saved plan, checked to be the one that was reviewed."""
        file = await self._world.artifacts.get(plan.plan_file)
        if file is None:
            raise BadPlan("its file is no longer stored")
        if hashlib.sha256(file).hexdigest() != plan.plan_file_sha256:
            raise PlanFileChanged(plan.id)
        return file

    async def _known(self, plan: StoredPlan) -> Digests:
        """What is kept of the plan beside its file."""
        shown = await self._world.artifacts.get(plan.plan_json)
        if shown is None:
            raise BadPlan("it is no longer stored")
        recording = REFRESH_ONLY in plan.inputs.asked
        key = self._world.settings.hash_key
        return await asyncio.to_thread(read_digests, shown, key, recording)

    async def _settle(self, job: Job, plan: StoredPlan, outcome: ApplyOutcome) -> Job:
        """What an apply did is known once, here, so a database that is away is waited for."""
        now = self._world.clock.now()
        word, new = _end_of(outcome)
        result = job if outcome.ok else replace(job, trouble=self._apply_trouble(plan, outcome))
        while True:
            try:
                async with self._world.store.begin() as unit:
                    await unit.plans.settle(plan.id, word, now if outcome.ok else None)
                    return await unit.runs.move_job(job, new, result)
            except StoreUnavailable as error:
                log.error("outcome not stored yet", action="apply", job=job.id, error=str(error))
            await Alarm().wait(RETRY)

    def _apply_trouble(self, plan: StoredPlan, outcome: ApplyOutcome) -> Trouble:
        if outcome.stale:
            return self.trouble(PlanAgain(plan.id, "the state has changed since it was made"))
        if outcome.killed:
            return self.trouble(ApplyKilled(plan.id, outcome.diagnostics))
        return self.trouble(ApplyFailed(plan.id, outcome.diagnostics))


def _end_of(outcome: ApplyOutcome) -> tuple[str, JobState]:
    """How the intent is settled, and the job's end."""
    if outcome.ok:
        return "applied", JobState.APPLIED
    if outcome.killed:
        return "interrupted", JobState.INTERRUPTED
    return ("stale", JobState.STALE) if outcome.stale else ("failed", JobState.FAILED)


def _compared(reviewed: bytes, fresh: bytes, known: frozenset[str]) -> Compared:
    return compared(parse(reviewed), parse(fresh), known)
