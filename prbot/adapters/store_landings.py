"""What merged pull requests have left to apply. Rows stay when they are settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, or_, select, update

from prbot.adapters.store_dialect import insert_once
from prbot.adapters.store_tables import landings
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import is_pull, is_repo, pull_values, read_pull
from prbot.model import ProjectKey, PullRef, Sha
from prbot.runs.landings import Landing


@dataclass(frozen=True)
class SqlLandings:
    """Landings inside one transaction."""

    db: Transaction

    async def of(self, pull: PullRef) -> tuple[Landing, ...]:
        other, here = landings.alias(), is_repo(landings, pull.repo)
        last = (
            select(func.max(other.c.settled_at))
            .where(
                and_(other.c.forge == landings.c.forge, other.c.repo == landings.c.repo),
                and_(other.c.dir == landings.c.dir, other.c.workspace == landings.c.workspace),
            )
            .scalar_subquery()
        )
        wanted = or_(
            landings.c.settled_at.is_(None),
            landings.c.settled_at == last,
            is_pull(landings, pull),
        )
        rows = await self.db.execute(select(landings).where(here, wanted).order_by(landings.c.seq))
        return tuple(_landing(row) for row in rows)

    async def add(self, landing: Landing) -> None:
        await insert_once(self.db, landings, {**_key(landing), "at": landing.at})

    async def settle(self, landing: Landing, by: PullRef, at: datetime) -> None:
        key = [landings.c[name] == value for name, value in _key(landing).items()]
        open_ = landings.c.settled_at.is_(None)
        settled = {"settled_at": at, "settled_by": by.number}
        await self.db.execute(update(landings).where(*key, open_).values(settled))


def _key(landing: Landing) -> dict[str, Any]:
    return {
        **pull_values(landing.pull),
        "dir": landing.project.dir,
        "workspace": landing.project.workspace,
        "commit": landing.commit,
    }


def _landing(row: Row[Any]) -> Landing:
    pull = read_pull(row)
    by = None if row.settled_by is None else PullRef(pull.repo, row.settled_by)
    return Landing(pull, ProjectKey(row.dir, row.workspace), Sha(row.commit), row.at, by)
