"""`prbot plan`: the comment the bot would post for a branch, made on this machine.

Reads the repository's commits, not its working tree, lays the merge result out in a
temporary directory, and plans there without taking the state lock. Nothing is applied,
nothing is kept.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from rich.console import Console

from prbot.adapters.hcl_cache import FactsCache
from prbot.adapters.local_repository import LocalRepository
from prbot.adapters.workspaces import GitWorkspaces
from prbot.app.compose import new_id
from prbot.app.terminal import show
from prbot.app.workbench import PARALLEL, TIMEOUT, Workbench, bring_local_state, pull_of, tell
from prbot.comments.render import render
from prbot.config.files import counted
from prbot.engine.planner import job_directory
from prbot.engine.survey import Survey, Surveyor
from prbot.engine.toolbox import Toolbox
from prbot.errors import PrbotError
from prbot.errors.git import UnsafePath
from prbot.errors.verbs import NoSuchProject
from prbot.model import (
    Checkout,
    JobId,
    PullRequest,
    RunId,
    Selector,
)
from prbot.ports.forge import CloneAccess
from prbot.ports.tool import ToolRun
from prbot.projects.gone import Gone
from prbot.projects.select import matches
from prbot.runs.orphans import MOST, Fate, Orphan
from prbot.runs.run import Job, JobKind, Placed
from prbot.runs.say import Message, NoProjects, PlanReport, ProjectResult
from prbot.telemetry import Redactor


def plan_locally(
    *, repo: Path, base: str | None, head: str, select: Selector, markdown: bool
) -> int:
    """Print the comment. 0 without changes, 2 with changes, 1 when a project failed."""
    for name in select.dirs:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UnsafePath(name)
    select = replace(select, dirs=tuple(PurePosixPath(d).as_posix() for d in select.dirs))
    with tempfile.TemporaryDirectory(prefix="prbot-") as place:
        local = _Local(Workbench(Path(place), dict(os.environ), Redactor()))
        report = asyncio.run(local.report(repo.absolute(), base, head, select))
    text = local.bench.redactor.redact(render(report, marker="prbot:local"))
    if markdown:
        sys.stdout.write(text + "\n")
    else:
        show(text, Console(file=sys.stdout))
    return _exit_code(report)


def _exit_code(report: Message) -> int:
    if not isinstance(report, PlanReport):
        return 0
    unread = any(orphan.fate is Fate.UNREADABLE for orphan in report.orphans)
    if unread or any(result.trouble for result in report.results):
        return 1
    if not all(orphan.settled for orphan in report.orphans):
        return 2
    plans = (result.plan for result in report.results)
    return 2 if any(plan is not None and plan.summary.has_changes for plan in plans) else 0


@dataclass(frozen=True)
class _Local:
    """One `prbot plan`."""

    bench: Workbench

    async def report(
        self, directory: Path, base: str | None, head: str, select: Selector
    ) -> Message:
        repository = await LocalRepository.containing(directory, self.bench.environ)
        if await repository.is_dirty():
            tell("Uncommitted changes are not planned; commit them first.")
        base_sha = await repository.commit(base or await repository.default_branch())
        head_sha = await repository.commit(head)
        pull = pull_of(repository.root.name, base_sha, head_sha)
        workspaces = GitWorkspaces(self.bench.place / "git", self.bench.environ)
        url = await repository.offer(self.bench.place / "offered.git", base_sha, head_sha)
        await workspaces.fetch(pull, CloneAccess(url))
        checkout = await workspaces.lay_out(pull)
        found = await self._survey(workspaces, pull, checkout, select)
        projects = found.projects
        gone = tuple(each for each in found.gone if matches(each.project, select))
        if select.dirs and not projects and not gone:
            raise NoSuchProject(", ".join(select.dirs))
        if not projects and not gone:
            return NoProjects(len(checkout.changed))
        bring_local_state(repository.root, Path(checkout.path), projects)
        results = await self._plan_all(pull, workspaces, checkout, found)
        old = replace(checkout, commit=checkout.base)
        before = await workspaces.ensure(pull.ref, old)
        bring_local_state(repository.root, before, tuple(each.project for each in gone))
        toolbox = self.bench.toolbox(workspaces)
        looked = [await self._look(toolbox, pull, old, before, each) for each in gone]
        return PlanReport(
            results=results,
            head=head_sha,
            base=base_sha,
            apply_on_merge=False,
            may_apply=True,
            notices=found.notices,
            orphans=tuple(looked),
            moved=tuple((p.formerly, p.project) for p in found.placed if p.formerly is not None),
        )

    async def _look(
        self, toolbox: Toolbox, pull: PullRequest, old: Checkout, base: Path, gone: Gone
    ) -> Orphan:
        """What the state of a project that is no more holds, as the base leads to it."""
        tell(f"looking at the state of {gone.project}")
        job = Job(JobId(new_id("j")), RunId("local"), gone.project, JobKind.INVENTORY)
        try:
            with job_directory(self.bench.place / "jobs", job) as data_dir:
                root, workspace = base / gone.project.dir, gone.project.workspace
                environment = self.bench.tool_environment()
                run = ToolRun(root, data_dir, workspace, environment, TIMEOUT)
                tool = await toolbox.for_plan(pull.ref.repo, old, Placed(gone.project))
                found = await tool.inventory(run)
        except PrbotError as error:
            return Orphan(gone, Fate.UNREADABLE, trouble=self.bench.trouble(error))
        names = tuple(map(self.bench.redactor.redact, found))
        return Orphan(gone, Fate.HELD if found else Fate.EMPTY, len(names), names[:MOST])

    async def _survey(
        self, workspaces: GitWorkspaces, pull: PullRequest, checkout: Checkout, select: Selector
    ) -> Survey:
        surveyor = Surveyor(workspaces, FactsCache(self.bench.place / "facts"))
        default = await surveyor.files(pull.ref.repo, pull.base_sha)
        head = await surveyor.files(pull.ref.repo, checkout.commit)
        counts = partial(counted, default, head, pull.base_branch)
        before = partial(counted, default, default, pull.base_branch)
        return await surveyor.survey(pull.ref.repo, checkout, counts, before, select, asked=True)

    async def _plan_all(
        self,
        pull: PullRequest,
        workspaces: GitWorkspaces,
        checkout: Checkout,
        found: Survey,
    ) -> tuple[ProjectResult, ...]:
        planner, turn = self.bench.planner(workspaces), asyncio.Semaphore(PARALLEL)

        async def one(place: Placed) -> ProjectResult:
            async with turn:
                try:
                    made = await self.bench.plan(planner, pull.ref, checkout, place)
                except PrbotError as error:
                    return ProjectResult(place.project, trouble=self.bench.trouble(error))
                return ProjectResult(place.project, plan=made.record)

        placed = (place for place in found.placed if place.project in found.projects)
        return tuple(await asyncio.gather(*map(one, placed)))
