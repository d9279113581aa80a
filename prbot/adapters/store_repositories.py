"""Repositories as this database met them, and whose turn it is to ask about them.

Whoever starts runs of a repository holds its row until its transaction ends, so that two
processes which hear of the same comment cannot both start its run: the second one finds
the run of the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from prbot.adapters.store_dialect import insert_once
from prbot.adapters.store_tables import repositories
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import is_repo
from prbot.model import RepoRef
from prbot.ports.store import Seen


@dataclass(frozen=True)
class SqlRepositories:
    """Repositories inside one transaction."""

    db: Transaction

    async def hold(self, repo: RepoRef, now: datetime) -> Seen:
        row = await self._row(repo, now)
        return Seen(row.seen_at, row.reconciled_at)

    async def claim(
        self, repo: RepoRef, now: datetime, until: datetime, unless_since: datetime
    ) -> Seen | None:
        row = await self._row(repo, now)
        busy = row.busy_until is not None and row.busy_until > now
        if busy or (row.reconciled_at is not None and row.reconciled_at > unless_since):
            return None
        mine = is_repo(repositories, repo)
        await self.db.execute(update(repositories).where(mine).values(busy_until=until))
        return Seen(row.seen_at, row.reconciled_at)

    async def reconciled(self, repo: RepoRef, at: datetime) -> None:
        await self.db.execute(
            update(repositories)
            .where(is_repo(repositories, repo))
            .values(busy_until=None, reconciled_at=at)
        )

    async def _row(self, repo: RepoRef, now: datetime) -> Row[Any]:
        values = {"forge": repo.forge, "repo": repo.path, "seen_at": now}
        await insert_once(self.db, repositories, values)
        # SQLite, which has one writer at a time, is not told of locks
        locked = select(repositories).where(is_repo(repositories, repo)).with_for_update()
        return (await self.db.execute(locked)).one()
