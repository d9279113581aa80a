"""Advances runs: gather the scene, decide, perform the steps, until nothing is left.

All steps of one decision are performed in one transaction with the run's move, so a
run whose process died is gathered and decided again and says nothing twice: a letter's
key is its run and what it says. Only laying out a commit happens outside, and doing it
twice gives the same commit in the same place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from typing import assert_never

import structlog

from prbot.config.files import counted
from prbot.drift.proposing import reverted_by
from prbot.engine.after import After
from prbot.engine.alarm import Alarm
from prbot.engine.checkouts import Checkouts, generated_names
from prbot.engine.elsewhere import Elsewhere
from prbot.engine.gather import files_of_default, gather, rules_in
from prbot.engine.letters import comment_letters, fold_letters, part_key, status_letter
from prbot.engine.live import Live, why_stopped
from prbot.engine.logs import logs_of
from prbot.engine.memory import remember
from prbot.engine.messages import advance_message, job_message
from prbot.engine.scenes import droppable, keep
from prbot.engine.survey import Discoveries, Surveyor
from prbot.engine.waking import Waking
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.errors.forge import ForgeRefused, ForgeUnavailable, NotFound
from prbot.errors.projects import NoProjectNamed
from prbot.errors.runs import LostLease
from prbot.errors.store import StoreUnavailable
from prbot.model import Checkout, JobId, PullRequest, RunId
from prbot.ports.outbox import Letter, MergeLetter, ReactionLetter
from prbot.ports.store import JournalEntry, UnitOfWork
from prbot.runs.decide import decide
from prbot.runs.hooks import command_of, pre_hooks
from prbot.runs.locks import Lock
from prbot.runs.noted import noted
from prbot.runs.order import in_environments, rests
from prbot.runs.planning import tell_failure
from prbot.runs.run import AskKind, Job, JobState, Run, RunState, Trouble
from prbot.runs.scene import Scene
from prbot.runs.steps import (
    Acknowledge,
    DropPlans,
    DropWorkspaces,
    Finish,
    Fold,
    FreeLocks,
    Land,
    LayOut,
    MergePull,
    PlanAgain,
    Record,
    ReleaseJob,
    Say,
    SetStatus,
    Settle,
    SkipJob,
    StartJob,
    Step,
    StopJob,
    StopRun,
    TakeLocks,
    Wait,
    WriteIssue,
)

log = structlog.get_logger()

PATIENCE = timedelta(hours=2)
"""How long a run waits for a forge that refuses to answer us."""
GIVE_WAY = (AskKind.MERGE, AskKind.APPLY)
"""When they end, others may go on that were merged later."""
GOES_ON = {RunState.QUEUED: RunState.WORKING, RunState.WAITING: RunState.RESUMED}


class SceneChanged(Exception):  # not an error: the decision is simply taken again
    """Somebody else took a lock, or moved another run or a job, since it was gathered."""


class Orchestrator:
    """`outbox` is rung when letters were put; `stop` ends a job that runs here."""

    def __init__(
        self,
        world: World,
        checkouts: Checkouts,
        outbox: Alarm,
        stop: Callable[[JobId, Trouble], None],
    ) -> None:
        self._world = world
        self._checkouts = checkouts
        self._outbox = outbox
        self._stop = stop
        self._discoveries = Discoveries()
        self._live = Live(world, outbox)
        self._elsewhere = Elsewhere(world)
        self._waking = Waking(world)
        self.wake_waiting = self._waking.wake_waiting

    async def advance(self, run_id: RunId) -> None:
        """Bring a run as far as it goes now.

        Raises ForgeUnavailable when the forge does not answer: try again later.
        """
        try:
            await self._advance(run_id)
        except LostLease as lost:  # somebody else acts on it
            log.info("run left alone", action="advance", run=run_id, error=str(lost))

    async def _advance(self, run_id: RunId) -> None:
        laid_out_badly: Trouble | None = None
        pull: PullRequest | None = None
        while True:
            async with self._world.store.begin() as unit:
                run = await unit.runs.get(run_id)
                runs = await unit.runs.of_pull(run.pull) if run.under_way else ()
            if run.state.finished:
                return
            await remember(self._world, run.pull)
            if rests(run, runs):
                await self._live.tell(run, runs)
                return
            try:
                scene = await gather(self._world, self._checkouts, run, pull)
            except NotFound as error:
                await self._give_up(run, error)
                return
            except ForgeRefused as error:
                # A token may be renewed in time; after that nobody waits any more.
                if self._world.clock.now() - run.created_at < PATIENCE:
                    raise
                await self._give_up(run, error)
                return
            run = replace(run, trouble=laid_out_badly or run.trouble)
            steps = noted(decide(run, scene), scene)
            if not steps:
                await self._waking.look_again(run, scene)
                return
            pull = None
            try:
                run = await self._perform(run, scene, steps)
            except SceneChanged:
                continue
            if any(isinstance(step, StartJob) for step in steps):
                await self._waking.look_soon(run)
                return  # each job rings when it ends; until then nothing is decided
            if LayOut() in steps:
                laid_out_badly = await self._lay_out(run, scene)
                # A plan is judged again when its jobs have ended; an apply must see now.
                pull = scene.pull if run.ask.kind is AskKind.PLAN else None

    async def fail(self, run_id: RunId, trouble: Trouble) -> None:
        """End a run for a reason nobody foresaw, and tell those who may hear it.

        A comment whose author was not looked at yet may be an outsider's: no answer.
        """
        async with self._world.store.begin() as unit:
            run = await unit.runs.get(run_id)
            if run.state.finished:
                return
            run = await unit.runs.act_on(run)
            if run.state is RunState.WORKING or not run.ask.by_comment:
                sha = run.checkout.head if run.checkout else run.ask.head_sha
                for step in tell_failure(run, sha, trouble):
                    await self._step(unit, run, step, After())
            await unit.runs.move(run_id, run.state, RunState.FAILED, trouble)
        self._outbox.ring()

    async def _give_up(self, run: Run, error: PrbotError) -> None:
        log.warning("run ignored", action="advance", run=run.id, error=str(error))
        async with self._world.store.begin() as unit:
            trouble = Trouble(str(error), error.next_step)
            await self._live.end(run, unit, f"Stopped: {error}")
            await unit.runs.move(run.id, run.state, RunState.IGNORED, trouble)
        self._outbox.ring()

    # --- laying out ----------------------------------------------------------------------

    async def _lay_out(self, run: Run, scene: Scene) -> Trouble | None:
        try:
            await self._lay_out_or_raise(run, scene)
        except (ForgeUnavailable, LostLease, StoreUnavailable):
            raise
        except NoProjectNamed as error:
            return Trouble(str(error), error.next_step, refused=True)
        except PrbotError as error:
            return Trouble(str(error), error.next_step)
        return None

    async def _lay_out_or_raise(self, run: Run, scene: Scene) -> None:
        """Once where no hooks run; else twice, before and after them."""
        if run.checkout is not None and run.projects is None:
            await self._survey(run, scene, run.checkout)
            return
        checkout = await self._checkouts.lay_out(run, scene.pull)
        bounds = self._world.settings.bounds_of(run.pull.repo)
        if not pre_hooks(bounds.pre_hooks, command_of(run)):
            await self._survey(run, scene, checkout)
            return
        async with self._world.store.begin() as unit:
            await unit.runs.act_on(run)
            await unit.runs.lay_out(run.id, checkout, None)

    async def _survey(self, run: Run, scene: Scene, checkout: Checkout) -> None:
        forge = self._world.forge_of(run.pull.repo)
        if checkout.generated is not None:  # perhaps by another machine
            await self._checkouts.worktree(run)
        surveyor = Surveyor(forge.tree, self._world.facts, self._discoveries)
        default = await files_of_default(self._world, scene.pull)
        head = await surveyor.files(run.pull.repo, checkout.laid)
        before = default
        if checkout.generated_base is not None:
            before = await surveyor.files(run.pull.repo, checkout.generated_base)
        branch = scene.pull.base_branch
        found = await surveyor.survey(
            run.pull.repo,
            checkout,
            partial(counted, default, head, branch),
            partial(counted, default, before, branch),
            run.ask.select,
            run.ask.by_comment,
            partial(reverted_by, scene.pull, scene.bot),
        )
        rules = await rules_in(self._world, scene.pull, default)
        placed = in_environments(found.placed, rules)
        async with self._world.store.begin() as unit:
            await unit.runs.act_on(run)
            await unit.runs.lay_out(
                run.id, checkout, found.projects, placed, found.notices, found.gone
            )

    # --- the steps -----------------------------------------------------------------------

    async def _perform(self, judged: Run, scene: Scene, steps: tuple[Step, ...]) -> Run:
        """Raises LostLease when somebody else acted on the run since it was read."""
        after = After(await logs_of(self._world, steps))
        async with self._world.store.begin() as unit:
            run = await unit.runs.act_on(judged)
            if run.state in GOES_ON and not any(map(_moves, steps)):
                await unit.runs.move(run.id, run.state, GOES_ON[run.state])
            try:
                for step in steps:
                    await self._step(unit, run, step, after)
            except LostLease as lost:
                raise SceneChanged from lost
        for message in after.messages:
            await self._world.queue.put(message)
        self._outbox.ring()  # work begins first, then it is told
        for job_id, why in after.stops:
            self._stop(job_id, why)
        if after.freed:
            await self.wake_waiting(run.pull.repo)
        await keep(self._world, judged, scene, steps)
        await self._clear_away(run, after)
        return run

    async def _clear_away(self, run: Run, after: After) -> None:
        """What stays when this fails is only in the way: it must not fail the run."""
        away = [self._world.artifacts.drop(after.artifacts)]
        if after.drop_workspaces:
            away.append(self._world.forge_of(run.pull.repo).workspaces.drop(run.pull))
        for error in await asyncio.gather(*away, return_exceptions=True):
            if error is not None:
                log.warning("not cleared away", action="drop", run=run.id, error=str(error))

    async def _step(self, unit: UnitOfWork, run: Run, step: Step, after: After) -> None:
        match step:
            case LayOut():
                pass
            case Acknowledge():
                await self._put(unit, run, "eyes", ReactionLetter(step.comment_id))
            case Say():
                await self._say(unit, run, step)
            case WriteIssue():
                await self._elsewhere.write_issue(unit, run, step)
            case Record():
                await self._record(unit, run, step)
            case Fold():
                for number, letter in enumerate(fold_letters(self._world, run.pull, step)):
                    await self._put(unit, run, part_key("fold", number, step.topic), letter)
            case SetStatus():
                await self._set_status(unit, run, step, after)
            case StartJob():
                await self._start(unit, run, step, after)
            case ReleaseJob():
                job = await unit.runs.move_job(step.job, JobState.QUEUED)
                after.messages.append(job_message(run, job))
            case SkipJob():
                skipped = replace(step.job, trouble=step.why)
                await unit.runs.move_job(step.job, JobState.SKIPPED, skipped)
            case TakeLocks():
                await self._take_locks(unit, run, step)
            case FreeLocks():
                await unit.locks.free(run.pull, step.projects)
                after.freed = True
            case StopJob():
                await self._stop_job(unit, step, after)
            case StopRun():
                await unit.runs.move(step.run_id, RunState.WAITING, RunState.SUPERSEDED, step.why)
            case Wait():
                await unit.runs.move(run.id, run.state, RunState.WAITING)
            case MergePull():
                await self._put(unit, run, "merge", MergeLetter(**asdict(step), run=run.id))
            case DropPlans():
                after.artifacts += await unit.plans.drop_of_pull(run.pull)
                runs = await unit.runs.of_pull(run.pull)
                after.artifacts += (*generated_names(runs), *droppable(runs))
            case DropWorkspaces():
                after.drop_workspaces = True
            case Land():
                await self._elsewhere.land(unit, run, step)
            case Settle():
                after.messages += await self._elsewhere.settle(unit, run, step)
            case PlanAgain():
                after.messages += await self._elsewhere.plan_again(unit, run, step)
            case Finish():
                after.freed = after.freed or run.ask.kind in GIVE_WAY
                if step.state in (RunState.SUPERSEDED, RunState.IGNORED):
                    await self._live.end(run, unit, why_stopped(step.state))
                await unit.runs.move(run.id, run.state, step.state, step.trouble)
            case _:
                assert_never(step)

    async def _put(self, unit: UnitOfWork, run: Run, what: str, letter: Letter) -> None:
        await unit.outbox.put(f"{run.id} {what}", run.pull, letter, self._world.clock.now())

    async def _say(self, unit: UnitOfWork, run: Run, step: Say) -> None:
        if run.ask.correction is not None:  # it is in no pull request: people read its issue
            await self._elsewhere.say_below(unit, run, run.ask.correction, step)
            return
        letters = comment_letters(self._world, run.pull, step, again=step.topic != run.id)
        for number, letter in enumerate(letters):
            await self._put(unit, run, part_key("say", number, step.topic), letter)

    async def _record(self, unit: UnitOfWork, run: Run, step: Record) -> None:
        line = JournalEntry(
            self._world.clock.now(), run.pull, run.ask.actor, run.id, **asdict(step)
        )
        await unit.journal.write(line)

    async def _set_status(self, unit: UnitOfWork, run: Run, step: SetStatus, after: After) -> None:
        letter = status_letter(self._world, run.pull, step, after.logs)
        if letter is None:
            return
        what = f"status {step.sha} {letter.context} {step.verdict} {step.description}"
        await self._put(unit, run, what, letter)

    async def _start(self, unit: UnitOfWork, run: Run, step: StartJob, after: After) -> None:
        job_id = JobId(self._world.new_id("j"))
        state = JobState.BLOCKED if step.blocked else JobState.QUEUED
        job = Job(job_id, run.id, step.project, step.kind, state, reviewed=step.reviewed)
        await unit.runs.add_job(job)
        if not step.blocked:
            after.messages.append(job_message(run, job))

    async def _stop_job(self, unit: UnitOfWork, step: StopJob, after: After) -> None:
        job = await unit.runs.get_job(step.job.id)
        if job.state in (JobState.QUEUED, JobState.BLOCKED):
            await unit.runs.move_job(job, JobState.DROPPED, replace(job, trouble=step.why))
            run = await unit.runs.get(job.run_id)
            after.messages.append(advance_message(run))
        elif job.state is JobState.RUNNING:
            await unit.runs.ask_to_stop(job.id)  # wherever it runs
            after.stops.append((job.id, step.why))

    async def _take_locks(self, unit: UnitOfWork, run: Run, step: TakeLocks) -> None:
        now = self._world.clock.now()
        for project in step.projects:
            lock = Lock(run.pull.repo, project, run.pull, run.ask.actor, now)
            if (await unit.locks.take(lock)).holder != run.pull:
                raise SceneChanged
        await self._record(unit, run, Record("locked", ", ".join(map(str, step.projects))))


def _moves(step: Step) -> bool:
    """The step itself moves the run."""
    return isinstance(step, Finish | Wait)
