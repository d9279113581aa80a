"""One line of the journal: who did what, in which pull request, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from prbot.model import Login, PullRef

EXPIRED = "plan expired"
"""The action of a line whose subject is the plan; its absence means: gone for another reason."""


@dataclass(frozen=True)
class JournalEntry:
    """Append-only. `subject` is a run, job or plan id; `actor` is None for prbot itself."""

    at: datetime
    pull: PullRef
    actor: Login | None
    subject: str
    action: str
    detail: str = ""
