"""Makes one plan of one project: init, plan, show, and what is kept of it.

Used by the worker for pull requests and by `prbot plan` on a person's own machine, so
that both say the same. Keeps nothing itself.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree

from prbot.config.stages import recipe_differences
from prbot.engine.stages import Stage
from prbot.engine.state_versions import StateVersions
from prbot.engine.toolbox import Toolbox
from prbot.engine.ways import Way
from prbot.engine.world import MadePlan
from prbot.errors import DirectoryNotLaidOut, NoPlanFile, VarFileOutside
from prbot.model import Checkout, PlanId, PullRef
from prbot.plans import arguments, canonical
from prbot.plans.plan import parse
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.risk import environment_of
from prbot.plans.summary import PlanSummary, sensitive_strings, summarise
from prbot.ports import Clock, InitResult, Tool, ToolRun, Tree
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
        stage.arguments, stage.closing = _ordered(way, var_files)
        var_files += inside(arguments.var_files(way.asked), run.root, worktree)
        stage.lock = lock
        await stage.perform(way.recipe.plan)
        plan_file = stage.plan_file
        if plan_file.is_symlink() or not plan_file.is_file():
            raise NoPlanFile
        plan_json = f"{plan_id}.json"
        shown, digest, summary = await self._judged(pull, job, tool, stage, plan_json)
        init = await tool.initialised(stage.run)
        file = plan_file.read_bytes()
        record = StoredPlan(
            id=plan_id,
            pull=pull,
            project=job.project,
            run_id=job.run_id,
            job_id=job.id,
            head=checkout.head,
            base=checkout.base,
            commit=checkout.commit,
            hash=digest,
            inputs=Inputs(
                files=await self._files(pull, job, checkout, worktree, init, var_files),
                lock_file=hashlib.sha256(init.lock_file).hexdigest(),
                tool=await tool.version(),
                arguments=" ".join((*stage.arguments, *stage.closing)),
                workflow=way.recipe.lines,
                generated=checkout.laid if checkout.laid != checkout.commit else "",
                asked=way.asked,
            ),
            summary=summary,
            plan_file=f"{plan_id}.tfplan",
            plan_file_sha256=hashlib.sha256(file).hexdigest(),
            plan_json=plan_json,
            state_is_lost=init.state_is_lost,
            created_at=self.clock.now(),
        )
        return MadePlan(record, file, shown)

    async def _judged(
        self, pull: PullRef, job: Job, tool: Tool, stage: Stage, source: str
    ) -> tuple[bytes, str, PlanSummary]:
        """The plan's JSON, its canonical hash, and what people are told of it."""
        shown, raises = await asyncio.gather(
            tool.show(stage.run, stage.plan_file),
            self.state_versions.raised(pull.repo, job.project, tool, stage.run),
        )
        # In a thread: a large plan takes seconds to read, and webhooks want their answer.
        recording = arguments.REFRESH_ONLY in stage.closing
        digest, summary = await asyncio.to_thread(
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
        return shown, digest, told

    async def _files(
        self,
        pull: PullRef,
        job: Job,
        checkout: Checkout,
        worktree: Path,
        init: InitResult,
        var_files: tuple[str, ...],
    ) -> str:
        """Digest what the plan was made from: local files by git's ids, others by content."""
        beside = (posixpath.normpath(posixpath.join(job.project.dir, f)) for f in var_files)
        local, fetched = [job.project.dir, *beside], []
        for directory in init.module_dirs:
            if directory.is_relative_to(worktree):
                local.append(directory.relative_to(worktree).as_posix())
            else:
                fetched.append(directory)
        ids = await self.tree.object_ids(pull.repo, checkout.laid, sorted(set(local)))
        # In a thread: a fetched module may have thousands of files.
        digests = await asyncio.to_thread(lambda: [_digest(d) for d in fetched])
        files = {**ids, **{f"module {i}": digest for i, digest in enumerate(digests)}}
        return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def read_plan(
    shown: bytes,
    redactor: Redactor,
    hash_key: bytes,
    environment: str | None = None,
    source: str | None = None,
    recording: bool = False,
) -> tuple[str, PlanSummary]:
    """Canonical hash and summary of `show -json`, both fit to be kept. Raises BadPlan.
    `recording`: all that the plan does is to record what is live (`-refresh-only`).

    From here on the redactor hides every secret that the plan marks, told by `source`.
    """
    with _collector_at_rest():
        plan = parse(shown)
        secrets = sensitive_strings(plan)
        # Hidden before anything of this plan can reach a sink.
        redactor.hide(secrets, source)
        summary: PlanSummary = redactor.redact_values(summarise(plan, environment, secrets))
        if recording:
            summary = replace(summary, records=len(summary.drift) + summary.drift_left_out)
        return canonical.fingerprint(plan, hash_key, recording), summary


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


def _ordered(way: Way, var_files: Sequence[str]) -> tuple[list[str], list[str]]:
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


def input_differences(reviewed: Inputs, fresh: Inputs) -> tuple[str, ...]:
    """What changed in the inputs, in words; the digests themselves tell people nothing."""
    found = []
    if reviewed.files != fresh.files:
        found.append("files of the project or of its modules changed")
    if reviewed.lock_file != fresh.lock_file:
        found.append("the dependency lock file changed")
    if reviewed.tool != fresh.tool:
        found.append(f"the tool changed from {reviewed.tool} to {fresh.tool}")
    if reviewed.arguments != fresh.arguments:
        found.append("the arguments changed")
    found += recipe_differences(reviewed.workflow, fresh.workflow)
    return tuple(found)


def _digest(directory: Path) -> str:
    """A fetched module's content: every file's path and bytes, in a fixed order."""
    digest = hashlib.sha256()
    for path in sorted(p for p in directory.rglob("*") if p.is_file() and ".git" not in p.parts):
        digest.update(path.relative_to(directory).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


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
