"""Saved plans, and the intents that make applies happen at most once.

An intent is recorded, and committed, before the tool starts; a plan has at most one in
its life. Who finds an intent that nobody settled knows that the apply may have begun.

A plan that is dropped is out of sight, but its row stays: its id, which stands in old
comments, must never come to mean another plan.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select, update

from prbot.adapters.store_dialect import insert_once
from prbot.adapters.store_jobs import hold_job, unsettled_intent
from prbot.adapters.store_journal import SqlJournal
from prbot.adapters.store_tables import intents, jobs, plans, runs
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import is_pull, is_repo, pull_values, read_pull
from prbot.errors.runs import IllegalTransition, LostLease
from prbot.errors.store import PlanIdTaken
from prbot.model import JobId, PlanId, ProjectKey, PullRef, RepoRef, RunId, Sha
from prbot.plans.record import StoredPlan, log_name
from prbot.ports.clock import Clock
from prbot.ports.store import JournalEntry
from prbot.runs.run import Job, JobKind, JobState

OUTCOMES = frozenset({"applied", "failed", "stale", "interrupted"})
"""How an apply may end. `stale` alone says for certain that nothing was changed."""

_begun = exists().where(
    intents.c.plan_id == plans.c.id,
    or_(intents.c.outcome.is_(None), intents.c.outcome != "stale"),
)

_young = plans.c.expired_at.is_(None)


@dataclass(frozen=True)
class SqlPlans:
    """Plans and intents inside one transaction."""

    db: Transaction
    clock: Clock
    journal: SqlJournal

    async def add(self, plan: StoredPlan) -> None:
        if not await insert_once(self.db, plans, _values(plan)):
            raise PlanIdTaken(plan.id)

    async def get(self, plan_id: PlanId) -> StoredPlan | None:
        row = (await self._visible(plans.c.id == plan_id)).one_or_none()
        return None if row is None else _plan(row)

    async def of_pull(self, pull: PullRef) -> tuple[StoredPlan, ...]:
        return tuple(_plan(row) for row in await self._visible(is_pull(plans, pull)))

    async def last_applied(self, repo: RepoRef, project: ProjectKey) -> StoredPlan | None:
        mine = and_(plans.c.dir == project.dir, plans.c.workspace == project.workspace)
        applied = and_(is_repo(plans, repo), mine, plans.c.applied_at.is_not(None))
        newest = (
            select(plans).where(applied).order_by(plans.c.applied_at.desc(), plans.c.seq.desc())
        )
        row = (await self.db.execute(newest.limit(1))).one_or_none()
        return None if row is None else _plan(row)

    async def newest_json(self, pull: PullRef) -> tuple[str, ...]:
        columns = (plans.c.dir, plans.c.workspace, plans.c.plan_json)
        kept = (is_pull(plans, pull), plans.c.dropped_at.is_(None))
        rows = await self.db.execute(select(*columns).where(*kept).order_by(plans.c.seq))
        return tuple({(row.dir, row.workspace): row.plan_json for row in rows}.values())

    async def holders(self, repo: RepoRef, projects: Collection[ProjectKey]) -> tuple[PullRef, ...]:
        dirs = {project.dir for project in projects}
        here = and_(is_repo(plans, repo), plans.c.dir.in_(dirs), ~_begun)
        rows = (await self._visible(here)).all()
        mine = (r for r in reversed(rows) if ProjectKey(r.dir, r.workspace) in projects)
        return tuple(dict.fromkeys(read_pull(row) for row in mine))

    async def drop_of_pull(self, pull: PullRef) -> tuple[str, ...]:
        return await self._drop(is_pull(plans, pull))

    async def older_than(self, moment: datetime) -> tuple[StoredPlan, ...]:
        rows = await self._visible(and_(plans.c.created_at < moment, ~_begun, _young))
        return tuple(_plan(row) for row in rows)[::-1]

    async def first_since(self, moment: datetime) -> datetime | None:
        here = and_(plans.c.dropped_at.is_(None), plans.c.created_at >= moment)
        kept = and_(here, ~_begun, _young)
        query = select(func.min(plans.c.created_at)).where(kept)
        made: datetime | None = (await self.db.execute(query)).scalar()
        return made

    async def expire(self, plan_ids: Sequence[PlanId], at: datetime) -> tuple[str, ...]:
        held = await self._hold_visible(and_(plans.c.id.in_(plan_ids), _young))
        rows = (await self._visible(and_(plans.c.seq.in_(held), ~_begun))).all()
        old = plans.c.seq.in_([row.seq for row in rows])
        await self.db.execute(update(plans).where(old).values(expired_at=at))
        return tuple(row.plan_file for row in rows)

    async def drop(self, plan_ids: Sequence[PlanId]) -> tuple[str, ...]:
        return await self._drop(plans.c.id.in_(plan_ids))

    async def intend(self, plan_id: PlanId, job: Job, at: datetime) -> bool:
        if (job.kind, job.state) != (JobKind.APPLY, JobState.RUNNING):
            raise IllegalTransition(f"{job.kind} job", job.state, "applying")
        await hold_job(self.db, job)
        if not await self._hold_visible(plans.c.id == plan_id):
            return False
        intent = {"plan_id": plan_id, "job_id": job.id, "fence": job.fence, "at": at}
        if not await insert_once(self.db, intents, intent):
            return False
        await self._tell(plan_id, at, "apply intended", f"job {job.id}")
        return True

    async def intended(self, job: Job) -> PlanId | None:
        return await unsettled_intent(self.db, job.id)

    async def settle(self, plan_id: PlanId, outcome: str, applied_at: datetime | None) -> None:
        if outcome not in OUTCOMES:
            raise ValueError(f"an apply cannot end as {outcome!r}")
        await self._hold_applier(plan_id)
        now = self.clock.now()
        settled = await self.db.execute(
            update(intents)
            .where(intents.c.plan_id == plan_id, intents.c.outcome.is_(None))
            .values(outcome=outcome, settled_at=now)
        )
        if settled.rowcount != 1:
            raise LostLease(f"the apply of plan {plan_id}")
        mine = plans.c.id == plan_id
        await self.db.execute(update(plans).where(mine).values(applied_at=applied_at))
        await self._tell(plan_id, now, f"apply {outcome}", "")

    async def _drop(self, condition: ColumnElement[bool]) -> tuple[str, ...]:
        """Plans whose apply began stay, unless the tool refused them untouched: they are
        what a person needs who cleans up after a failed or interrupted apply.

        Looked for intents only when no apply can begin any more.
        """
        held = await self._hold_visible(condition)
        rows = (await self._visible(and_(plans.c.seq.in_(held), ~_begun))).all()
        gone = plans.c.seq.in_([row.seq for row in rows])
        await self.db.execute(update(plans).where(gone).values(dropped_at=self.clock.now()))
        beside = ((row.plan_file, row.plan_json, log_name(row.id)) for row in rows)
        return tuple(name for names in beside for name in names)

    async def _hold_visible(self, condition: ColumnElement[bool]) -> Sequence[int]:
        """Keep the rows not dropped that meet the condition until this transaction ends;
        returns their numbers. In one order, so that no two wait for one another."""
        query = select(plans.c.seq).where(condition, plans.c.dropped_at.is_(None))
        held = await self.db.execute(query.order_by(plans.c.seq).with_for_update(key_share=True))
        return held.scalars().all()

    async def _hold_applier(self, plan_id: PlanId) -> None:
        """The job before the intent: who moves the job and settles takes them so too."""
        its_job = select(intents.c.job_id).where(intents.c.plan_id == plan_id).scalar_subquery()
        await self.db.execute(
            select(jobs.c.seq).where(jobs.c.id == its_job).with_for_update(key_share=True)
        )

    async def _visible(self, condition: ColumnElement[bool]) -> Any:
        """The rows not dropped that meet the condition, newest first."""
        query = select(plans).where(condition, plans.c.dropped_at.is_(None))
        return await self.db.execute(query.order_by(plans.c.seq.desc()))

    async def _tell(self, plan_id: PlanId, at: datetime, action: str, detail: str) -> None:
        """A line in the name of whoever asked for the run that applies."""
        asked = (
            select(runs, plans.c.head)
            .join(jobs, jobs.c.run_id == runs.c.id)
            .join(intents, intents.c.job_id == jobs.c.id)
            .join(plans, plans.c.id == intents.c.plan_id)
            .where(intents.c.plan_id == plan_id)
        )
        row = (await self.db.execute(asked)).one()
        pull, actor = read_pull(row), row.ask.actor
        line = JournalEntry(at, pull, actor, plan_id, action, detail, row.head, plan_id)
        await self.journal.write(line)


def _values(plan: StoredPlan) -> dict[str, Any]:
    return {
        "id": plan.id,
        **pull_values(plan.pull),
        "dir": plan.project.dir,
        "workspace": plan.project.workspace,
        "run_id": plan.run_id,
        "job_id": plan.job_id,
        "head": plan.head,
        "base": plan.base,
        "commit": plan.commit,
        "hash": plan.hash,
        "inputs": plan.inputs,
        "summary": plan.summary,
        "plan_file": plan.plan_file,
        "plan_file_sha256": plan.plan_file_sha256,
        "plan_json": plan.plan_json,
        "state_is_lost": plan.state_is_lost,
        "created_at": plan.created_at,
        "applied_at": plan.applied_at,
        "state": plan.state,
        "expired_at": plan.expired_at,
        "providers": plan.providers,
    }


def _plan(row: Row[Any]) -> StoredPlan:
    return StoredPlan(
        id=PlanId(row.id),
        pull=read_pull(row),
        project=ProjectKey(row.dir, row.workspace),
        run_id=RunId(row.run_id),
        job_id=JobId(row.job_id),
        head=Sha(row.head),
        base=Sha(row.base),
        commit=Sha(row.commit),
        hash=row.hash,
        inputs=row.inputs,
        summary=row.summary,
        plan_file=row.plan_file,
        plan_file_sha256=row.plan_file_sha256,
        plan_json=row.plan_json,
        state_is_lost=row.state_is_lost,
        created_at=row.created_at,
        applied_at=row.applied_at,
        state=row.state,
        expired_at=row.expired_at,
        providers=row.providers or (),
    )
