"""Letters still to be written on the forge, in order within each pull request.

A letter waits until it is sent or given up. While the oldest of a pull request is
postponed the later ones wait behind it, whenever they would be due themselves: people
must never see an old text written over a newer one.

Who takes a letter in hand leases it: `due_at` moves to the end of the lease, so that a
letter whose process died comes due again by itself. `worker` is null unless it is leased.

A status is passed over, which costs no call, when the forge shows it already, when a
later one for the same commit and name waits behind it (only the end state matters), and
when it would take back one that was never written.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, select, update

from prbot.adapters.store_dialect import insert_once, one_at_a_time
from prbot.adapters.store_statuses import ShownStatuses
from prbot.adapters.store_tables import comments, outbox, runs
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import is_pull, pull_values, read_pull
from prbot.model import PullRef
from prbot.ports.clock import Clock
from prbot.ports.forge import StatusState
from prbot.ports.outbox import (
    CommentLetter,
    FoldLetter,
    IssueCommentLetter,
    IssueLetter,
    Letter,
    OutboxRow,
    StatusLetter,
)

_waits = outbox.c.settled_at.is_(None)


@dataclass(frozen=True)
class SqlOutbox:
    """The outbox inside one transaction."""

    db: Transaction
    clock: Clock

    async def put(self, key: str, pull: PullRef, letter: Letter, at: datetime) -> None:
        await one_at_a_time(self.db, f"outbox {pull}")
        row = {"key": key, **pull_values(pull), "letter": letter, "due_at": at, "attempts": 0}
        await insert_once(self.db, outbox, row)

    async def newest_key(self, prefix: str) -> str | None:
        mine = outbox.c.key.startswith(prefix, autoescape=True)
        newest = select(outbox.c.key).where(mine).order_by(outbox.c.seq.desc()).limit(1)
        key: str | None = (await self.db.execute(newest)).scalar()
        return key

    async def waits(self, prefix: str) -> bool:
        mine = and_(_waits, outbox.c.key.startswith(prefix, autoescape=True))
        found = await self.db.execute(select(outbox.c.seq).where(mine).limit(1))
        return found.scalar() is not None

    async def due(self, now: datetime, worker: str, until: datetime) -> tuple[OutboxRow, ...]:
        rows = await self.db.execute(
            select(outbox)
            .where(outbox.c.seq.in_(_first_of_each_pull()), _waits, outbox.c.due_at <= now)
            .order_by(outbox.c.seq)
            .with_for_update(skip_locked=True)
        )
        found = [await self._first_to_write(row, now) for row in rows.all()]
        return tuple([await self._lease(row, worker, until) for row in found if row is not None])

    async def renew(self, worker: str, until: datetime, rows: Collection[int]) -> None:
        mine = and_(_waits, outbox.c.worker == worker, outbox.c.seq.in_(rows))
        await self.db.execute(update(outbox).where(mine).values(due_at=until))

    async def release(self, now: datetime) -> None:
        leased = and_(_waits, outbox.c.worker.is_not(None))
        await self.db.execute(update(outbox).where(leased).values(due_at=now, worker=None))

    async def next_due(self) -> datetime | None:
        earliest = select(func.min(outbox.c.due_at)).where(outbox.c.seq.in_(_first_of_each_pull()))
        due_at: datetime | None = (await self.db.execute(earliest)).scalar()
        return due_at

    async def sent(self, row: OutboxRow, forge_id: int | None, at: datetime) -> bool:
        if not await self._change(row, settled_at=at, why=None):
            return False
        if forge_id is not None and isinstance(row.letter, CommentLetter | IssueLetter):
            await self._remember(row.pull, row.letter.marker, forge_id)
        if isinstance(row.letter, StatusLetter):
            await ShownStatuses(self.db).written(row.pull, row.letter)
        return True

    async def postpone(self, row: OutboxRow, until: datetime, why: str) -> bool:
        more = outbox.c.attempts + 1
        return await self._change(row, due_at=until, why=why, attempts=more)

    async def give_up(self, row: OutboxRow, why: str) -> bool:
        return await self._change(row, settled_at=self.clock.now(), why=why)

    async def _first_to_write(self, row: Row[Any] | None, now: datetime) -> Row[Any] | None:
        """This letter or a later one of its pull request; those before it are passed over."""
        while row is not None and (why := await self._why_needless(row)):
            passed = update(outbox).where(outbox.c.seq == row.seq)
            await self.db.execute(passed.values(settled_at=now, worker=None, why=why))
            behind = _waiting_behind(row).where(outbox.c.due_at <= now).limit(1)
            row = (await self.db.execute(behind)).first()
        return row

    async def _why_needless(self, row: Row[Any]) -> str | None:
        letter = row.letter
        if not isinstance(letter, StatusLetter):
            return None
        later = (await self.db.execute(_waiting_behind(row))).all()
        if any(_overtakes(each.letter, letter) for each in later):
            return "overtaken"
        statuses, pull = ShownStatuses(self.db), read_pull(row)
        if letter.state is StatusState.NEUTRAL and not await statuses.was_tried(pull, letter):
            return "never shown"
        return "shown already" if await statuses.shows(pull, letter) else None

    async def _lease(self, row: Row[Any], worker: str, until: datetime) -> OutboxRow:
        fence = row.fence + 1
        leased = {"due_at": until, "worker": worker, "fence": fence}
        await self.db.execute(update(outbox).where(outbox.c.seq == row.seq).values(leased))
        pull, letter = read_pull(row), row.letter
        if isinstance(letter, StatusLetter):
            await ShownStatuses(self.db).in_hand(pull, letter)
        known = await self._known(pull, marker) if (marker := _marker(letter)) else None
        return OutboxRow(row.seq, pull, letter, row.attempts, known, fence)

    async def _change(self, row: OutboxRow, **values: Any) -> bool:
        """Let go of a letter that is still ours; False when it is not."""
        ours = and_(outbox.c.seq == row.id, outbox.c.fence == row.fence, _waits)
        changed = await self.db.execute(update(outbox).where(ours).values(worker=None, **values))
        return changed.rowcount == 1

    async def _known(self, pull: PullRef, marker: str) -> int | None:
        same = and_(is_pull(comments, pull), comments.c.marker == marker)
        found: int | None = (
            await self.db.execute(select(comments.c.forge_id).where(same))
        ).scalar()
        return found

    async def _remember(self, pull: PullRef, marker: str, forge_id: int) -> None:
        same = and_(is_pull(comments, pull), comments.c.marker == marker)
        new = {**pull_values(pull), "marker": marker, "forge_id": forge_id}
        if not await insert_once(self.db, comments, new):
            await self.db.execute(update(comments).where(same).values(forge_id=forge_id))


def _marker(letter: Letter) -> str | None:
    """Of the comment or issue that the letter is about."""
    if isinstance(letter, FoldLetter):
        return letter.folds
    if isinstance(letter, IssueCommentLetter):
        return letter.issue
    return letter.marker if isinstance(letter, CommentLetter | IssueLetter) else None


def _waiting_behind(row: Row[Any]) -> Select[Any]:
    mine = and_(is_pull(outbox, read_pull(row)), _waits, outbox.c.seq > row.seq)
    return select(outbox).where(mine).order_by(outbox.c.seq)


def _overtakes(later: Letter, letter: StatusLetter) -> bool:
    if not isinstance(later, StatusLetter):
        return False
    return (later.sha, later.context) == (letter.sha, letter.context)


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
        .where(_waits)
        .group_by(outbox.c.forge, outbox.c.repo, outbox.c.number)
    )
