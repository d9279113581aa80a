"""Who did what: lines are only ever added (the database itself refuses anything else)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, or_, select

from prbot.adapters.store_tables import journal
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import is_pull, pull_values, read_pull
from prbot.model import PullRef
from prbot.ports.store import JournalEntry
from prbot.runs.journal import JournalLine, JournalPage, JournalQuery

PAGE = 500
"""Lines."""
PART = 20_000
"""Numbers looked through in one transaction: on SQLite everybody else waits as long."""
_NO_PULL = {"forge": "", "repo": "", "number": 0}
"""The columns are as old as the table, where every line was about a pull request."""


@dataclass(frozen=True)
class SqlJournal:
    """The journal inside one transaction."""

    db: Transaction

    async def write(self, entry: JournalEntry) -> None:
        await self.db.execute(
            insert(journal).values(
                at=entry.at,
                **(pull_values(entry.pull) if entry.pull else _NO_PULL),
                actor=entry.actor,
                subject=entry.subject,
                action=entry.action,
                detail=entry.detail,
                commit=entry.commit,
                plan_id=entry.plan_id,
                approvals=entry.approvals or None,
            )
        )

    async def of_pull(self, pull: PullRef) -> tuple[JournalEntry, ...]:
        rows = await self.db.execute(
            select(journal).where(is_pull(journal, pull)).order_by(journal.c.seq)
        )
        return tuple(_entry(row) for row in rows)

    async def page(
        self, query: JournalQuery, after: int = 0, limit: int = PAGE, part: int = PART
    ) -> JournalPage:
        end = after + part
        rows = await self.db.execute(
            select(journal)
            .where(journal.c.seq > after, journal.c.seq <= end, *_conditions(query))
            .order_by(journal.c.seq)
            .limit(limit)
        )
        lines = tuple(JournalLine(row.seq, _entry(row)) for row in rows)
        looked = lines[-1].number if len(lines) == limit else end
        newest = (await self.db.execute(select(func.max(journal.c.seq)))).scalar() or 0
        return JournalPage(lines, looked if looked < newest else None)


def _conditions(query: JournalQuery) -> Iterator[ColumnElement[bool]]:
    columns = journal.c
    if query.forge is not None:
        yield columns.forge == query.forge
    if query.repo is not None:
        yield func.lower(columns.repo) == query.repo.lower()
    if query.number is not None:
        yield columns.number == query.number
    if query.actor is not None:
        yield func.lower(columns.actor) == query.actor.lower()
    if query.action is not None:
        yield func.lower(columns.action).startswith(query.action.lower(), autoescape=True)
    if query.since is not None:
        yield columns.at >= query.since
    if query.until is not None:
        yield columns.at < query.until
    if query.plan is not None:
        yield or_(columns.plan_id == query.plan, columns.subject == query.plan)


def _entry(row: Row[Any]) -> JournalEntry:
    pull = read_pull(row) if row.forge else None
    return JournalEntry(
        row.at,
        pull,
        row.actor,
        row.subject,
        row.action,
        row.detail,
        row.commit,
        row.plan_id,
        row.approvals or (),
    )
