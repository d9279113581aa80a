"""What prbot asks of the queue of work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from prbot.model import (
    JobId,
    RunId,
)
from prbot.runs.journal import JournalEntry as JournalEntry


class Priority(StrEnum):
    """Most urgent first, in the order of definition."""

    ADVANCE = "advance"
    APPLY = "apply"
    PLAN = "plan"
    DRIFT = "drift"


@dataclass(frozen=True)
class AdvanceRun:
    """Gather, decide, create jobs; never runs a tool."""

    run_id: RunId


@dataclass(frozen=True)
class PerformJob:
    """One job's work; one at a time per project."""

    job_id: JobId


Work = AdvanceRun | PerformJob


@dataclass(frozen=True)
class Message:
    """Work with the key under which it is done one at a time.

    `repo` is whose limit it counts under (none when empty), `group` with whom it shares
    its turns: the pull request.
    """

    work: Work
    key: str
    priority: Priority
    not_before: datetime | None = None
    repo: str = ""
    group: str = ""


@dataclass(frozen=True)
class Limits:
    """How many jobs (not advances) are in hand at once, over all processes: of one
    repository, and in `total`; None: any."""

    per_repository: int | None = None
    total: int | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Claim:
    """A message in hand; give it back with `done` or `again`.

    `holder` tells this claim from another of the same message after this one was lost.
    """

    id: int
    message: Message
    holder: int = 0


class Queue(Protocol):
    """Tells workers that there is work. The tables own the truth: a message that gets
    lost is put again from them at start, and one delivered twice finds nothing to do.

    A claim is held as long as the adapter that took it lives: it tells so by itself.
    Raises StoreUnavailable, except where it says that it waits.
    """

    async def open(self) -> None:
        """Begin to listen. What dead workers had in hand waits again."""
        ...

    async def close(self) -> None:
        """What is still in hand waits again, for others."""
        ...

    async def put(self, message: Message) -> None:
        """The same work waiting (not in hand) already is only brought forward: the
        earlier time and the more urgent priority of both hold."""
        ...

    async def claim(self, priorities: frozenset[Priority] = frozenset(Priority)) -> Claim:
        """Wait for the most urgent message, among these priorities, whose key is free and
        whose repository is below its limit.

        Among equally urgent ones the groups take turns, and each hands out its oldest.
        Waits as well while the database does not answer.
        """
        ...

    async def done(self, claim: Claim) -> None:
        """Nothing happens when the claim was lost meanwhile."""
        ...

    async def again(self, claim: Claim, not_before: datetime) -> None:
        """Give it back, to be claimed later."""
        ...

    async def cancel(self, work: Work) -> bool:
        """Take it away if it waits; False when it is in hand or not there."""
        ...

    async def known(self) -> frozenset[Work]:
        """All work that waits or is in hand, whoever has it."""
        ...

    async def recover(self) -> None:
        """What dead workers had in hand waits again.

        Dead is who has not been heard of for a lease: to be called only when the living
        could be. A queue for several processes looks after it by itself.
        """
        ...
