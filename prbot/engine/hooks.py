"""Carries out the operator's hooks around a run, in a job of their own.

Pre hooks run in a worktree that nobody else uses. What they leave there becomes a commit,
and that commit is what is searched for projects, planned and applied. It is kept with the
plans, sealed, so that every machine plans and applies the same generated files, and nobody
has to generate them again. Where they left something, they run once more on the base, so
that a change affects only those generated projects that it changes.

Post hooks run in the worktree of the run. Nothing they do changes what became of it.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from prbot.engine.checkouts import Checkouts, generated_name
from prbot.engine.planner import job_directory
from prbot.engine.pulls import pull_of
from prbot.engine.stages import readable
from prbot.engine.world import World
from prbot.errors.plans import HookFailed
from prbot.errors.runs import LostLease
from prbot.model import Checkout, PullRequest, Sha
from prbot.ports.tool import ShellCommand, ShellEnd, Tool, ToolRun
from prbot.projects.tool_choice import Wanted
from prbot.runs.hooks import HookRun, command_of, post_hooks, pre_hooks
from prbot.runs.run import Job, JobKind, JobState, Run
from prbot.runs.step_output import short
from prbot.runs.variables import Subject, hook_variables

log = structlog.get_logger()

SAID_FAILURE = "failure"
"""What a hook may write into $OUTPUT_STATUS_FILE."""


async def perform(world: World, checkouts: Checkouts, run: Run, job: Job) -> Job:
    """Raises HookFailed, what the workspaces raise, and ForgeUnavailable."""
    pull = await pull_of(world, run)
    await checkouts.at_hand(run, pull)
    with job_directory(world.settings.jobs_dir, job) as data_dir:
        hooks = _Hooks(world, run, job, pull, data_dir, await world.tools.of(Wanted()))
        if job.kind is JobKind.PRE_HOOKS:
            return await hooks.before()
        _, worktree = await checkouts.worktree(run)
        return await hooks.after(worktree)


@dataclass(frozen=True)
class _Hooks:
    """The hooks of one job; `data_dir` is the job's own."""

    world: World
    run: Run
    job: Job
    pull: PullRequest
    data_dir: Path
    tool: Tool

    async def before(self) -> Job:
        if self.run.checkout is None:
            raise LostLease(f"the checkout of {self.run.id}")
        made = await self._generated(self.run.checkout)
        if made.laid != made.commit:
            await self._pack(made)
        async with self.world.store.begin() as unit:
            ended = await unit.runs.move_job(self.job, JobState.HOOKED)
            await unit.runs.lay_out(self.run.id, made, None)
        return ended

    async def after(self, worktree: Path) -> Job:
        bounds = self.world.settings.bounds_of(self.run.pull.repo)
        failed = any(job.trouble is not None for job in self.run.jobs)
        told = {"COMMAND_HAS_ERRORS": str(failed).lower()}
        hooks = post_hooks(bounds.post_hooks, command_of(self.run))
        await self._carry_out(hooks, worktree, told)
        async with self.world.store.begin() as unit:
            return await unit.runs.move_job(self.job, JobState.HOOKED)

    # --- what they leave ---------------------------------------------------------------------

    async def _generated(self, checkout: Checkout) -> Checkout:
        forge = self.world.forge_of(self.run.pull.repo)
        laid = await self._left(checkout.commit, self.job.id)
        if laid == checkout.commit:
            return replace(checkout, generated=laid)
        base = await self._left_on_base(checkout.base)
        changed = await forge.generated.changed(self.run.pull.repo, base, laid)
        return replace(checkout, generated=laid, generated_base=base, changed=changed)

    async def _left(self, commit: Sha, name: str) -> Sha:
        """The commit with what they leave in a worktree of this one."""
        repo = self.run.pull.repo
        bounds = self.world.settings.bounds_of(repo)
        hooks = pre_hooks(bounds.pre_hooks, command_of(self.run))
        generated = self.world.forge_of(repo).generated
        async with generated.fresh(self.run.pull, commit, name) as worktree:
            await self._carry_out(hooks, worktree, {})
            return await generated.keep(self.run.pull, commit, name)

    async def _left_on_base(self, base: Sha) -> Sha:
        """The base itself when they fail there: then all that was generated counts as new."""
        try:
            return await self._left(base, f"{self.job.id}-base")
        except HookFailed as error:
            log.info("hooks fail on the base", action="hooks", run=self.run.id, error=str(error))
            return base

    async def _pack(self, made: Checkout) -> None:
        new, old = (made.laid, made.laid_base), (made.commit, made.base)
        generated = self.world.forge_of(self.run.pull.repo).generated
        pack = await generated.pack(self.run.pull.repo, new, old)
        await self.world.artifacts.put(generated_name(self.run.id), pack)

    # --- commands ----------------------------------------------------------------------------

    async def _carry_out(
        self, hooks: Sequence[HookRun], root: Path, told: Mapping[str, str]
    ) -> None:
        for number, each in enumerate(hooks, start=1):
            status = self.data_dir / f"status-{number}"
            status.unlink(missing_ok=True)
            words = ShellCommand(f"hook-{number}", (*each.hook.argv, each.hook.run))
            run = self._surroundings(each, root, status).with_variables(told)
            self._check(number, each, await self.tool.shell(run, words), status)

    def _surroundings(self, each: HookRun, root: Path, status: Path) -> ToolRun:
        names = self.run.ask.select.projects
        name = names[0] if len(names) == 1 else None
        subject = Subject(self.pull, self.run.ask.actor, each.command, (), name)
        settings = self.world.settings
        return ToolRun(
            root=root,
            data_dir=self.data_dir,
            workspace="default",
            environment={
                **settings.tool_environment,
                **hook_variables(subject, str(root), str(status)),
            },
            timeout=settings.job_timeout,
        )

    def _check(self, number: int, each: HookRun, end: ShellEnd, status: Path) -> None:
        how = _how(end, round(self.world.settings.job_timeout)) or _said(status)
        if how:
            redactor = self.world.redactor
            label = redactor.redact(each.hook.description or short(each.hook.run))
            when = "pre" if self.job.kind is JobKind.PRE_HOOKS else "post"
            raise HookFailed(when, number, label, how, readable(redactor, end.said))


def _how(end: ShellEnd, seconds: int) -> str:
    """In what way it did not end well; empty when it did."""
    if end.timed_out:
        return f"was stopped after {seconds} s"
    if end.code < 0:
        return f"was ended by signal {signal.Signals(-end.code).name}"
    return f"failed with exit code {end.code}" if end.code else ""


def _said(status: Path) -> str:
    try:
        with status.open("rb") as file:
            words = file.read(100)
    except OSError:
        return ""
    failed = words.strip().lower() == SAID_FAILURE.encode()
    return "said `failure` in $OUTPUT_STATUS_FILE" if failed else ""
