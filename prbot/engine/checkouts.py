"""The commits that runs work in: laid out once, and at hand wherever a run goes on.

A run may be decided on in one process and planned in others, perhaps on other machines,
each with a mirror of its own. Whoever takes a run up for the first time fetches, so that
what it reads is at least as new as what the run was laid out from: the rules of the
default branch must never be older than that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import structlog

from prbot.engine.alarm import Alarm
from prbot.engine.pulls import pull_of
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.errors.forge import ForgeUnavailable
from prbot.errors.git import BranchIsGone, CannotFetch, GitFailed, HeadIsGone, MergeCommitIsGone
from prbot.errors.plans import GeneratedIsGone
from prbot.errors.runs import LostLease
from prbot.model import Checkout, ProjectKey, PullRequest, RepoRef, RunId, Sha
from prbot.runs.run import Job, JobKind, Run

log = structlog.get_logger()

DAY, UNUSED = timedelta(days=1), timedelta(days=14)
"""How often worktrees are looked through, and for how long they may lie there unused."""
REMEMBERED = 10_000
"""Runs; to fetch once more than needed does no harm."""


class Checkouts:
    """One per process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._fetched: deque[RunId] = deque(maxlen=REMEMBERED)
        self._never = Alarm()

    async def run(self) -> None:
        """Remove, for ever, worktrees that nobody used for long: the close of their pull
        request may have been heard of on another machine."""
        while True:
            before = self._world.clock.now() - UNUSED
            for name, forge in self._world.forges.items():
                try:
                    removed = await forge.workspaces.tidy(before)
                    log.info("worktrees removed", action="tidy", forge=name, number=removed)
                except (PrbotError, OSError) as error:  # another day, then
                    log.warning("worktrees stay", action="tidy", forge=name, error=str(error))
            await self._never.wait(DAY)

    async def lay_out(self, run: Run, pull: PullRequest) -> Checkout:
        """Raises what `Workspaces` and the forge raise."""
        await self._fetch(pull)
        forge = self._world.forge_of(run.pull.repo)
        checkout = await forge.workspaces.lay_out(pull)
        self._fetched.append(run.id)
        applied = run.ask.applied
        if applied is not None and await self._has(run.pull.repo, applied.commit):
            return replace(checkout, base=applied.commit)
        return checkout

    async def _has(self, repo: RepoRef, commit: Sha) -> bool:
        try:
            await self._world.forge_of(repo).tree.read(repo, commit, ".gitignore")
        except GitFailed:
            return False
        return True

    async def at_hand(self, run: Run, pull: PullRequest) -> None:
        """Fetch, unless this process did so for this run. Raises ForgeUnavailable.

        What the forge no longer has may have been fetched before; who needs it will see.
        """
        if run.id not in self._fetched:
            await self.renewed(run, pull)

    async def renewed(self, run: Run, pull: PullRequest) -> bool:
        """Fetch now, and tell whether the forge still has all of it. Raises ForgeUnavailable."""
        whole = True
        try:
            await self._fetch(pull)
        except CannotFetch as error:
            raise ForgeUnavailable(run.pull.repo.forge, "fetch", str(error)) from error
        except (BranchIsGone, HeadIsGone, MergeCommitIsGone):
            whole = False
        self._fetched.append(run.id)
        return whole

    async def worktree(self, run: Run) -> tuple[Checkout, Path]:
        """Where the run's commit lies, brought here if it was laid out elsewhere."""
        checkout = _of(run)
        return checkout, await self._ensured(run, checkout)

    async def worktree_for(self, run: Run, job: Job) -> tuple[Checkout, Path]:
        """What the job plans: the run's commit, or the one that its project runs with."""
        if job.kind is not JobKind.PLAN_APPLIED:
            return await self.worktree_of(run, job.project)
        base, worktree = await self.base_worktree(run)
        checkout = _of(run)
        return replace(checkout, commit=checkout.base, generated=base), worktree

    async def worktree_of(self, run: Run, project: ProjectKey) -> tuple[Checkout, Path]:
        """Where the project lies: what the run's commit deleted, in its base. What is laid out
        of the checkout is what lies there."""
        if not run.is_deleted(project):
            return await self.worktree(run)
        base, worktree = await self.base_worktree(run)
        return replace(_of(run), generated=base), worktree

    async def base_worktree(self, run: Run) -> tuple[Sha, Path]:
        """The commit that the run's was compared with, and where it lies."""
        checkout = _of(run)
        base = replace(checkout, commit=checkout.base, generated=checkout.generated_base)
        return base.laid, await self._ensured(run, base)

    async def _ensured(self, run: Run, checkout: Checkout) -> Path:
        try:
            return await self._with_generated(run, checkout)
        except (HeadIsGone, GitFailed):
            await self._fetch(await pull_of(self._world, run))
        return await self._with_generated(run, checkout)

    async def _with_generated(self, run: Run, checkout: Checkout) -> Path:
        """Hooks may have run on another machine: what they left comes from there."""
        forge = self._world.forge_of(run.pull.repo)
        try:
            return await forge.workspaces.ensure(run.pull, checkout)
        except GeneratedIsGone:
            pack = await self._world.artifacts.get(generated_name(run.id))
            if pack is None:
                raise
        # it holds only what was added to the commit that was laid out
        await forge.workspaces.ensure(run.pull, replace(_of(run), generated=None))
        await forge.generated.unpack(run.pull.repo, pack)
        return await forge.workspaces.ensure(run.pull, checkout)

    async def _fetch(self, pull: PullRequest) -> None:
        forge = self._world.forge_of(pull.ref.repo)
        await forge.workspaces.fetch(pull, await forge.reader.clone_access(pull.ref.repo))


def generated_name(run_id: RunId) -> str:
    """The artifact with the files that hooks of this run left."""
    return f"{run_id}.generated"


def generated_names(runs: Iterable[Run]) -> list[str]:
    """Of those runs in which hooks left something."""
    laid = ((run, run.checkout) for run in runs)
    return [generated_name(run.id) for run, at in laid if at and at.laid != at.commit]


def _of(run: Run) -> Checkout:
    if run.checkout is None:
        raise LostLease(f"the checkout of {run.id}")
    return run.checkout
