"""What performing the steps of a decision leaves to be done when they are committed."""

from __future__ import annotations

from dataclasses import dataclass, field

from prbot.engine.logs import Logs
from prbot.model import JobId
from prbot.ports.queue import Message
from prbot.runs.run import Trouble


@dataclass
class After:
    """What is done once the transaction is committed; each of it may be done twice. `logs` were
    read before it began."""

    logs: Logs = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    stops: list[tuple[JobId, Trouble]] = field(default_factory=list)
    freed: bool = False
    drop_workspaces: bool = False
