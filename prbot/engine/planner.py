"""Makes one plan of one project: init, plan, show, and what is kept of it.

Used by the worker for pull requests and by `prbot plan` on a person's own machine, so
that both say the same. Keeps nothing itself.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree

from prbot.engine.reading import Parts, Reading, whole
from prbot.engine.stages import Stage, readable
from prbot.engine.state_versions import StateVersions
from prbot.engine.toolbox import Toolbox
from prbot.engine.ways import Way
from prbot.engine.world import MadePlan
from prbot.errors.plans import NoPlanFile, VarFileOutside
from prbot.errors.tools import DirectoryNotLaidOut
from prbot.model import Checkout, PlanId, PullRef
from prbot.plans import arguments, canonical, snapshot
from prbot.plans.canonical import Digests
from prbot.plans.lock_file import provider_versions
from prbot.plans.plan import parse
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.risk import environment_of
from prbot.plans.spelling import one_spelling
from prbot.plans.summary import PlanSummary, sensitive_strings, summarise
from prbot.ports.clock import Clock
from prbot.ports.tool import InitResult, Tool, ToolRun
from prbot.ports.tree import Tree
from prbot.runs.run import Job, Placed
from prbot.telemetry import Redactor


@dataclass(frozen=True)
class Planner:
    """`hash_key` keys the canonical hash; `environment` is the tool's, complete."""

    toolbox: Toolbox
    tree: Tree
    redactor: Redactor
    clock: Clock
    hash_key: bytes
    environment: Mapping[str, str]
    timeout: float
    state_versions: StateVersions

    def surroundings(self, job: Job, worktree: Path, data_dir: Path) -> ToolRun:
        return ToolRun(
            root=worktree / job.project.dir,
            data_dir=data_dir,
            workspace=job.project.workspace,
            environment=self.environment,
            timeout=self.timeout,
        )

    async def plan(
        self,
        pull: PullRef,
        job: Job,
        way: Way,
        plan_id: PlanId,
        checkout: Checkout,
        worktree: Path,
        data_dir: Path,
        *,
        lock: bool = True,
    ) -> MadePlan:
        """Raises DirectoryNotLaidOut, ToolMissing, ToolFailed, ToolTimedOut, BadPlan,
        VarFileOutside, NoPlanFile, what
        `Toolbox.for_plan` and what the steps of a workflow raise."""
        run = self.surroundings(job, worktree, data_dir)
        if not run.root.is_dir():
            raise DirectoryNotLaidOut(job.project.dir)
        var_files = var_files_of(way.place, run.root, worktree)
        tool = await self.toolbox.for_plan(pull.repo, checkout, way.place)
        stage = await way.stage("plan", tool, self.redactor, run)
        stage.arguments, stage.closing = ordered(way, var_files)
        var_files += inside(arguments.var_files(way.asked), run.root, worktree)
        stage.lock = lock
        await stage.perform(way.recipe.plan)
        plan_file = stage.plan_file
        if plan_file.is_symlink() or not plan_file.is_file():
            raise NoPlanFile
        plan_json = f"{plan_id}.json"
        shown, digests, summary = await self._judged(pull, job, tool, stage, plan_json)
        file = plan_file.read_bytes()
        init = await tool.initialised(stage.run)
        parts = await self.reading(pull, checkout, worktree).parts(way, init, var_files)
        record = StoredPlan(
            id=plan_id,
            pull=pull,
            project=job.project,
            run_id=job.run_id,
            job_id=job.id,
            head=checkout.head,
            base=checkout.base,
            commit=checkout.commit,
            hash=digests.content,
            inputs=self._inputs(await tool.version(), stage, way, checkout, init, parts, digests),
            summary=summary,
            plan_file=f"{plan_id}.tfplan",
            plan_file_sha256=hashlib.sha256(file).hexdigest(),
            plan_json=plan_json,
            state_is_lost=init.state_is_lost,
            created_at=self.clock.now(),
            state=await asyncio.to_thread(snapshot.of_plan_file, file),
            providers=provider_versions(init.lock_file),
        )
        # by now the redactor knows what the plan itself calls secret
        log = readable(self.redactor, await tool.said(data_dir))
        return MadePlan(record, file, shown, log)

    async def _judged(
        self, pull: PullRef, job: Job, tool: Tool, stage: Stage, source: str
    ) -> tuple[bytes, Digests, PlanSummary]:
        """The plan's JSON, its digests, and what people are told of it."""
        shown, raises = await asyncio.gather(
            tool.show(stage.run, stage.plan_file),
            self.state_versions.raised(pull.repo, job.project, tool, stage.run),
        )
        # In a thread: a large plan takes seconds to read, and webhooks want their answer.
        recording = arguments.REFRESH_ONLY in stage.closing
        digests, summary = await asyncio.to_thread(
            read_plan,
            shown,
            self.redactor,
            self.hash_key,
            environment_of(job.project),
            source,
            recording,
        )
        whole = replace(summary, steps=tuple(stage.said), raises=raises)
        # what the steps printed may hold secrets that only the plan itself told
        told: PlanSummary = self.redactor.redact_values(whole)
        return shown, digests, told

    def _inputs(
        self,
        tool: str,
        stage: Stage,
        way: Way,
        checkout: Checkout,
        init: InitResult,
        parts: Parts,
        digests: Digests,
    ) -> Inputs:
        return Inputs(
            files=whole(parts),
            lock_file=hashlib.sha256(init.lock_file).hexdigest(),
            tool=tool,
            arguments=in_one_spelling((*stage.arguments, *stage.closing)),
            workflow=way.recipe.lines,
            generated=checkout.laid if checkout.laid != checkout.commit else "",
            asked=way.asked,
            configuration=digests.configuration,
            variables=(*digests.variables, *self.given(digests)),
            parts=parts,
        )

    def reading(self, pull: PullRef, checkout: Checkout, worktree: Path) -> Reading:
        return Reading(self.tree, self.toolbox.facts, pull.repo, checkout.laid, worktree)

    def given(self, digests: Digests) -> tuple[tuple[str, str], ...]:
        """Of the plan's variables those that the environment gives a value."""
        names = {canonical.GIVEN + name for name, _ in digests.variables}
        given = {name: value for name, value in self.environment.items() if name in names}
        return canonical.given_digests(given, self.hash_key)


