"""The queue's table: what waits, what is in hand. `queue_sqlite.py` adds the waiting.

The same work waits at most once, and a key is in hand at most once; the table's own
unique indexes say so, whatever this code does.

Turns: of equally urgent messages that one goes first whose group was served longest ago,
and a group that was never served, or had nothing to do meanwhile, before all others. So
a pull request of one project waits for one job of one with 1,500, not for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from prbot.adapters.store_tables import queue, queue_turns
from prbot.adapters.store_transaction import Transaction
from prbot.model import JobId, RunId
from prbot.ports.queue import (
    NO_LIMITS,
    AdvanceRun,
    Claim,
    Limits,
    Message,
    PerformJob,
    Priority,
    Work,
)

_RANK = {priority.value: rank for rank, priority in enumerate(Priority)}
_rank = case(_RANK, value=queue.c.priority, else_=len(_RANK))
_waits = queue.c.claimed_at.is_(None)
_its_turn = and_(queue_turns.c.priority == queue.c.priority, queue_turns.c.group == queue.c.group)


@dataclass(frozen=True)
class QueueTable:
    """The queue inside one transaction."""

    db: Transaction
    limits: Limits = NO_LIMITS

    async def put(self, message: Message) -> None:
        """Add it, or bring the same waiting work forward: sooner and more urgent wins."""
        same = await self._waiting_twin(_kind(message.work), _subject(message.work))
        if same is None:
            await self.db.execute(insert(queue).values(_values(message)))
        else:
            await self._bring_forward(same, message.priority, message.not_before)

    async def take(self, now: datetime, among: frozenset[Priority]) -> Claim | None:
        """Take in hand the most urgent message whose time, key and repository allow it;
        among equals the one whose turn it is, then the oldest."""
        ready = or_(queue.c.not_before.is_(None), queue.c.not_before <= now)
        best = (
            select(queue)
            .outerjoin(queue_turns, _its_turn)
            .where(self._claimable(among), ready)
            .order_by(_rank, func.coalesce(queue_turns.c.turn, 0), queue.c.seq)
        )
        row = (await self.db.execute(best.limit(1))).one_or_none()
        if row is None:
            return None
        mine = queue.c.seq == row.seq
        await self.db.execute(update(queue).where(mine).values(claimed_at=now))
        await self._take_turn(row.priority, row.group)
        return Claim(row.seq, _message(row))

    async def next_ready(self, now: datetime, among: frozenset[Priority]) -> datetime | None:
        """When the next message becomes ready by time alone; None when none will."""
        later = select(func.min(queue.c.not_before)).where(
            self._claimable(among), queue.c.not_before > now
        )
        moment: datetime | None = (await self.db.execute(later)).scalar()
        return moment

    async def finish(self, claim_id: int) -> None:
        await self.db.execute(delete(queue).where(_in_hand(claim_id)))

    async def give_back(self, claim_id: int, not_before: datetime | None) -> None:
        """Let it wait again, or let go of it when the same work was put meanwhile."""
        row = (await self.db.execute(select(queue).where(_in_hand(claim_id)))).one_or_none()
        if row is None:
            return
        if await self._waiting_twin(row.kind, row.subject) is not None:
            await self.finish(claim_id)
            return
        back = {"claimed_at": None, "not_before": not_before}
        await self.db.execute(update(queue).where(_in_hand(claim_id)).values(back))

    async def cancel(self, work: Work) -> bool:
        twin = await self._waiting_twin(_kind(work), _subject(work))
        if twin is not None:
            await self.db.execute(delete(queue).where(queue.c.seq == twin.seq))
        return twin is not None

    async def known(self) -> frozenset[Work]:
        """What waits or is in hand."""
        rows = await self.db.execute(select(queue.c.kind, queue.c.subject))
        return frozenset(_work(row.kind, row.subject) for row in rows)

    async def in_hand(self) -> tuple[int, ...]:
        """The ids of all claims, oldest first."""
        ids = select(queue.c.seq).where(~_waits).order_by(queue.c.seq)
        return tuple((await self.db.execute(ids)).scalars())

    async def _waiting_twin(self, kind: str, subject: str) -> Row[Any] | None:
        same = and_(_waits, queue.c.kind == kind, queue.c.subject == subject)
        return (await self.db.execute(select(queue).where(same))).one_or_none()

    async def _bring_forward(
        self, row: Row[Any], priority: Priority, not_before: datetime | None
    ) -> None:
        both = (row.not_before, not_before)
        sooner = None if None in both else min(both)
        urgent = min(row.priority, priority.value, key=_RANK.__getitem__)
        await self.db.execute(
            update(queue).where(queue.c.seq == row.seq).values(priority=urgent, not_before=sooner)
        )

    async def _take_turn(self, priority: str, group: str) -> None:
        """Behind all others; forgotten when the group has nothing left that waits."""
        mine = and_(queue_turns.c.priority == priority, queue_turns.c.group == group)
        same = and_(_waits, queue.c.priority == priority, queue.c.group == group)
        last = (await self.db.execute(select(func.max(queue_turns.c.turn)))).scalar()
        await self.db.execute(delete(queue_turns).where(mine))
        if (await self.db.execute(select(queue.c.seq).where(same).limit(1))).first() is not None:
            turn = {"priority": priority, "group": group, "turn": (last or 0) + 1}
            await self.db.execute(insert(queue_turns).values(turn))

    def _claimable(self, among: frozenset[Priority]) -> ColumnElement[bool]:
        """Waiting, of one of these priorities, under a key that nobody has in hand, of a
        repository that has room, while there is room at all."""
        taken = queue.alias("taken")
        free = queue.c.key.not_in(select(taken.c.key).where(taken.c.claimed_at.is_not(None)))
        return and_(_waits, queue.c.priority.in_(among), free, self._has_room())

    def _has_room(self) -> ColumnElement[bool]:
        return and_(self._total_has_room(), self._repository_has_room())

    def _total_has_room(self) -> ColumnElement[bool]:
        if self.limits.total is None:
            return true()
        busy = queue.alias("all_busy")
        in_hand = (
            select(func.count())
            .select_from(busy)
            .where(busy.c.claimed_at.is_not(None), busy.c.kind == "perform")
        )
        return or_(queue.c.kind != "perform", in_hand.scalar_subquery() < self.limits.total)

    def _repository_has_room(self) -> ColumnElement[bool]:
        limit = self.limits.per_repository
        if limit is None:
            return true()
        busy = queue.alias("busy")
        full = (
            select(busy.c.repo)
            .where(busy.c.claimed_at.is_not(None), busy.c.kind == "perform", busy.c.repo != "")
            .group_by(busy.c.repo)
            .having(func.count() >= limit)
        )
        return or_(queue.c.kind != "perform", queue.c.repo.not_in(full))


def _in_hand(claim_id: int) -> ColumnElement[bool]:
    return and_(queue.c.seq == claim_id, ~_waits)


def _kind(work: Work) -> str:
    return "advance" if isinstance(work, AdvanceRun) else "perform"


def _subject(work: Work) -> str:
    return work.run_id if isinstance(work, AdvanceRun) else work.job_id


def _values(message: Message) -> dict[str, Any]:
    return {
        "kind": _kind(message.work),
        "subject": _subject(message.work),
        "key": message.key,
        "priority": message.priority,
        "not_before": message.not_before,
        "repo": message.repo,
        "group": message.group,
    }


def _work(kind: str, subject: str) -> Work:
    return AdvanceRun(RunId(subject)) if kind == "advance" else PerformJob(JobId(subject))


def _message(row: Row[Any]) -> Message:
    work = _work(row.kind, row.subject)
    return Message(work, row.key, Priority(row.priority), row.not_before, row.repo, row.group)
