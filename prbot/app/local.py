"""`prbot plan`: the comment the bot would post for a branch, made on this machine.

Reads the repository's commits, not its working tree, lays the merge result out in a
temporary directory, and plans there without taking the state lock. Nothing is applied,
nothing is kept.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from rich.console import Console

from prbot.adapters.hcl_cache import FactsCache
from prbot.adapters.local_repository import BASE, NUMBER, LocalRepository
from prbot.adapters.terraform import Terraform
from prbot.adapters.terraform_setup import cli_config
from prbot.adapters.tools import LocalTools
from prbot.adapters.workspaces import GitWorkspaces
from prbot.app.compose import SystemClock, new_id
from prbot.app.offers import offers_of
from prbot.app.terminal import show
from prbot.comments.render import render
from prbot.config.files import counted
from prbot.config.server_tools import Tools
from prbot.engine.planner import Planner, job_directory
from prbot.engine.state_versions import StateVersions
from prbot.engine.survey import Survey, Surveyor
from prbot.engine.toolbox import Toolbox
from prbot.engine.ways import Way
from prbot.errors import PrbotError
from prbot.errors.git import UnsafePath
from prbot.errors.plans import OwnStepsOnly
from prbot.errors.verbs import NoSuchProject
from prbot.model import (
    Checkout,
    JobId,
    Login,
    PlanId,
    ProjectKey,
    PullRef,
    PullRequest,
    RepoRef,
    RunId,
    Selector,
    Sha,
)
from prbot.ports.forge import CloneAccess
from prbot.ports.tool import ToolRun
from prbot.projects.gone import Gone
from prbot.projects.select import matches
from prbot.runs.orphans import MOST, Fate, Orphan
from prbot.runs.run import Job, JobKind, Placed, Trouble
from prbot.runs.say import Message, NoProjects, PlanReport, ProjectResult
from prbot.telemetry import Redactor

PARALLEL = 4
TIMEOUT = 3600.0
CREDENTIAL_FILES = {
    "AWS_CONFIG_FILE": ".aws/config",
    "AWS_SHARED_CREDENTIALS_FILE": ".aws/credentials",
    "GOOGLE_APPLICATION_CREDENTIALS": ".config/gcloud/application_default_credentials.json",
    "AZURE_CONFIG_DIR": ".azure",
    "KUBE_CONFIG_PATH": ".kube/config",
}
"""Where providers look below HOME, which the tool does not see: named to them instead."""


def plan_locally(
    *, repo: Path, base: str | None, head: str, select: Selector, markdown: bool
) -> int:
    """Print the comment. 0 without changes, 2 with changes, 1 when a project failed."""
    for name in select.dirs:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UnsafePath(name)
    select = replace(select, dirs=tuple(PurePosixPath(d).as_posix() for d in select.dirs))
    with tempfile.TemporaryDirectory(prefix="prbot-") as place:
        local = _Local(Path(place), dict(os.environ), Redactor())
        report = asyncio.run(local.report(repo.absolute(), base, head, select))
    text = local.redactor.redact(render(report, marker="prbot:local"))
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
    """One `prbot plan`: a place that is thrown away, and the person's environment."""

    place: Path
    environ: Mapping[str, str]
    redactor: Redactor

    async def report(
        self, directory: Path, base: str | None, head: str, select: Selector
    ) -> Message:
        repository = await LocalRepository.containing(directory, self.environ)
        if await repository.is_dirty():
            _tell("Uncommitted changes are not planned; commit them first.")
        base_sha = await repository.commit(base or await repository.default_branch())
        head_sha = await repository.commit(head)
        pull = _pull(repository.root.name, base_sha, head_sha)
        workspaces = GitWorkspaces(self.place / "git", self.environ)
        url = await repository.offer(self.place / "offered.git", base_sha, head_sha)
        await workspaces.fetch(pull, CloneAccess(url))
        checkout = await workspaces.lay_out(pull)
        found = await self._survey(workspaces, pull, checkout, select)
        projects = found.projects
        gone = tuple(each for each in found.gone if matches(each.project, select))
        if select.dirs and not projects and not gone:
            raise NoSuchProject(", ".join(select.dirs))
        if not projects and not gone:
            return NoProjects(len(checkout.changed))
        _bring_local_state(repository.root, Path(checkout.path), projects)
        results = await self._plan_all(pull, workspaces, checkout, found)
        old = replace(checkout, commit=checkout.base)
        before = await workspaces.ensure(pull.ref, old)
        _bring_local_state(repository.root, before, tuple(each.project for each in gone))
        toolbox = self._toolbox(workspaces)
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
        _tell(f"looking at the state of {gone.project}")
        job = Job(JobId(new_id("j")), RunId("local"), gone.project, JobKind.INVENTORY)
        try:
            with job_directory(self.place / "jobs", job) as data_dir:
                root, workspace = base / gone.project.dir, gone.project.workspace
                environment = self._tool_environment()
                run = ToolRun(root, data_dir, workspace, environment, TIMEOUT)
                tool = await toolbox.for_plan(pull.ref.repo, old, Placed(gone.project))
                found = await tool.inventory(run)
        except PrbotError as error:
            return Orphan(gone, Fate.UNREADABLE, trouble=self._trouble(error))
        names = tuple(map(self.redactor.redact, found))
        return Orphan(gone, Fate.HELD if found else Fate.EMPTY, len(names), names[:MOST])

    def _trouble(self, error: PrbotError) -> Trouble:
        redact = self.redactor.redact
        output = redact(getattr(error, "output", ""))
        return Trouble(redact(str(error)), redact(error.next_step), output)

    async def _survey(
        self, workspaces: GitWorkspaces, pull: PullRequest, checkout: Checkout, select: Selector
    ) -> Survey:
        surveyor = Surveyor(workspaces, FactsCache(self.place / "facts"))
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
        planner = Planner(
            toolbox=self._toolbox(workspaces),
            tree=workspaces,
            redactor=self.redactor,
            clock=SystemClock(),
            hash_key=os.urandom(32),
            environment=self._tool_environment(),
            timeout=TIMEOUT,
            state_versions=StateVersions(),
        )
        turn = asyncio.Semaphore(PARALLEL)

        async def one(place: Placed) -> ProjectResult:
            async with turn:
                _tell(f"planning {place.project}")
                return await self._plan_one(planner, pull, checkout, place)

        placed = (place for place in found.placed if place.project in found.projects)
        return tuple(await asyncio.gather(*map(one, placed)))

    async def _plan_one(
        self, planner: Planner, pull: PullRequest, checkout: Checkout, place: Placed
    ) -> ProjectResult:
        project = place.project
        if place.workflow is not None:
            own = OwnStepsOnly(place.workflow)
            return ProjectResult(project, trouble=Trouble(str(own), own.next_step))
        job = Job(JobId(new_id("j")), RunId("local"), project, JobKind.PLAN)
        worktree, plan_id = Path(checkout.path), PlanId(new_id("p"))
        try:
            with job_directory(self.place / "jobs", job) as data_dir:
                made = await planner.plan(
                    pull.ref, job, Way(place), plan_id, checkout, worktree, data_dir, lock=False
                )
        except PrbotError as error:
            return ProjectResult(project, trouble=self._trouble(error))
        return ProjectResult(project, plan=made.record)

    def _toolbox(self, workspaces: GitWorkspaces) -> Toolbox:
        facts = FactsCache(self.place / "facts")
        return Toolbox(self._tools(), workspaces, facts, allow_switch=True)

    def _tools(self) -> LocalTools:
        """What is downloaded is kept where the person's other caches are."""
        cli = self.place / "terraform.tfrc"
        cli.write_text(cli_config(None))

        def made(tool: str, command: tuple[str, ...]) -> Terraform:
            return Terraform(
                command=command,
                cli_config=cli,
                scratch=self.place / "scratch",
                environment=self.environ,
                plugin_cache=self.place / "plugins",
                name=tool,
            )

        home = Path(self.environ.get("HOME", self.place))
        caches = Path(self.environ.get("XDG_CACHE_HOME") or home / ".cache")
        offers = offers_of(Tools(), None, self.environ.get("PATH", ""))
        return LocalTools(offers, caches / "prbot" / "tools", made, SystemClock())

    def _tool_environment(self) -> dict[str, str]:
        """The person's own environment: it is their machine and their credentials."""
        home = Path(self.environ.get("HOME", "/"))
        named = {
            name: str(home / path)
            for name, path in CREDENTIAL_FILES.items()
            if (home / path).exists()
        }
        return named | dict(self.environ)


def _pull(name: str, base: Sha, head: Sha) -> PullRequest:
    ref = PullRef(RepoRef("local", f"local/{name}"), NUMBER)
    return PullRequest(
        ref=ref,
        title="",
        author=Login("you"),
        head_sha=head,
        head_branch="head",
        head_repo=ref.repo.path,
        base_branch=BASE,
        base_sha=base,
        default_branch=BASE,
    )


def _bring_local_state(root: Path, worktree: Path, projects: tuple[ProjectKey, ...]) -> None:
    """Copy state files that lie beside the code, so that the plan is not all creations."""
    for project in projects:
        state, target = root / project.dir / "terraform.tfstate", worktree / project.dir
        if state.is_file() and not (target / state.name).exists():
            shutil.copy(state, target)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
