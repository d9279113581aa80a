"""Looks at what an interrupted apply left, and breaks its lock when a person asks.

Both work in the commit the apply worked in, in a data directory of their own. Doing
either twice does no harm: a look reads, and a lock that is gone is not broken again.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import rmtree

from prbot.engine.checkouts import Checkouts
from prbot.engine.place import place_of
from prbot.engine.planner import job_directory
from prbot.engine.toolbox import to_look
from prbot.engine.ways import way_of
from prbot.engine.world import World
from prbot.errors.applies import ApplyRanElsewhere, LockOfAnother, NoKnownLock, ToolStillRuns
from prbot.errors.runs import LostLease
from prbot.ports.store import JournalEntry, UnitOfWork
from prbot.ports.tool import ApplyTrace, Tool, ToolRun
from prbot.projects.tool_choice import TERRAFORM
from prbot.runs.interrupted import (
    FREED,
    LOOKED,
    Found,
    interrupted_job,
    lock_to_break,
    place_in,
)
from prbot.runs.run import Job, JobKind, JobState, Run
from prbot.runs.told import told_by, told_in


class Looker:
    def __init__(self, world: World, checkouts: Checkouts) -> None:
        self._world = world
        self._checkouts = checkouts

    async def perform(self, run: Run, job: Job) -> Job:
        """Raises what the tool and the workspaces raise, and the reasons not to unlock."""
        async with self._world.store.begin() as unit:
            found = interrupted_job(await unit.runs.of_pull(run.pull), job)
            entries = await unit.journal.of_pull(run.pull)
        if found is None:
            raise LostLease(f"the interrupted apply of {job.project}")
        tool = await self._tool(found[1])
        if job.kind is JobKind.LOOK:
            return await self._look(*found, job, tool, entries)
        return await self._force_unlock(run, *found, job, tool, entries)

    async def _tool(self, apply: Job) -> Tool:
        async with self._world.store.begin() as unit:
            plan = await unit.plans.get(apply.reviewed) if apply.reviewed else None
        return await to_look(self._world.tools, plan.inputs.tool if plan else TERRAFORM)

    # --- look ----------------------------------------------------------------------------

    async def _look(
        self, run: Run, apply: Job, job: Job, tool: Tool, entries: tuple[JournalEntry, ...]
    ) -> Job:
        trace = await tool.trace(self._directory(apply))
        entries = (*entries, *await self._catch_up(run, apply, trace, entries))
        async with self._surroundings(run, job, tool) as surroundings:
            look = await tool.look(surroundings)
        addresses = {one.address for one in told_in(entries, apply.id)}
        recorded = tuple(one for one in look.recorded if one.address in addresses)
        told = Found(recorded, look.lock, trace.running)
        async with self._world.store.begin() as unit:
            await self._write(unit, run, apply, LOOKED, told.detail)
            ended = await unit.runs.move_job(job, JobState.LOOKED)
        if not trace.running:  # all it holds is in the journal now
            rmtree(self._directory(apply), ignore_errors=True)
        return ended

    async def _catch_up(
        self, run: Run, apply: Job, trace: ApplyTrace, entries: tuple[JournalEntry, ...]
    ) -> tuple[JournalEntry, ...]:
        """Journal what the tool told when nobody listened any more."""
        known = set(told_in(entries, apply.id))
        redact = self._world.redactor.redact
        fresh = [
            self._entry(run, apply, one.moment.value, redact(one.detail))
            for one in told_by(trace.events)
        ]
        missed = tuple(e for e in fresh if known.isdisjoint(told_in((e,), apply.id)))
        async with self._world.store.begin() as unit:
            for entry in missed:
                await unit.journal.write(entry)
        return missed

    # --- force-unlock --------------------------------------------------------------------

    async def _force_unlock(
        self,
        asking: Run,
        run: Run,
        apply: Job,
        job: Job,
        tool: Tool,
        entries: tuple[JournalEntry, ...],
    ) -> Job:
        lock_id = lock_to_break(entries, apply.id)
        if lock_id is None:
            raise NoKnownLock
        await self._check_dead(apply, tool, entries)
        async with self._surroundings(run, job, tool) as surroundings:
            lock = await tool.state_lock(surroundings)
            if lock is not None and lock.id != lock_id:
                raise LockOfAnother(lock.id, lock.who or "somebody else")
            if lock is not None:
                await tool.force_unlock(surroundings, lock_id)
        async with self._world.store.begin() as unit:
            detail = json.dumps({"id": lock_id})
            await self._write(unit, asking, apply, FREED, detail, by_person=True)
            return await unit.runs.move_job(job, JobState.FREED)

    async def _check_dead(self, apply: Job, tool: Tool, entries: tuple[JournalEntry, ...]) -> None:
        """No lock is broken while the tool that holds it may still run."""
        place, host = place_in(entries, apply.id)
        if place != place_of(self._world.settings.jobs_dir.parent).id:
            raise ApplyRanElsewhere(host or "another machine")
        if (await tool.trace(self._directory(apply))).running:
            raise ToolStillRuns

    # --- both ----------------------------------------------------------------------------

    def _directory(self, job: Job) -> Path:
        """Of a job of any process of this machine; our own place when there is none."""
        own = self._world.settings.jobs_dir
        return next(own.parent.glob(f"*/{job.id}"), own / job.id)

    @asynccontextmanager
    async def _surroundings(self, run: Run, job: Job, tool: Tool) -> AsyncIterator[ToolRun]:
        """The interrupted run's commit, initialised as its workflow does it."""
        world = self._world
        way = await way_of(world, self._checkouts, run, job)
        _, worktree = await self._checkouts.worktree(run)
        with job_directory(world.settings.jobs_dir, job) as data_dir:
            surroundings = ToolRun(
                root=worktree / job.project.dir,
                data_dir=data_dir,
                workspace=job.project.workspace,
                environment=world.settings.tool_environment,
                timeout=world.settings.job_timeout,
            )
            stage = await way.stage("plan", tool, world.redactor, surroundings)
            await stage.perform(way.recipe.looking)
            yield stage.run

    async def _write(
        self,
        unit: UnitOfWork,
        run: Run,
        apply: Job,
        action: str,
        detail: str,
        by_person: bool = False,
    ) -> None:
        detail = self._world.redactor.redact(detail)
        await unit.journal.write(self._entry(run, apply, action, detail, by_person))

    def _entry(
        self, run: Run, apply: Job, action: str, detail: str, by_person: bool = False
    ) -> JournalEntry:
        actor = run.ask.actor if by_person else None
        return JournalEntry(self._world.clock.now(), run.pull, actor, apply.id, action, detail)
