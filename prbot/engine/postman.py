"""Writes letters from the outbox to the forge: once each, in order per pull request.

A letter is marked as sent after the forge took it. If the process dies in between, the
letter is written again, and the writer finds its own comment by marker and author
instead of writing a second one. What the forge refuses for good is given up with a
line in the log, so that the letters behind it are not kept back for ever; so is a letter
at which our own code fails again and again. Letters of other pull requests never wait
for one that is slow or ill.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import structlog

from prbot.engine.alarm import Alarm
from prbot.engine.drift_opened import not_opened, opened, withdraw
from prbot.engine.letters import comment_letter
from prbot.engine.world import World
from prbot.errors.forge import (
    ForgeRefused,
    ForgeUnavailable,
    NotFound,
    NotMergeable,
    ReceiverRefused,
    ReceiverUnavailable,
)
from prbot.errors.git import CannotPush
from prbot.errors.store import StoreUnavailable
from prbot.model import RepoRef, Sha
from prbot.ports.outbox import (
    CommentLetter,
    FoldLetter,
    IssueCommentLetter,
    IssueLetter,
    MergeLetter,
    OutboxRow,
    ProposalLetter,
    ReactionLetter,
    SignalLetter,
    StatusLetter,
    WithdrawLetter,
)
from prbot.runs.say import NotMerged
from prbot.runs.steps import Say

log = structlog.get_logger()

FIRST_RETRY = timedelta(seconds=1)
LAST_RETRY = timedelta(minutes=5)
STORE_RETRY = timedelta(seconds=5)
TIDY_TRIES = 3
"""How often it is tried to fold an outdated comment while the forge does not answer."""
MERGE_TRIES = 4
"""How often a merge is tried that the forge refuses: for seven seconds, because what it requires
may just have been written."""
SIGNAL_TRIES = 300
"""How often another program is told what it does not take: for about a day."""
FAILURES = 10
"""How often one process fails at a letter for a reason nobody foresaw: for eight minutes."""


class Postman:
    """One per process. `woken` rings when letters were put."""

    def __init__(self, world: World, woken: Alarm) -> None:
        self._world = world
        self._woken = woken
        self._in_hand: dict[int, OutboxRow] = {}
        self._failures: Counter[int] = Counter()
        self._resting = False

    @property
    def letters(self) -> frozenset[int]:
        """The ids of those being written."""
        return frozenset(self._in_hand)

    async def run(self) -> None:
        """Write letters until `rest`; wait for a database that is away."""
        async with asyncio.TaskGroup() as group:
            while not self._resting:
                try:
                    pause = await self.write_due(group)
                except StoreUnavailable as error:
                    log.warning("store does not answer", action="write", error=str(error))
                    pause = STORE_RETRY
                await self._woken.wait(pause)

    def rest(self) -> None:
        """Begin no more letters: `run` ends when those in hand have been written.

        A call that was sent may reach the forge whatever we do. If its letter were let go
        of, another process could look for the comment too soon, and write it twice.
        """
        self._resting = True
        self._woken.ring()

    async def write_due(self, group: asyncio.TaskGroup) -> timedelta:
        """Begin to write the oldest due letter of each pull request, as tasks of the group.

        Returns in how long to look again at the latest; each letter that is done with
        rings.
        """
        now = self._world.clock.now()
        until = now + self._world.settings.lease
        async with self._world.store.begin() as unit:
            due = await unit.outbox.due(now, self._world.worker, until)
            next_due = await unit.outbox.next_due()
        for row in due:
            if row.id not in self._in_hand:
                group.create_task(self._try(row))
            self._in_hand[row.id] = row  # also when our own lease of it had run out
        lease = self._world.settings.lease  # nobody rings here for a process that died
        return lease if next_due is None else min(lease, max(timedelta(0), next_due - now))

    async def _try(self, row: OutboxRow) -> None:
        """Write one letter; whatever happens to it, the others go on."""
        try:
            with self._world.redactor.about(str(row.pull)):
                await self._write(row)
        except StoreUnavailable as error:  # it comes due again when its lease ends
            log.warning("store does not answer", action="write", error=str(error))
        finally:
            del self._in_hand[row.id]
            self._woken.ring()

    async def _write(self, row: OutboxRow) -> None:
        began = self._world.clock.now()  # people may read and approve it before we hear back
        try:
            forge_id = await self._hand_over(row)
        except ForgeUnavailable as error:
            if isinstance(row.letter, FoldLetter) and row.attempts + 1 >= TIDY_TRIES:
                await self._give_up(row, str(error))  # what is behind it matters more
                return
            log.warning("letter postponed", action="write", pull=str(row.pull), error=str(error))
            await self._postpone(row, str(error), error.retry_after)
        except ReceiverUnavailable as error:
            await self._not_received(row, error)
        except (ReceiverRefused, CannotPush) as error:  # away, or rights that may be given yet
            await self._fail(row, str(error))
        except NotMergeable as error:
            if isinstance(row.letter, MergeLetter):
                await self._not_merged(row, row.letter, error)
        except (ForgeRefused, NotFound) as error:
            await self._give_up(row, str(error))
        except Exception as error:  # a letter that we cannot write must not stop the others
            log.exception("letter failed", action="write", pull=str(row.pull), letter=row.id)
            await self._fail(row, type(error).__name__)
        else:
            self._failures.pop(row.id, None)
            async with self._world.store.begin() as unit:
                sent = await unit.outbox.sent(self._in_hand[row.id], forge_id, began)
                if sent and isinstance(row.letter, ProposalLetter):
                    await opened(self._world, unit, row.letter, forge_id)

    async def _hand_over(self, row: OutboxRow) -> int | None:
        if isinstance(row.letter, SignalLetter):
            if self._world.receiver is not None:  # nobody listens any more
                await self._world.receiver.deliver(row.letter.delivery, row.letter.text)
            return None
        writer = self._world.forge_of(row.pull.repo).writer
        match row.letter:
            case CommentLetter(if_written=True) if row.known_id is None:
                return None
            case CommentLetter(marker, body):
                return await writer.upsert_comment(row.pull, marker, body, row.known_id)
            case StatusLetter(sha, context, state, description, report, beside):
                show = writer.show_check if beside else writer.set_status
                await show(row.pull.repo, sha, context, state, description, report)
            case IssueLetter(marker, title, body, labels, is_open):
                repo, known = row.pull.repo, row.known_id
                return await writer.upsert_issue(repo, marker, title, body, labels, is_open, known)
            case IssueCommentLetter(_, marker, body):
                if row.known_id is not None:
                    await writer.comment_on_issue(row.pull.repo, row.known_id, marker, body)
            case MergeLetter(sha, method, branch):
                merged = await writer.merge(row.pull, sha, method, delete_branch=bool(branch))
                if merged and branch:
                    await self._tidy_branch(row, branch, sha)
            case ProposalLetter():
                return await self._propose(row.pull.repo, row.letter)
            case WithdrawLetter():
                await withdraw(self._world, row.pull, row.letter)
            case ReactionLetter(comment_id):
                await writer.react(row.pull, comment_id)
            case FoldLetter():
                if row.known_id is not None:
                    await writer.minimise(row.pull, row.known_id)
        return None

    async def _not_received(self, row: OutboxRow, error: ReceiverUnavailable) -> None:
        if row.attempts + 1 >= SIGNAL_TRIES:
            await self._give_up(row, str(error))
            return
        log.warning("not received", action="write", letter=row.id, error=str(error))
        await self._postpone(row, str(error), error.retry_after)

    async def _propose(self, repo: RepoRef, letter: ProposalLetter) -> int | None:
        """The branch first: a pull request shows what its branch holds. Where people went on
        with the branch it is theirs, and so are the words."""
        forge = self._world.forge_of(repo)
        access = await forge.reader.clone_access(repo)
        if await forge.workspaces.push(repo, access, letter.change) is None:
            log.info("branch is left", action="write", branch=letter.change.branch)
            return None
        branch = letter.change.branch
        return await forge.writer.upsert_pull(repo, branch, letter.base, letter.title, letter.body)

    async def _tidy_branch(self, row: OutboxRow, branch: str, sha: Sha) -> None:
        """It is merged: a branch that stays is only in the way."""
        try:
            writer = self._world.forge_of(row.pull.repo).writer
            await writer.delete_branch(row.pull, branch, sha)
        except ForgeRefused as error:
            log.warning("branch stays", action="write", pull=str(row.pull), error=str(error))

    async def _not_merged(self, row: OutboxRow, letter: MergeLetter, error: NotMergeable) -> None:
        """Its own checks may not have reached the forge's rules yet; then people are told."""
        if row.attempts + 1 < MERGE_TRIES:
            await self._postpone(row, str(error), None)
            return
        log.warning("not merged", action="write", pull=str(row.pull), error=str(error))
        told = Say(f"{letter.run}-not-merged", NotMerged(error.cause))
        key, now = f"{letter.run} say {told.topic}", self._world.clock.now()
        async with self._world.store.begin() as unit:
            if await unit.outbox.give_up(self._in_hand[row.id], str(error)):
                comment = comment_letter(self._world, row.pull, told)
                await unit.outbox.put(key, row.pull, comment, now)

    async def _fail(self, row: OutboxRow, what: str) -> None:
        """Counted here and not by the row's attempts: those count outages as well."""
        self._failures[row.id] += 1
        if self._failures[row.id] < FAILURES:
            await self._postpone(row, what, None)
        else:
            await self._give_up(row, what)

    async def _postpone(self, row: OutboxRow, why: str, retry_after: float | None) -> None:
        until = next_try(self._world.clock.now(), row.attempts, retry_after)
        async with self._world.store.begin() as unit:
            await unit.outbox.postpone(self._in_hand[row.id], until, why)

    async def _give_up(self, row: OutboxRow, why: str) -> None:
        log.error("letter given up", action="write", pull=str(row.pull), letter=row.id, error=why)
        self._failures.pop(row.id, None)
        async with self._world.store.begin() as unit:
            gone = await unit.outbox.give_up(self._in_hand[row.id], why)
            if gone and isinstance(row.letter, ProposalLetter):
                await not_opened(self._world, unit, row.letter, why)


def next_try(now: datetime, attempts: int, retry_after: float | None) -> datetime:
    """Doubling from a second to five minutes, but never before the forge's own word."""
    wait = min(LAST_RETRY, FIRST_RETRY * (1 << min(attempts, 16)))
    if retry_after is not None:
        wait = max(wait, timedelta(seconds=retry_after))
    return now + wait
