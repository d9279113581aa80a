"""Runs and their jobs: every move conditional, every move in the journal.

A run moves on its old state and is acted on in its version; a job moves on its old state
and its fence. The fence grows each time a job starts, so that a worker that was given up
for dead and wakes again cannot report anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, insert, or_, select, update

from prbot.adapters.store_jobs import (
    hold_job,
    job_values,
    read_job,
    result_values,
    unsettled_intent,
)
from prbot.adapters.store_journal import SqlJournal
from prbot.adapters.store_outbox import comments_of_runs
from prbot.adapters.store_tables import jobs, runs
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import is_pull, is_repo, pull_values, read_pull
from prbot.errors.runs import IllegalTransition, LostLease
from prbot.model import Checkout, JobId, Notice, ProjectKey, PullRef, RepoRef, RunId
from prbot.ports.clock import Clock
from prbot.ports.store import Held, JournalEntry
from prbot.projects.gone import Gone
from prbot.runs.journal import asked
from prbot.runs.run import (
    Job,
    JobKind,
    JobState,
    Placed,
    Run,
    RunState,
    Trouble,
    check_job_move,
    check_run_move,
)

UNFINISHED = tuple(state for state in RunState if not state.finished)


@dataclass(frozen=True)
class SqlRuns:
    """Runs and jobs inside one transaction."""

    db: Transaction
    clock: Clock
    journal: SqlJournal

    async def add(self, run: Run) -> None:
        await self.db.execute(insert(runs).values(_run_values(run)))
        await self._tell_run(run.id, f"run {run.state}", asked(run.ask))
        for job in run.jobs:
            await self.add_job(job)

    async def get(self, run_id: RunId) -> Run:
        row = (await self.db.execute(select(runs).where(runs.c.id == run_id))).one_or_none()
        if row is None:
            raise KeyError(run_id)
        return _run(row, await self._jobs(jobs.c.run_id == run_id))

    async def unfinished(self) -> tuple[RunId, ...]:
        ids = select(runs.c.id).where(runs.c.state.in_(UNFINISHED)).order_by(runs.c.seq)
        return tuple((await self.db.execute(ids)).scalars())

    async def of_pull(self, pull: PullRef) -> tuple[Run, ...]:
        told = await self._told_at(pull)
        found = await self._runs(is_pull(runs, pull))
        return tuple(replace(run, told_at=told.get(run.id)) for run in reversed(found))

    async def of_repo_unfinished(self, repo: RepoRef) -> tuple[Run, ...]:
        return await self._runs(and_(is_repo(runs, repo), runs.c.state.in_(UNFINISHED)))

    async def act_on(self, run: Run) -> Run:
        acted = await self.db.execute(
            update(runs)
            .where(runs.c.id == run.id, runs.c.version == run.version)
            .where(runs.c.state.in_(UNFINISHED))
            .values(version=run.version + 1)
        )
        if acted.rowcount != 1:
            raise LostLease(f"run {run.id}")
        return replace(run, version=run.version + 1)

    async def _told_at(self, pull: PullRef) -> dict[str, datetime]:
        """When all comments of a run were written; runs that still have some are left out."""
        told: dict[str, datetime | None] = {}
        for row in await self.db.execute(comments_of_runs(pull)):
            run_id, written = row.id, row.written
            last = told.get(run_id, written)
            told[run_id] = None if last is None or written is None else max(last, written)
        return {run_id: at for run_id, at in told.items() if at is not None}

    async def lay_out(
        self,
        run_id: RunId,
        checkout: Checkout,
        projects: tuple[ProjectKey, ...] | None,
        placed: tuple[Placed, ...] = (),
        notices: tuple[Notice, ...] = (),
        gone: tuple[Gone, ...] = (),
    ) -> None:
        values = {
            "checkout": checkout,
            "projects": projects,
            "placed": placed,
            "notices": notices,
            "gone": gone,
        }
        await self.db.execute(update(runs).where(runs.c.id == run_id).values(**values))

    async def move(
        self, run_id: RunId, old: RunState, new: RunState, trouble: Trouble | None = None
    ) -> None:
        check_run_move(old, new)
        moved = await self.db.execute(
            update(runs)
            .where(runs.c.id == run_id, runs.c.state == old)
            .values(state=new, trouble=trouble)
        )
        if moved.rowcount != 1:
            raise LostLease(f"run {run_id}")
        await self._tell_run(run_id, f"run {old}->{new}", trouble.sentence if trouble else "")

    async def add_job(self, job: Job) -> None:
        await self.db.execute(insert(jobs).values(job_values(job)))
        await self._tell_job(job, f"{job.kind} job {job.state}")

    async def get_job(self, job_id: JobId) -> Job:
        found = await self._jobs(jobs.c.id == job_id)
        if not found:
            raise KeyError(job_id)
        return found[0]

    async def waiting_jobs(self) -> tuple[Job, ...]:
        return await self._jobs(jobs.c.state == JobState.QUEUED)

    async def running_jobs(self) -> tuple[Job, ...]:
        return await self._jobs(jobs.c.state == JobState.RUNNING)

    async def start_job(self, job_id: JobId, worker: str, until: datetime) -> Job | None:
        started = await self.db.execute(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == JobState.QUEUED)
            .values(
                state=JobState.RUNNING, fence=jobs.c.fence + 1, worker=worker, lease_until=until
            )
        )
        if started.rowcount != 1:
            return None
        job = await self.get_job(job_id)
        await self._tell_job(job, f"{job.kind} job {JobState.QUEUED}->{job.state}")
        return job

    async def renew(self, worker: str, until: datetime) -> tuple[Held, ...]:
        mine = and_(jobs.c.worker == worker, jobs.c.state == JobState.RUNNING)
        in_order = select(jobs.c.seq).where(mine).order_by(jobs.c.seq)
        held = await self.db.execute(
            update(jobs)
            .where(jobs.c.seq.in_(in_order.with_for_update(key_share=True)), mine)
            .values(lease_until=until)
            .returning(jobs.c.id, jobs.c.stop_asked)
        )
        return tuple(Held(JobId(row.id), row.stop_asked) for row in held)

    async def ask_to_stop(self, job_id: JobId) -> None:
        asked = await self.db.execute(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == JobState.RUNNING, ~jobs.c.stop_asked)
            .values(stop_asked=True)
        )
        if asked.rowcount == 1:
            job = await self.get_job(job_id)
            await self._tell_job(job, f"{job.kind} job asked to stop")

    async def expired(self, now: datetime) -> tuple[Job, ...]:
        """Those that are just being renewed or moved are left alone."""
        over = or_(jobs.c.lease_until <= now, jobs.c.lease_until.is_(None))
        left = and_(jobs.c.state == JobState.RUNNING, over)
        rows = await self.db.execute(
            select(jobs)
            .where(left)
            .order_by(jobs.c.seq)
            .with_for_update(key_share=True, skip_locked=True)
        )
        return tuple(read_job(row) for row in rows)

    async def move_job(self, job: Job, new: JobState, result: Job | None = None) -> Job:
        check_job_move(job.kind, job.state, new)
        await hold_job(self.db, job)
        await self._check_not_begun(job, new)
        values = {"state": new, "lease_until": None} | (result_values(result) if result else {})
        await self.db.execute(update(jobs).where(jobs.c.id == job.id).values(values))
        moved = await self.get_job(job.id)
        await self._tell_job(moved, f"{job.kind} job {job.state}->{new}")
        return moved

    async def _check_not_begun(self, job: Job, new: JobState) -> None:
        """An apply that may have begun is never queued again, nor said to be dropped."""
        untouched = job.kind is JobKind.APPLY and (new is JobState.QUEUED or new.never_began)
        if untouched and await unsettled_intent(self.db, job.id) is not None:
            raise IllegalTransition("begun apply job", job.state, new)

    async def _runs(self, condition: ColumnElement[bool]) -> tuple[Run, ...]:
        """With their jobs, oldest first."""
        rows = (await self.db.execute(select(runs).where(condition).order_by(runs.c.seq))).all()
        theirs: dict[RunId, list[Job]] = {RunId(row.id): [] for row in rows}
        for job in await self._jobs(jobs.c.run_id.in_(select(runs.c.id).where(condition))):
            theirs.setdefault(job.run_id, []).append(job)
        return tuple(_run(row, tuple(theirs[RunId(row.id)])) for row in rows)

    async def _jobs(self, condition: ColumnElement[bool]) -> tuple[Job, ...]:
        rows = await self.db.execute(select(jobs).where(condition).order_by(jobs.c.seq))
        return tuple(read_job(row) for row in rows)

    async def _tell_run(self, run_id: RunId, action: str, detail: str) -> None:
        row = (await self.db.execute(select(runs).where(runs.c.id == run_id))).one()
        line = _line(self.clock, row, run_id, action, detail)
        await self.journal.write(replace(line, plan_id=row.ask.plan_id))

    async def _tell_job(self, job: Job, action: str) -> None:
        row = (await self.db.execute(select(runs).where(runs.c.id == job.run_id))).one()
        detail = f"{job.project}: {job.trouble.sentence}" if job.trouble else str(job.project)
        line = _line(self.clock, row, job.id, action, detail)
        await self.journal.write(replace(line, plan_id=job.plan_id or job.reviewed))


def _line(clock: Clock, run: Row[Any], subject: str, action: str, detail: str) -> JournalEntry:
    """A line in the name of whoever asked for the run."""
    actor, commit = run.ask.actor, run.checkout.head if run.checkout else run.ask.head_sha
    return JournalEntry(clock.now(), read_pull(run), actor, subject, action, detail, commit)


def _run_values(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        **pull_values(run.pull),
        "state": run.state,
        "created_at": run.created_at,
        "ask": run.ask,
        "checkout": run.checkout,
        "projects": run.projects,
        "trouble": run.trouble,
        "version": run.version,
        "placed": run.placed,
        "notices": run.notices,
        "gone": run.gone,
    }


def _run(row: Row[Any], its_jobs: tuple[Job, ...]) -> Run:
    return Run(
        id=RunId(row.id),
        pull=read_pull(row),
        ask=row.ask,
        created_at=row.created_at,
        state=RunState(row.state),
        checkout=row.checkout,
        projects=row.projects,
        trouble=row.trouble,
        jobs=its_jobs,
        version=row.version,
        placed=row.placed or (),
        notices=row.notices or (),
        gone=row.gone or (),
    )
