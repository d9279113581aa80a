"""A job's row, and the two questions that guard it: is it still ours, has its apply begun?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from prbot.adapters.store_tables import intents, jobs
from prbot.adapters.store_transaction import Transaction
from prbot.errors.runs import LostLease
from prbot.model import JobId, PlanId, ProjectKey, RunId
from prbot.runs.run import Job, JobKind, JobState


async def hold_job(db: Transaction, job: Job) -> None:
    """Keep the job as it is until this transaction ends, or raise LostLease.

    Lost when its state or its fence is no longer `job`'s. The row lock matters where
    several write at once (PostgreSQL); SQLite has one writer and knows none.
    """
    mine = (jobs.c.id == job.id, jobs.c.state == job.state, jobs.c.fence == job.fence)
    row = await db.execute(select(jobs.c.seq).where(*mine).with_for_update(key_share=True))
    if row.one_or_none() is None:
        raise LostLease(f"job {job.id}")


async def unsettled_intent(db: Transaction, job_id: JobId) -> PlanId | None:
    """The plan whose apply this job began, or may have begun, and nobody has settled."""
    open_intent = (intents.c.job_id == job_id, intents.c.outcome.is_(None))
    plan_id: PlanId | None = (
        await db.execute(select(intents.c.plan_id).where(*open_intent))
    ).scalar()
    return plan_id


def job_values(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "run_id": job.run_id,
        "dir": job.project.dir,
        "workspace": job.project.workspace,
        "kind": job.kind,
        "state": job.state,
        "fence": job.fence,
        "reviewed": job.reviewed,
        "worker": job.worker,
        "lease_until": job.lease_until,
        "stop_asked": job.stop_asked,
        **result_values(job),
    }


def result_values(job: Job) -> dict[str, Any]:
    """What carrying a job out adds to it."""
    return {"plan_id": job.plan_id, "trouble": job.trouble, "differences": job.differences}


def read_job(row: Row[Any]) -> Job:
    return Job(
        id=JobId(row.id),
        run_id=RunId(row.run_id),
        project=ProjectKey(row.dir, row.workspace),
        kind=JobKind(row.kind),
        state=JobState(row.state),
        plan_id=row.plan_id,
        reviewed=row.reviewed,
        trouble=row.trouble,
        differences=row.differences,
        fence=row.fence,
        worker=row.worker,
        lease_until=row.lease_until,
        stop_asked=row.stop_asked,
    )
