"""Letters still to be written on the forge, in order within each pull request.

A letter waits until it is sent or given up. While the oldest of a pull request is
postponed the later ones wait behind it, whenever they would be due themselves: people
must never see an old text written over a newer one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, Update, and_, case, func, select, update

from prbot.adapters.store_tables import comments, outbox, runs
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import insert_once, is_pull, pull_values, read_pull
from prbot.model import PullRef
from prbot.ports import Clock, CommentLetter, Letter, OutboxRow


@dataclass(frozen=True)
class SqlOutbox:
    """The outbox inside one transaction."""

    db: Transaction
    clock: Clock

    async def put(self, key: str, pull: PullRef, letter: Letter, at: datetime) -> None:
        row = {"key": key, **pull_values(pull), "letter": letter, "due_at": at, "attempts": 0}
        await insert_once(self.db, outbox, row)

    async def due(self, now: datetime) -> tuple[OutboxRow, ...]:
        rows = await self.db.execute(
            select(outbox)
            .where(outbox.c.seq.in_(_first_of_each_pull()), outbox.c.due_at <= now)
            .order_by(outbox.c.seq)
        )
        return tuple([await self._read(row) for row in rows.all()])

    async def next_due(self) -> datetime | None:
        earliest = select(func.min(outbox.c.due_at)).where(outbox.c.seq.in_(_first_of_each_pull()))
        due_at: datetime | None = (await self.db.execute(earliest)).scalar()
        return due_at

    async def sent(self, row: OutboxRow, forge_id: int | None, at: datetime) -> None:
        await self.db.execute(_waiting(row).values(settled_at=at, why=None))
        if forge_id is not None and isinstance(row.letter, CommentLetter):
            await self._remember(row.pull, row.letter.marker, forge_id)

    async def postpone(self, row: OutboxRow, until: datetime, why: str) -> None:
        more = outbox.c.attempts + 1
        await self.db.execute(_waiting(row).values(due_at=until, why=why, attempts=more))

    async def give_up(self, row: OutboxRow, why: str) -> None:
        await self.db.execute(_waiting(row).values(settled_at=self.clock.now(), why=why))

    async def _read(self, row: Row[Any]) -> OutboxRow:
        pull, letter = read_pull(row), row.letter
        known = await self._known(pull, letter) if isinstance(letter, CommentLetter) else None
        return OutboxRow(row.seq, pull, letter, row.attempts, known)

    async def _known(self, pull: PullRef, letter: CommentLetter) -> int | None:
        same = and_(is_pull(comments, pull), comments.c.marker == letter.marker)
        found: int | None = (
            await self.db.execute(select(comments.c.forge_id).where(same))
        ).scalar()
        return found

    async def _remember(self, pull: PullRef, marker: str, forge_id: int) -> None:
        same = and_(is_pull(comments, pull), comments.c.marker == marker)
        new = {**pull_values(pull), "marker": marker, "forge_id": forge_id}
        if not await insert_once(self.db, comments, new):
            await self.db.execute(update(comments).where(same).values(forge_id=forge_id))


def comments_of_runs(pull: PullRef) -> Select[Any]:
    """(run, when it was written or None) of each comment of the pull request's runs.

    A letter's key begins with its run, and a comment's goes on with `say`.
    """
    written = case((outbox.c.why.is_(None), outbox.c.settled_at)).label("written")
    mine = outbox.c.key.startswith(runs.c.id.concat(" say "))
    return select(runs.c.id, written).join(runs, mine).where(is_pull(outbox, pull))


def _first_of_each_pull() -> Select[Any]:
    return (
        select(func.min(outbox.c.seq))
        .where(outbox.c.settled_at.is_(None))
        .group_by(outbox.c.forge, outbox.c.repo, outbox.c.number)
    )


def _waiting(row: OutboxRow) -> Update:
    return update(outbox).where(outbox.c.seq == row.id, outbox.c.settled_at.is_(None))