def in_one_spelling(arguments: Sequence[str]) -> str:
    return shlex.join(one_spelling(arguments))


def read_plan(
    shown: bytes,
    redactor: Redactor,
    hash_key: bytes,
    environment: str | None = None,
    source: str | None = None,
    recording: bool = False,
) -> tuple[Digests, PlanSummary]:
    """Digests and summary of `show -json`, both fit to be kept. Raises BadPlan.
    `recording`: all that the plan does is to record what is live (`-refresh-only`).

    From here on the redactor hides every secret that the plan marks, told by `source`.
    """
    with _collector_at_rest():
        plan = parse(shown)
        secrets = sensitive_strings(plan)
        others = redactor.sought()
        # Hidden before anything of this plan can reach a sink.
        redactor.hide(secrets, source)
        summary: PlanSummary = redactor.redact_values(summarise(plan, environment, secrets, others))
        if recording:
            summary = replace(summary, records=len(summary.drift) + summary.drift_left_out)
        return canonical.digests(plan, hash_key, recording), summary


def read_digests(shown: bytes, hash_key: bytes, recording: bool) -> Digests:
    """Of a plan that people have read, as `show -json` told it then. Raises BadPlan."""
    with _collector_at_rest():
        return canonical.digests(parse(shown), hash_key, recording)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """No search for cycles meanwhile: of the millions of objects in a plan none is in one, and
    looking at them again and again takes twice as long as making them.

    For the whole process. Of several threads the one that found it on switches it on again,
    which costs the others time and nothing else.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def ordered(way: Way, var_files: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before a step's own arguments, and what behind them: of two values the tool
    takes the later one, and Atlantis puts the comment's and then the workspace's file behind
    everything."""
    words = {name: f"-var-file={name}" for name in var_files}
    last = words.pop(_of_workspace(way.place), None)
    return list(words.values()), [*way.asked, *([last] if last else [])]


def var_files_of(place: Placed, root: Path, worktree: Path) -> tuple[str, ...]:
    """The project's variable files; last, as with Atlantis, `env/WORKSPACE.tfvars` if it is
    there. Relative to the root module. Raises VarFileOutside."""
    # https://www.runatlantis.io/docs/using-atlantis ("Automatic Environment Variable Files")
    of_workspace = _of_workspace(place)
    found = (of_workspace,) if (root / of_workspace).is_file() else ()
    names = (*(name for name in dict.fromkeys(place.var_files) if name not in found), *found)
    return inside(names, root, worktree)


def inside(names: tuple[str, ...], root: Path, worktree: Path) -> tuple[str, ...]:
    """The same names. Raises VarFileOutside where links lead one out of the repository."""
    for name in names:
        if not (root / name).resolve().is_relative_to(worktree.resolve()):
            raise VarFileOutside(name)
    return names


def _of_workspace(place: Placed) -> str:
    return f"env/{place.project.workspace}.tfvars"


@contextmanager
def job_directory(parent: Path, job: Job) -> Iterator[Path]:
    """One data directory per job, new at its start and gone at its end.

    It stays when the job is cancelled: an apply may outlive us, and the record of its
    process stands there.
    """
    directory = parent / job.id
    rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, mode=0o700)
    try:
        yield directory
    except asyncio.CancelledError:
        raise
    except BaseException:
        rmtree(directory, ignore_errors=True)
        raise
    rmtree(directory, ignore_errors=True)
