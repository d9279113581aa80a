"""Webhooks as they came, each stored once before it is answered.

A body is kept only until it was digested: what it told stands in the run it made, and
bodies are large and full of people's addresses. The id stays, so that a repeated
delivery is known for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, Row, bindparam, select, update

from prbot.adapters.store_dialect import insert_new
from prbot.adapters.store_tables import deliveries
from prbot.adapters.store_transaction import Transaction
from prbot.model import DeliveryId
from prbot.ports.clock import Clock
from prbot.ports.deliveries import Delivery


@dataclass(frozen=True)
class SqlDeliveries:
    """Deliveries inside one transaction."""

    db: Transaction
    clock: Clock

    async def add(self, delivery: Delivery) -> bool:
        return (await self.add_all((delivery,)))[0]

    async def add_all(self, batch: Sequence[Delivery]) -> tuple[bool, ...]:
        rows = [_values(delivery) for delivery in batch]
        key = (deliveries.c.forge, deliveries.c.id)
        stored = await insert_new(self.db, deliveries, rows, key)
        news = []
        for delivery in batch:
            news.append(_key(delivery) in stored)
            stored.discard(_key(delivery))  # a twin of it is not new
        return tuple(news)

    async def waiting(self, forge: str, limit: int = 100) -> tuple[Delivery, ...]:
        rows = await self.db.execute(
            select(deliveries)
            .where(deliveries.c.forge == forge, deliveries.c.digested_at.is_(None))
            .order_by(deliveries.c.seq)
            .limit(limit)
        )
        return tuple(_delivery(row) for row in rows)

    async def digested(self, delivery: Delivery, outcome: str) -> bool:
        return (await self._digest([(delivery, outcome)])).rowcount == 1

    async def digested_all(self, batch: Sequence[tuple[Delivery, str]]) -> None:
        if batch:
            # In one order, so that two who digest the same cannot wait for each other.
            await self._digest(sorted(batch, key=lambda pair: _key(pair[0])))

    async def _digest(self, batch: Sequence[tuple[Delivery, str]]) -> CursorResult[Any]:
        now = self.clock.now()
        rows = [
            {"its_forge": each.forge, "its_id": each.id, "digested_at": now, "outcome": outcome}
            for each, outcome in batch
        ]
        return await self.db.execute(DIGEST, rows)


DIGEST = (
    update(deliveries)
    .where(deliveries.c.forge == bindparam("its_forge"), deliveries.c.id == bindparam("its_id"))
    .where(deliveries.c.digested_at.is_(None))
    .values(body=b"")
)
"""Without its body a row is small."""


def _key(delivery: Delivery) -> tuple[str, str]:
    return (delivery.forge, delivery.id)


def _values(delivery: Delivery) -> dict[str, Any]:
    return {
        "forge": delivery.forge,
        "id": delivery.id,
        "event": delivery.event,
        "body": delivery.body,
        "received_at": delivery.received_at,
    }


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(DeliveryId(row.id), row.forge, row.event, row.body, row.received_at)
