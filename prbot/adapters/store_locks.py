"""Who holds which project. One row per held project; no row, no lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, select

from prbot.adapters.store_tables import locks
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import insert_once, is_pull, is_repo, pull_values, read_pull
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
        await insert_once(
            self.db,
            locks,
            {
                **pull_values(lock.holder),
                "dir": lock.project.dir,
                "workspace": lock.project.workspace,
                "actor": lock.actor,
                "since": lock.since,
            },
        )
        held = await self.db.execute(
            select(locks).where(is_repo(locks, lock.repo), _is_project(lock.project))
        )
        return _lock(held.one())

    async def free(self, pull: PullRef, projects: Sequence[ProjectKey]) -> None:
        for project in projects:
            await self.db.execute(delete(locks).where(is_pull(locks, pull), _is_project(project)))


def _is_project(project: ProjectKey) -> ColumnElement[bool]:
    return and_(locks.c.dir == project.dir, locks.c.workspace == project.workspace)


def _lock(row: Row[Any]) -> Lock:
    pull = read_pull(row)
    project = ProjectKey(row.dir, row.workspace)
    return Lock(pull.repo, project, pull, Login(row.actor), row.since)
