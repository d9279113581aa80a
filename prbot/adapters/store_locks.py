"""Who holds which project. One row per held project; no row, no lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, select

from prbot.adapters.store_dialect import insert_once
from prbot.adapters.store_tables import locks
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import is_pull, is_repo, pull_values, read_pull
from prbot.model import Login, ProjectKey, PullRef, RepoRef
from prbot.runs.locks import Lock


@dataclass(frozen=True)
class SqlLocks:
    """Locks inside one transaction."""

    db: Transaction

    async def of_repo(self, repo: RepoRef) -> tuple[Lock, ...]:
        rows = await self.db.execute(
            select(locks).where(is_repo(locks, repo)).order_by(locks.c.seq)
        )
        return tuple(_lock(row) for row in rows)

    async def take(self, lock: Lock) -> Lock:
        if lock.holder.repo != lock.repo:
            raise ValueError(f"{lock.holder} cannot hold a project of {lock.repo}")
        while True:
            await insert_once(self.db, locks, _values(lock))
            held = await self._held(lock)
            if held is not None:  # else it was freed between the two statements
                return held

    async def free(self, pull: PullRef, projects: Sequence[ProjectKey]) -> None:
        for project in sorted(projects):
            await self.db.execute(delete(locks).where(is_pull(locks, pull), _is_project(project)))

    async def _held(self, lock: Lock) -> Lock | None:
        """Whoever holds the project; kept so until this transaction ends."""
        rows = await self.db.execute(
            select(locks)
            .where(is_repo(locks, lock.repo), _is_project(lock.project))
            .with_for_update()
        )
        row = rows.one_or_none()
        return None if row is None else _lock(row)


def _values(lock: Lock) -> dict[str, Any]:
    return {
        **pull_values(lock.holder),
        "dir": lock.project.dir,
        "workspace": lock.project.workspace,
        "actor": lock.actor,
        "since": lock.since,
    }


def _is_project(project: ProjectKey) -> ColumnElement[bool]:
    return and_(locks.c.dir == project.dir, locks.c.workspace == project.workspace)


def _lock(row: Row[Any]) -> Lock:
    pull = read_pull(row)
    project = ProjectKey(row.dir, row.workspace)
    return Lock(pull.repo, project, pull, Login(row.actor), row.since)
