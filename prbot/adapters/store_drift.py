"""Which projects are checked for drift, when, and what the newest check of each found.

Whoever begins checks holds the watch until its transaction ends, so that two processes
cannot both find a project due; and a check is begun only where none is under way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Update, and_, case, func, or_, select, update

from prbot.adapters.store_dialect import insert_new, insert_once
from prbot.adapters.store_tables import drift_clock, drift_projects, drift_watches
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import is_repo
from prbot.drift.issue import Section
from prbot.drift.schedule import Reach
from prbot.drift.state import Standing, Trace, Watch
from prbot.drift.verdict import ProjectVerdict
from prbot.model import ProjectKey, RepoRef, RunId
from prbot.plans.record import Applied

WATCH = "watch"
ORDER = (drift_projects.c.dir, drift_projects.c.workspace)
FOUND = ("section", "applied", "trace")
"""Columns that are read by themselves: a thousand of them take a tenth of a second."""
TURN = [column for column in drift_projects.c if column.name not in FOUND]


@dataclass(frozen=True)
class SqlDriftChecks:
    """Checks inside one transaction."""

    db: Transaction

    async def hold(self, now: datetime, silence: timedelta) -> datetime:
        values = {"name": WATCH, "seen_at": now, "up_since": now}
        await insert_once(self.db, drift_clock, values)
        # SQLite, which has one writer at a time, is not told of locks
        row = (await self.db.execute(select(drift_clock).with_for_update())).one()
        since: datetime = row.up_since if now - row.seen_at <= silence else now
        seen = {"seen_at": max(now, row.seen_at), "up_since": since}
        await self.db.execute(update(drift_clock).values(seen))
        return since

    async def seen_at(self) -> datetime | None:
        seen: datetime | None = (await self.db.execute(select(drift_clock.c.seen_at))).scalar()
        return seen

    async def watches(self) -> tuple[Watch, ...]:
        rows = await self.db.execute(select(drift_watches).order_by(drift_watches.c.seq))
        return tuple(map(_watch, rows))

    async def watch(self, watch: Watch) -> None:
        values = {
            "branch": watch.branch,
            "refreshed_at": watch.refreshed_at,
            "skipped": watch.skipped,
            "baseline_at": watch.baseline_at,
        }
        key = {"forge": watch.repo.forge, "repo": watch.repo.path}
        if not await insert_once(self.db, drift_watches, {**key, **values}):
            mine = is_repo(drift_watches, watch.repo)
            await self.db.execute(update(drift_watches).where(mine).values(values))

    async def found(
        self, repo: RepoRef, projects: Mapping[ProjectKey, str | None], now: datetime
    ) -> tuple[Standing, ...]:
        known = {each.project: each for each in await self.of_repo(repo)}
        gone = tuple(each for each in known.values() if each.project not in projects)
        for each in gone:
            await self._change(repo, each.project, gone_at=now, trace=None, overdue_at=None)
        new = {"held": "", "known_at": now}
        rows = [
            {**_key(repo, project), "environment": environment, **new}
            for project, environment in projects.items()
            if project not in known
        ]
        columns = drift_projects.c
        came = await insert_new(self.db, drift_projects, rows, (columns.dir, columns.workspace))
        for project, environment in projects.items():
            if (project.dir, project.workspace) in came:
                continue
            if project in known and known[project].environment == environment:
                continue
            back: dict[str, Any] = {"environment": environment, "gone_at": None}
            if project not in known:  # it was away: nobody is late with it
                back["known_at"] = now
            await self._change(repo, project, **back)
        return gone

    async def of_repo(self, repo: RepoRef) -> tuple[Standing, ...]:
        query = select(drift_projects).where(_here(repo)).order_by(*ORDER)
        return tuple(map(_standing, await self.db.execute(query)))

    async def not_in_sync(self, repo: RepoRef, project: ProjectKey) -> tuple[Standing, ...]:
        told = drift_projects.c.verdict != ProjectVerdict.IN_SYNC.value
        mine = or_(told, _is(repo, project))
        query = select(drift_projects).where(_here(repo), mine).order_by(*ORDER)
        return tuple(map(_standing, await self.db.execute(query)))

    async def turns(self, repo: RepoRef) -> tuple[Standing, ...]:
        query = select(*TURN).where(_here(repo)).order_by(*ORDER)
        return tuple([_turn(repo, row) for row in await self.db.execute(query)])

    async def reach(self, repo: RepoRef, since: datetime) -> Reach:
        checked, held = drift_projects.c.checked_at, drift_projects.c.held
        done = func.coalesce(func.sum(case((checked >= since, 1), else_=0)), 0)
        coming = or_(drift_projects.c.asked_at.is_not(None), drift_projects.c.run_id.is_not(None))
        late = and_(held == "", or_(checked.is_(None), checked < since, coming))
        awaited = func.coalesce(func.sum(case((late, 1), else_=0)), 0)
        never = func.coalesce(func.sum(case((checked.is_(None), 1), else_=0)), 0)
        counts: Select[Any] = select(func.count(), done, never, func.min(checked), awaited)
        row = (await self.db.execute(counts.where(_here(repo)))).one()
        return Reach(*tuple(row))

    async def get(self, repo: RepoRef, project: ProjectKey) -> Standing | None:
        query = select(drift_projects).where(_is(repo, project))
        row = (await self.db.execute(query)).one_or_none()
        return None if row is None else _standing(row)

    async def plan(self, standing: Standing) -> None:
        await self._change(
            standing.repo,
            standing.project,
            due_at=standing.due_at,
            again_at=standing.again_at,
            held=standing.held,
            asked_at=standing.asked_at,
        )

    async def begin(self, standing: Standing, run: RunId) -> bool:
        free = drift_projects.c.run_id.is_(None)
        now: dict[str, Any] = {"run_id": run, "again_at": None, "held": "", "asked_at": None}
        now |= {"begun": drift_projects.c.begun + 1}
        return await self._change(standing.repo, standing.project, free, **now) == 1

    async def end(
        self, run: RunId, section: Section | None, at: datetime, applied: Applied | None
    ) -> Standing | None:
        mine = drift_projects.c.run_id == run
        query = select(drift_projects).where(mine).with_for_update()
        row = (await self.db.execute(query)).one_or_none()
        if row is None:
            return None
        after: dict[str, Any] = {"run_id": None}
        if section is not None:
            if section.trouble is None:
                after["overdue_at"] = None
            after |= {"checked_at": at, "section": section, "verdict": section.verdict.value}
            failed = {"failed": drift_projects.c.failed + 1}
            after |= {"succeeded_at": at} if section.trouble is None else failed
        if applied is not None:
            after["applied"] = applied
        await self.db.execute(update(drift_projects).where(mine).values(after))
        return _standing(row)

    async def trace(self, standing: Standing, trace: Trace) -> None:
        await self._change(standing.repo, standing.project, trace=trace)

    async def silent(self, since: datetime) -> tuple[Standing, ...]:
        c = drift_projects.c
        late = func.coalesce(c.succeeded_at, c.known_at) < since
        untold = and_(c.gone_at.is_(None), c.overdue_at.is_(None), late)
        query = select(drift_projects).where(untold).order_by(c.seq)
        return tuple(map(_standing, await self.db.execute(query)))

    async def overdue(self, standing: Standing, at: datetime) -> bool:
        untold = drift_projects.c.overdue_at.is_(None)
        changed = await self._change(standing.repo, standing.project, untold, overdue_at=at)
        return changed == 1

    async def under_way(self) -> tuple[Standing, ...]:
        query = select(drift_projects).where(drift_projects.c.run_id.is_not(None))
        return tuple(map(_standing, await self.db.execute(query.order_by(drift_projects.c.seq))))

    async def next_due(self) -> datetime | None:
        free = and_(drift_projects.c.run_id.is_(None), drift_projects.c.gone_at.is_(None))
        due: datetime | None = (
            await self.db.execute(select(func.min(drift_projects.c.due_at)).where(free))
        ).scalar()
        return due

    async def _change(
        self, repo: RepoRef, project: ProjectKey, *only: ColumnElement[bool], **values: Any
    ) -> int:
        change: Update = update(drift_projects).where(_is(repo, project), *only).values(values)
        return (await self.db.execute(change)).rowcount


def _here(repo: RepoRef) -> ColumnElement[bool]:
    return and_(is_repo(drift_projects, repo), drift_projects.c.gone_at.is_(None))


def _key(repo: RepoRef, project: ProjectKey) -> dict[str, Any]:
    return {
        "forge": repo.forge,
        "repo": repo.path,
        "dir": project.dir,
        "workspace": project.workspace,
    }


def _is(repo: RepoRef, project: ProjectKey) -> ColumnElement[bool]:
    return and_(*(drift_projects.c[n] == v for n, v in _key(repo, project).items()))


def _watch(row: Row[Any]) -> Watch:
    repo = RepoRef(row.forge, row.repo)
    return Watch(repo, row.branch, row.refreshed_at, row.skipped, row.baseline_at)


def _standing(row: Row[Any]) -> Standing:
    return replace(
        _turn(RepoRef(row.forge, row.repo), row),
        section=row.section,
        applied=row.applied,
        trace=row.trace or Trace(),
    )


def _turn(repo: RepoRef, row: Row[Any]) -> Standing:
    return Standing(
        repo=repo,
        project=ProjectKey(row.dir, row.workspace),
        number=row.seq,
        environment=row.environment,
        due_at=row.due_at,
        again_at=row.again_at,
        held=row.held,
        asked_at=row.asked_at,
        run=None if row.run_id is None else RunId(row.run_id),
        checked_at=row.checked_at,
        succeeded_at=row.succeeded_at,
        known_at=row.known_at,
        overdue_at=row.overdue_at,
        gone_at=row.gone_at,
    )
