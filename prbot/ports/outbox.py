"""What waits to be said to a forge or a receiver, and what keeps it until it is said."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from prbot.drift.state import Correction
from prbot.model import (
    Login,
    PullRef,
    RepoRef,
    RunId,
    Sha,
)
from prbot.ports.forge import CheckReport, StatusState
from prbot.ports.tree import BranchCommit
from prbot.runs.journal import JournalEntry as JournalEntry


@dataclass(frozen=True)
class CommentLetter:
    """`if_written`: only where a comment with this marker was written before."""

    marker: str
    body: str
    if_written: bool = False


@dataclass(frozen=True)
class StatusLetter:
    sha: Sha
    context: str
    state: StatusState
    description: str
    report: CheckReport | None = None
    beside: bool = False
    """Shown by `show_check`, else by `set_status`."""


@dataclass(frozen=True)
class ReactionLetter:
    comment_id: int


@dataclass(frozen=True)
class FoldLetter:
    """Minimise the comment with this marker, if it was written; it is outdated."""

    folds: str


@dataclass(frozen=True)
class IssueLetter:
    """Put it for `of_repository`: all issues of a repository are written in one order,
    whichever pull request they come from."""

    marker: str
    title: str
    body: str
    labels: tuple[str, ...]
    is_open: bool | None


@dataclass(frozen=True)
class IssueCommentLetter:
    """A comment below the issue with the marker `issue`, where that was written. Put it where
    the issue's letters are put, so that it stands behind them."""

    issue: str
    marker: str
    body: str


def of_repository(repo: RepoRef) -> PullRef:
    """The repository as a whole, where else a pull request stands; forges count from 1."""
    return PullRef(repo, 0)


@dataclass(frozen=True)
class MergeLetter:
    """Merge the pull request at this head, and delete `branch` (empty: none) afterwards.
    `run` asked for it."""

    sha: Sha
    method: str
    branch: str
    run: RunId


@dataclass(frozen=True)
class Below:
    """Below which issue it is told what became of somebody's `command`: `issue` is the marker
    in its letter, `place` its repository. `more` is a sentence of ours beside the rest."""

    place: RepoRef
    issue: str
    command: str
    by: Login
    more: str = ""


@dataclass(frozen=True)
class ProposalLetter:
    """A pull request of our own: `change` is pushed, and a pull request from its branch into
    `base` opened or edited. Put it for `of_repository`. In `correction` its number is noted
    then, and `below` an issue it is told."""

    change: BranchCommit
    base: str
    title: str
    body: str
    correction: Correction | None = None
    below: Below | None = None


@dataclass(frozen=True)
class WithdrawLetter:
    """Close a pull request of our own from this branch, with a comment, unless people closed or
    merged it, or went on with its branch."""

    branch: str
    marker: str
    body: str


@dataclass(frozen=True)
class SignalLetter:
    """What other programs are told: `text` is sent as it is, under the name `delivery`. Put it
    for `of_signals`, so that it waits for no forge, and no forge for it."""

    delivery: str
    text: str


def of_signals(repo: RepoRef) -> PullRef:
    """Where what is told of the repository to other programs stands, in its own order."""
    return PullRef(repo, -1)


Letter = (
    ProposalLetter
    | WithdrawLetter
    | SignalLetter
    | MergeLetter
    | CommentLetter
    | StatusLetter
    | ReactionLetter
    | FoldLetter
    | IssueLetter
    | IssueCommentLetter
)


@dataclass(frozen=True)
class OutboxRow:
    """A letter still to be written. `known_id`: the forge's id of the comment, or the number
    of the issue, with its marker, when we wrote it before. `fence` grows each time it is leased."""

    id: int
    pull: PullRef
    letter: Letter
    attempts: int
    known_id: int | None
    fence: int


class Outbox(Protocol):
    """A letter is leased while it is being written, so that no two processes write it.
    `sent`, `postpone` and `give_up` return False, and change nothing, when the lease ran
    out and somebody else has the letter in hand or is done with it."""

    async def put(self, key: str, pull: PullRef, letter: Letter, at: datetime) -> None:
        """Append; a key that was put before is not put again."""
        ...

    async def newest_key(self, prefix: str) -> str | None:
        """Of the letters whose key begins so; None when there is none."""
        ...

    async def waits(self, prefix: str) -> bool:
        """Whether a letter whose key begins so is still to be written."""
        ...

    async def due(self, now: datetime, worker: str, until: datetime) -> tuple[OutboxRow, ...]:
        """The oldest unsent row of each pull request whose time has come, leased to
        `worker` until then.

        Statuses that need not be written are settled on the way: those the forge shows
        already, and those with a later one, same commit and context, waiting behind them.
        """
        ...

    async def renew(self, worker: str, until: datetime, rows: Collection[int]) -> None:
        """Lengthen the leases of these rows, of those that are in this worker's hand."""
        ...

    async def release(self, now: datetime) -> None:
        """At the start of the only process on this database: what a dead one had in hand
        is due."""
        ...

    async def next_due(self) -> datetime | None:
        """When the earliest waiting row comes due, or the lease of one in hand runs out;
        None when there is none."""
        ...

    async def sent(self, row: OutboxRow, forge_id: int | None, at: datetime) -> bool: ...
    async def postpone(self, row: OutboxRow, until: datetime, why: str) -> bool: ...
    async def give_up(self, row: OutboxRow, why: str) -> bool:
        """The forge said a final no; the row stays readable and the next one may go."""
        ...
