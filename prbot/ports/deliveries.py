"""What prbot asks of the place where events are kept until they are done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from prbot.model import (
    DeliveryId,
)
from prbot.runs.journal import JournalEntry as JournalEntry


@dataclass(frozen=True)
class Delivery:
    """One webhook as it came: `forge` is the name of the server's forge entry."""

    id: DeliveryId
    forge: str
    event: str
    body: bytes
    received_at: datetime


class Deliveries(Protocol):
    async def add(self, delivery: Delivery) -> bool:
        """False when this (forge, id) is known already; then nothing is stored."""
        ...

    async def add_all(self, batch: Sequence[Delivery]) -> tuple[bool, ...]:
        """`add` for each, in this order; of twins in the batch the first is new."""
        ...

    async def waiting(self, forge: str, limit: int = 100) -> tuple[Delivery, ...]:
        """This forge's, not yet digested, in the order they came."""
        ...

    async def digested(self, delivery: Delivery, outcome: str) -> bool:
        """Done with it; `outcome` says in a few words what became of it.

        False when somebody else digested it before: then nothing of what the caller made
        of it may be kept, and the transaction must be rolled back.
        """
        ...

    async def digested_all(self, batch: Sequence[tuple[Delivery, str]]) -> None:
        """`digested` for many of which nothing is made, so that it matters to nobody who
        was first; what was digested before keeps its outcome."""
        ...
