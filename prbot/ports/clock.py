"""What prbot asks of a clock."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from prbot.runs.journal import JournalEntry as JournalEntry


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, always in UTC and aware of it."""
        ...
