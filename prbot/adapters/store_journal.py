"""Who did what: lines are only ever added (the database itself refuses anything else)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select

from prbot.adapters.store_tables import journal
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import is_pull, pull_values, read_pull
from prbot.model import PullRef
from prbot.ports import JournalEntry


@dataclass(frozen=True)
class SqlJournal:
    """The journal inside one transaction."""

    db: Transaction

    async def write(self, entry: JournalEntry) -> None:
        await self.db.execute(
            insert(journal).values(
                at=entry.at,
                **pull_values(entry.pull),
                actor=entry.actor,
                subject=entry.subject,
                action=entry.action,
                detail=entry.detail,
            )
        )

    async def of_pull(self, pull: PullRef) -> tuple[JournalEntry, ...]:
        rows = await self.db.execute(
            select(journal).where(is_pull(journal, pull)).order_by(journal.c.seq)
        )
        return tuple(_entry(row) for row in rows)


def _entry(row: Row[Any]) -> JournalEntry:
    return JournalEntry(row.at, read_pull(row), row.actor, row.subject, row.action, row.detail)
