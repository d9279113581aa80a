"""What the forge shows as each commit's statuses, as far as we know for certain.

A status that is written twice costs a call and says nothing. But a call whose answer was
lost may have been carried out: from the moment a status is taken in hand until the forge
has said yes, nobody knows what it shows. Letters of one pull request are written one at a
time; where two pull requests have the same head commit, each may overtake the other, and
so nothing about that commit is ever taken for certain.

Not promised: that nobody else writes a status of our name.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, null, select, update

from prbot.adapters.store_dialect import insert_once
from prbot.adapters.store_tables import statuses
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import is_repo, pull_values
from prbot.model import PullRef
from prbot.ports.outbox import StatusLetter


@dataclass(frozen=True)
class ShownStatuses:
    """Inside one transaction."""

    db: Transaction

    async def shows(self, pull: PullRef, letter: StatusLetter) -> bool:
        """The forge shows exactly this, for certain."""
        shown = await self.db.execute(select(statuses.c.shown).where(_same(pull, letter)))
        return bool(shown.scalar() == letter)

    async def was_tried(self, pull: PullRef, letter: StatusLetter) -> bool:
        """A status of this commit and name was taken in hand once."""
        found = await self.db.execute(select(statuses.c.seq).where(_same(pull, letter)))
        return found.first() is not None

    async def in_hand(self, pull: PullRef, letter: StatusLetter) -> None:
        """From now on it is not known whether the forge shows this or what it did."""
        new = {**pull_values(pull), "sha": letter.sha, "context": letter.context, "shown": None}
        if not await insert_once(self.db, statuses, new):
            only_ours = case((statuses.c.number == pull.number, pull.number), else_=null())
            unknown = update(statuses).where(_same(pull, letter))
            await self.db.execute(unknown.values(number=only_ours, shown=None))

    async def written(self, pull: PullRef, letter: StatusLetter) -> None:
        ours = and_(_same(pull, letter), statuses.c.number == pull.number)
        await self.db.execute(update(statuses).where(ours).values(shown=letter))


def _same(pull: PullRef, letter: StatusLetter) -> ColumnElement[bool]:
    return and_(
        is_repo(statuses, pull.repo),
        statuses.c.sha == letter.sha,
        statuses.c.context == letter.context,
    )
