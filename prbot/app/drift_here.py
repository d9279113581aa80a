"""`prbot drift run` in a checkout: what differs from the commit that is checked out, without a
service.

Plans as `prbot plan` does and reads each plan as a nightly check does, rules included. There are
no records here of what was applied: what a plan itself tells as changed since its state was
written is drift, everything else it would do is code that is not applied. No state is written
and no lock is taken.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from prbot.adapters.hcl_cache import FactsCache
from prbot.adapters.local_repository import LocalRepository
from prbot.adapters.workspaces import GitWorkspaces
from prbot.app.compose import SystemClock
from prbot.app.drift import Known, print_known
from prbot.app.workbench import PARALLEL, Workbench, bring_local_state, pull_of
from prbot.comments.customs import GITHUB
from prbot.config.drift import DriftSettings
from prbot.config.environments import Environments, Minimum, environments_of
from prbot.config.files import said_in, settings_in
from prbot.config.project_rules import ProjectRules
from prbot.drift.checking import Reading, Subject, section_of
from prbot.drift.issue import Section
from prbot.drift.reading import Asked, Read, read
from prbot.drift.state import Standing, Watch
from prbot.drift.verdict import LastApplied, ProjectVerdict
from prbot.engine.planner import Planner
from prbot.engine.survey import Surveyor
from prbot.engine.world import MadePlan
from prbot.errors import PrbotError
from prbot.errors.git import UnsafePath
from prbot.errors.verbs import (
    LookInterrupted,
    NoCheckout,
    NoDefaultBranch,
    NoRepository,
    NoSuchProject,
    NothingCommitted,
    NothingToLookAt,
    UnknownRevision,
)
from prbot.model import (
    Checkout,
    Notice,
    ProjectKey,
    PullRef,
    PullRequest,
    RepoRef,
    Selector,
    Sha,
)
from prbot.plans.plan import parse
from prbot.ports.forge import CloneAccess
from prbot.projects.listing import directory_of
from prbot.projects.select import matches
from prbot.runs.run import Placed
from prbot.telemetry import Redactor

UNCOMMITTED = "uncommitted changes are not looked at; commit them first"
ELSEWHERE = (
    "what is checked out is not the head of the default branch: its own rules decide, and what "
    "it changes is told as code that is not applied"
)
BY_ONE_PLAN = (
    "no record tells here what was applied last. Drift is what changed since the state was "
    "written; what was refreshed into the state before, or applied from a branch that is not "
    "merged, is told as behind, as code that nobody applied is"
)
LOST = "the state of {} is in no backend and not beside the code, so nothing can be told of it"
ONE_PLAN = (ProjectVerdict.DRIFTED, ProjectVerdict.BEHIND, ProjectVerdict.MIXED)
"""What might be told otherwise by who knows what was applied."""


def look_here(dirs: Sequence[str], as_json: bool) -> int:
    """Print what stands otherwise than the code says; the exit code as of `app.drift.look`.

    Raises PrbotError where nothing can be looked at; what one project meets is told of it.
    """
    for name in dirs:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UnsafePath(name)
    select = Selector(dirs=tuple(PurePosixPath(name).as_posix() for name in dirs))
    with tempfile.TemporaryDirectory(prefix="prbot-") as place:
        bench = Workbench(Path(place), dict(os.environ), Redactor())
        try:
            known = asyncio.run(_Look(bench).known(Path.cwd(), select))
        except KeyboardInterrupt:
            raise LookInterrupted from None
    # the last plan may have told what is secret in the first
    return print_known(
        [replace(known, standings=bench.redactor.redact_values(known.standings))], as_json
    )


@dataclass(frozen=True)
class _Code:
    """What is looked at, and by which of the commit's own rules. `unread` are files that could
    not be read: what they declare may be a project of its own, which nobody looks at then."""

    drift: DriftSettings
    environments: Environments
    placed: tuple[Placed, ...]
    notices: tuple[str, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True)
class _Look:
    bench: Workbench

    async def known(self, directory: Path, select: Selector) -> Known:
        repository = await self._repository(directory)
        head = await _head(repository)
        notes = await _notes(repository, head)
        pull = pull_of(repository.root.name, head, head)
        workspaces = GitWorkspaces(self.bench.place / "git", self.bench.environ)
        offered = await repository.offer(self.bench.place / "offered.git", head, head)
        await workspaces.fetch(pull, CloneAccess(offered))
        checkout = await workspaces.lay_out(pull)
        code = await self._code(workspaces, pull, checkout, select)
        bring_local_state(repository.root, Path(checkout.path), (p.project for p in code.placed))
        sections = await self._sections(workspaces, pull, checkout, code)
        lost = (LOST.format(s.project) for s in sections if s.verdict is ProjectVerdict.UNKNOWN)
        limits = (BY_ONE_PLAN,) if any(s.verdict in ONE_PLAN for s in sections) else ()
        return Known(
            watch=Watch(RepoRef("", repository.root.name)),
            standings=tuple(map(_standing, sections)),
            now=SystemClock().now(),
            customs=GITHUB,
            here=True,
            notes=(*notes, *code.notices, *lost, *limits),
            unread=code.unread,
        )

    async def _repository(self, directory: Path) -> LocalRepository:
        try:
            return await LocalRepository.containing(directory, self.bench.environ)
        except NoRepository:
            raise NoCheckout(str(directory)) from None

    async def _code(
        self, workspaces: GitWorkspaces, pull: PullRequest, checkout: Checkout, select: Selector
    ) -> _Code:
        """Raises NoSuchProject, NothingToLookAt, and what `Surveyor.survey` raises."""
        repo = pull.ref.repo
        surveyor = Surveyor(workspaces, FactsCache(self.bench.place / "facts"))
        files = await surveyor.files(repo, checkout.commit)
        config = settings_in(files)
        counts = partial(said_in, files)
        every = await surveyor.all_of(repo, checkout.laid, counts)
        dirs = tuple({p.project.dir: None for p in every if matches(p.project, select)})
        unread = await _unread(surveyor, repo, checkout, select, counts().rules)
        if not dirs and not unread:
            raise NoSuchProject(", ".join(select.dirs)) if every else NothingToLookAt(checkout.head)
        wanted = Selector(dirs=dirs or select.dirs)
        found = await surveyor.survey(repo, checkout, counts, counts, wanted, asked=True)
        placed = tuple(p for p in found.placed if p.project in found.projects)
        return _Code(
            drift=config.drift,
            environments=environments_of(config.defaults, config.environments, Minimum()),
            placed=placed,
            notices=tuple(line for each in found.notices if (line := _place(each)) not in unread),
            unread=unread,
        )

    async def _sections(
        self,
        workspaces: GitWorkspaces,
        pull: PullRequest,
        checkout: Checkout,
        code: _Code,
    ) -> tuple[Section, ...]:
        planner, turn = self.bench.planner(workspaces), asyncio.Semaphore(PARALLEL)

        async def one(place: Placed) -> Section:
            async with turn:
                return await self._section(planner, pull.ref, checkout, code, place)

        return tuple(await asyncio.gather(*map(one, code.placed)))

    async def _section(
        self, planner: Planner, pull: PullRef, checkout: Checkout, code: _Code, place: Placed
    ) -> Section:
        project = place.project
        environment = code.environments.of(project.dir, project.workspace).name
        now = SystemClock().now()
        asked = Asked(code.drift, environment, now.date(), self.bench.redactor.redact_values)
        reading: Reading
        try:
            made = await self.bench.plan(planner, pull, checkout, place)
            known = _has_state(made, checkout, place)
            reading = await asyncio.to_thread(_read, made, asked) if known else None
        except PrbotError as error:
            reading = self.bench.trouble(error)
        subject = Subject(pull.repo, project, checkout.head, now, environment)
        return section_of(subject, reading, LastApplied.NOTHING, None, unmerged=False)


async def _unread(
    surveyor: Surveyor, repo: RepoRef, checkout: Checkout, select: Selector, rules: ProjectRules
) -> tuple[str, ...]:
    _, facts = await surveyor.read(repo, checkout.laid)
    problems = ((path, each.problem) for path, each in facts.items() if each.problem is not None)
    return tuple(
        _place(Notice(path, problem.line, problem.message))
        for path, problem in problems
        if rules.finds_in(directory_of(path))
        if matches(ProjectKey(directory_of(path)), select)
    )


def _place(notice: Notice) -> str:
    return f"{notice.path}:{notice.line}: {notice.message}"


async def _head(repository: LocalRepository) -> Sha:
    try:
        return await repository.commit("HEAD")
    except UnknownRevision:
        raise NothingCommitted from None


async def _notes(repository: LocalRepository, head: Sha) -> tuple[str, ...]:
    """About what is checked out."""
    notes = (UNCOMMITTED,) if await repository.is_dirty() else ()
    try:
        same = await repository.commit(await repository.default_branch()) == head
    except (NoDefaultBranch, UnknownRevision):
        return notes
    return notes if same else (*notes, ELSEWHERE)


def _standing(section: Section) -> Standing:
    at = section.checked_at
    return Standing(
        section.repo,
        section.project,
        environment=section.environment,
        section=section,
        checked_at=at,
        succeeded_at=None if section.verdict is ProjectVerdict.ERROR else at,
    )


def _has_state(made: MadePlan, checkout: Checkout, place: Placed) -> bool:
    """Whether the plan had the state: a backend has it, or it was brought from beside the code,
    which is where the default workspace's is."""
    brought = Path(checkout.path) / place.project.dir / "terraform.tfstate"
    here = place.project.workspace == "default" and brought.is_file()
    return here or not made.record.state_is_lost


def _read(made: MadePlan, asked: Asked) -> Read:
    summary = made.record.summary
    plan, failing = parse(made.json), summary.checks.failing
    return read(plan, made.record.hash, summary.has_changes, failing, False, asked)
