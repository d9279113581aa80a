"""What a tool would answer, recorded: to a whole run, at the port that runs it, or in place of
what the run's job leaves; and a process that looks, with either.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from prbot.drift.state import Standing
from prbot.engine.alarm import Alarm
from prbot.engine.asking import Asking
from prbot.engine.checkouts import Checkouts
from prbot.engine.drift import Drift
from prbot.engine.inbox import Inbox
from prbot.engine.orchestrator import Orchestrator
from prbot.engine.planner import read_plan
from prbot.engine.postman import Postman
from prbot.engine.worker import Worker
from prbot.engine.world import World
from prbot.errors.plans import ToolFailed
from prbot.model import JobId, PlanId, RunId, Sha
from prbot.plans.canonical import Digests
from prbot.plans.lock_file import provider_versions
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.summary import PlanSummary
from prbot.ports.store import UnitOfWork
from prbot.ports.tool import InitResult, ToolRun
from prbot.runs.drifting import GONE, project_of, same_code
from prbot.runs.run import Job, JobKind, JobState, Run, RunState

PLANS = Path(__file__).parent.parent / "fixtures" / "plans"
DAY = timedelta(days=1)
CLEAN = "00"

Json = Any


def spoken(answer: Json, is_head: bool) -> Json:
    """What the tool says of this commit, where it differs."""
    return answer["head" if is_head else "applied"] if "head" in answer else answer


def recorded(number: str) -> bytes:
    """A plan of the fixtures, by its number."""
    (file,) = PLANS.glob(f"{number}_*.json")
    return file.read_bytes()


@dataclass
class RecordedTool:
    """Meets `Tool` and `Tools`, as far as a look goes. `answers` are by project; `heads` are what
    the default branch says now. `versions` are those of providers, by project and source.
    `planned` counts."""

    answers: dict[str, Json] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    planned: list[str] = field(default_factory=list)

    def answer(self, project: str) -> Json:
        return self.answers.get(project, self.answers.get("rest", CLEAN))

    async def of(self, wanted: object) -> RecordedTool:
        return self

    async def probe(self) -> str:
        return "terraform 1.11.4"

    async def version(self) -> str:
        return "terraform 1.11.4"

    async def init(self, run: ToolRun, arguments: Sequence[str] = ()) -> InitResult:
        return await self.initialised(run)

    async def initialised(self, run: ToolRun) -> InitResult:
        return InitResult((), self.lock_file(run.root.name), state_is_lost=False)

    def lock_file(self, project: str) -> bytes:
        """As init writes it; nobody commits it."""
        known = self.versions.get(project, self.versions.get("rest", {}))
        blocks = (
            f'provider "registry.terraform.io/{source}" {{\n  version = "{version}"\n}}\n'
            for source, version in known.items()
        )
        return "\n".join(blocks).encode()

    async def state_version(self, run: ToolRun) -> str | None:
        return None

    async def plan(
        self, run: ToolRun, plan_file: Path, lock: bool = True, arguments: Sequence[str] = ()
    ) -> None:
        assert not lock, "a look takes the state's lock"
        project = run.root.name
        self.planned.append(project)
        is_head = (run.root / "main.tf").read_text() == self.heads[project]
        answer = spoken(self.answer(project), is_head)
        if "fails" in answer:
            raise ToolFailed("plan", 1, answer["fails"])
        plan_file.write_bytes(recorded(answer))

    async def show(self, run: ToolRun, plan_file: Path) -> bytes:
        return plan_file.read_bytes()

    async def said(self, data_dir: Path) -> str:
        return ""


@dataclass
class Replica:
    """One process that looks, as `Service` puts it together, without its loops."""

    world: World
    known: dict[bytes, tuple[Digests, PlanSummary]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        world, outbox = self.world, Alarm()
        checkouts = Checkouts(world)
        self.drift = Drift(world, outbox)
        self.worker = Worker(world, checkouts)
        self.orchestrator = Orchestrator(world, checkouts, outbox, self.worker.stop)
        self.postman = Postman(world, outbox)
        self.inbox = Inbox(world, Asking(world), Alarm(), outbox)

    async def work(self, tool: RecordedTool | None = None) -> None:
        """Have all looks that are under way come to their end: whole, or with what this tool
        would have answered in place of their jobs."""
        async with self.world.store.begin() as unit:
            going = [each for each in await unit.drift.under_way() if each.run is not None]
            if tool is not None:
                for standing in going:
                    await self._put(unit, standing, tool)
                return
        for standing in going:
            await self._carry_out(RunId(standing.run or ""))

    async def _put(self, unit: UnitOfWork, standing: Standing, tool: RecordedTool) -> None:
        """What the run's job leaves, and its end."""
        run = await unit.runs.get(RunId(standing.run or ""))
        if run.state.finished:
            return
        await unit.runs.move(run.id, RunState.QUEUED, RunState.WORKING)
        if standing.project.dir not in tool.heads:
            await unit.runs.move(run.id, RunState.WORKING, RunState.FAILED, GONE)
            return
        head = await self._put_job(unit, run, JobKind.PLAN, tool)
        applied, changes = run.ask.applied, head is not None and head.summary.has_changes
        if head and changes and applied and not same_code(head.inputs, applied.inputs):
            await self._put_job(unit, run, JobKind.PLAN_APPLIED, tool)
        await unit.runs.move(run.id, RunState.WORKING, RunState.DONE)

    async def _put_job(
        self, unit: UnitOfWork, run: Run, kind: JobKind, tool: RecordedTool
    ) -> StoredPlan | None:
        project, job_id = project_of(run), JobId(self.world.new_id("j"))
        await unit.runs.add_job(Job(job_id, run.id, project, kind))
        until = self.world.clock.now() + DAY
        job = await unit.runs.start_job(job_id, self.world.worker, until)
        assert job is not None
        answer = spoken(tool.answer(project.dir), kind is JobKind.PLAN)
        if "fails" in answer:
            error = ToolFailed("plan", 1, answer["fails"])
            failed = replace(job, trouble=self.worker.trouble(error))
            await unit.runs.move_job(job, JobState.FAILED, failed)
            return None
        plan = await self._plan(run, job, recorded(answer), tool.heads[project.dir])
        plan = replace(plan, providers=provider_versions(tool.lock_file(project.dir)))
        await unit.plans.add(plan)
        await unit.runs.move_job(job, JobState.PLANNED, replace(job, plan_id=plan.id))
        return plan

    async def _plan(self, run: Run, job: Job, shown: bytes, code: str) -> StoredPlan:
        world, plan_id = self.world, PlanId(self.world.new_id("p"))
        digests, summary = self.known.setdefault(
            shown, read_plan(shown, world.redactor, world.settings.hash_key)
        )
        await world.artifacts.put(f"{plan_id}.json", shown)
        head = run.ask.head_sha or Sha("")
        return StoredPlan(
            id=plan_id,
            pull=run.pull,
            project=job.project,
            run_id=run.id,
            job_id=job.id,
            head=head,
            base=head,
            commit=head,
            hash=digests.content,
            inputs=Inputs(hashlib.sha256(code.encode()).hexdigest(), "", "terraform 1.11.4"),
            summary=summary,
            plan_file=f"{plan_id}.tfplan",
            plan_file_sha256="",
            plan_json=f"{plan_id}.json",
            state_is_lost=False,
            created_at=world.clock.now(),
        )

    async def _carry_out(self, run_id: RunId) -> None:
        run = await self._run(run_id)
        while not run.state.finished:
            await self.orchestrator.advance(run_id)
            run = await self._run(run_id)
            for job in run.jobs:
                if not job.state.finished:
                    await self.worker.perform(job.id)

    async def _run(self, run_id: RunId) -> Run:
        async with self.world.store.begin() as unit:
            return await unit.runs.get(run_id)

    async def write(self) -> None:
        """Write all letters to the forge."""
        while True:
            async with self.world.store.begin() as unit:
                due = await unit.outbox.next_due()
            if due is None or due > self.world.clock.now():
                return
            async with asyncio.TaskGroup() as group:
                await self.postman.write_due(group)
