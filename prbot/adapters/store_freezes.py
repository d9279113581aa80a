"""Which applies are stopped; every freeze, and its end by a person, stands in the journal too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, text, update

from prbot.adapters.store_journal import SqlJournal
from prbot.adapters.store_tables import freezes
from prbot.adapters.store_transaction import Transaction
from prbot.errors.verbs import NoSuchFreeze
from prbot.model import Login
from prbot.ports.store import JournalEntry
from prbot.runs.freezes import Freeze, FreezeId, FreezeScope, sentence
from prbot.runs.journal import FROZEN, LIFTED


@dataclass(frozen=True)
class SqlFreezes:
    """Freezes inside one transaction."""

    db: Transaction
    journal: SqlJournal

    async def add(self, freeze: Freeze) -> None:
        await self.db.execute(insert(freezes).values(_values(freeze)))
        await self._tell(freeze, FROZEN, freeze.by, freeze.since)

    async def lift(self, freeze_id: FreezeId, by: Login, at: datetime) -> Freeze:
        lifting = update(freezes).where(freezes.c.id == freeze_id, freezes.c.lifted_at.is_(None))
        lifted = await self.db.execute(lifting.values(lifted_at=at, lifted_by=by))
        row = (
            await self.db.execute(select(freezes).where(freezes.c.id == freeze_id))
        ).one_or_none()
        if row is None:
            raise NoSuchFreeze(freeze_id)
        freeze = _freeze(row)
        if lifted.rowcount == 1:
            await self._tell(freeze, LIFTED, by, at)
        return freeze

    async def in_force(self, now: datetime) -> tuple[Freeze, ...]:
        """Read so that nobody declares another before this transaction ends: an apply that saw
        none is intended before the freeze, and whoever declares it can see that."""
        if self.db.dialect == "postgresql":
            await self.db.execute(text("LOCK TABLE freezes IN SHARE MODE"))
        unlifted = select(freezes).where(freezes.c.lifted_at.is_(None)).order_by(freezes.c.seq)
        found = (_freeze(row) for row in await self.db.execute(unlifted))
        return tuple(freeze for freeze in found if freeze.holds_at(now))

    async def all(self) -> tuple[Freeze, ...]:
        rows = await self.db.execute(select(freezes).order_by(freezes.c.seq))
        return tuple(_freeze(row) for row in rows)

    async def _tell(self, freeze: Freeze, action: str, actor: Login, at: datetime) -> None:
        detail = sentence(replace(freeze, lifted_at=None, lifted_by=None))
        await self.journal.write(JournalEntry(at, None, actor, freeze.id, action, detail))


def _values(freeze: Freeze) -> dict[str, Any]:
    return {
        "id": freeze.id,
        "scope": freeze.scope,
        "forge": freeze.forge,
        "repo": freeze.repo,
        "environment": freeze.environment,
        "reason": freeze.reason,
        "declared_by": freeze.by,
        "since": freeze.since,
        "until": freeze.until,
        "lifted_at": freeze.lifted_at,
        "lifted_by": freeze.lifted_by,
    }


def _freeze(row: Row[Any]) -> Freeze:
    return Freeze(
        id=FreezeId(row.id),
        scope=FreezeScope(row.scope),
        reason=row.reason,
        by=Login(row.declared_by),
        since=row.since,
        until=row.until,
        forge=row.forge,
        repo=row.repo,
        environment=row.environment,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
    )
