"""Writes letters from the outbox to the forge: once each, in order per pull request.

A letter is marked as sent after the forge took it. If the process dies in between, the
letter is written again, and the writer finds its own comment by marker and author
instead of writing a second one. What the forge refuses for good is given up with a
line in the log, so that the letters behind it are not kept back for ever.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from prbot.engine.alarm import Alarm
from prbot.engine.world import World
from prbot.errors import ForgeRefused, ForgeUnavailable, NotFound
from prbot.ports import CommentLetter, OutboxRow, ReactionLetter, StatusLetter

log = structlog.get_logger()

FIRST_RETRY = timedelta(seconds=1)
LAST_RETRY = timedelta(minutes=5)


class Postman:
    """One per process. `woken` rings when letters were put."""

    def __init__(self, world: World, woken: Alarm) -> None:
        self._world = world
        self._woken = woken

    async def run(self) -> None:
        """Write letters for ever."""
        while True:
            if not await self.write_due():
                await self._woken.wait(await self._until_next())

    async def write_due(self) -> bool:
        """Write the oldest due letter of each pull request; False when there was none."""
        now = self._world.clock.now()
        until = now + self._world.settings.lease
        async with self._world.store.begin() as unit:
            due = await unit.outbox.due(now, self._world.worker, until)
        async with asyncio.TaskGroup() as group:
            for row in due:
                group.create_task(self._write(row))
        return bool(due)

    async def _until_next(self) -> timedelta | None:
        async with self._world.store.begin() as unit:
            due = await unit.outbox.next_due()
        return None if due is None else max(timedelta(0), due - self._world.clock.now())

    async def _write(self, row: OutboxRow) -> None:
        began = self._world.clock.now()  # people may read and approve it before we hear back
        try:
            forge_id = await self._hand_over(row)
        except ForgeUnavailable as error:
            await self._postpone(row, error)
        except (ForgeRefused, NotFound) as error:
            log.error("letter refused", action="write", pull=str(row.pull), error=str(error))
            async with self._world.store.begin() as unit:
                await unit.outbox.give_up(row, str(error))
        else:
            async with self._world.store.begin() as unit:
                await unit.outbox.sent(row, forge_id, began)

    async def _hand_over(self, row: OutboxRow) -> int | None:
        writer = self._world.forge_of(row.pull.repo).writer
        match row.letter:
            case CommentLetter(marker, body):
                return await writer.upsert_comment(row.pull, marker, body, row.known_id)
            case StatusLetter(sha, context, state, description):
                await writer.set_status(row.pull.repo, sha, context, state, description)
            case ReactionLetter(comment_id):
                await writer.react(row.pull, comment_id)
        return None

    async def _postpone(self, row: OutboxRow, error: ForgeUnavailable) -> None:
        until = next_try(self._world.clock.now(), row.attempts, error.retry_after)
        log.warning("letter postponed", action="write", pull=str(row.pull), error=str(error))
        async with self._world.store.begin() as unit:
            await unit.outbox.postpone(row, until, str(error))


def next_try(now: datetime, attempts: int, retry_after: float | None) -> datetime:
    """Doubling from a second to five minutes, but never before the forge's own word."""
    wait = min(LAST_RETRY, FIRST_RETRY * (1 << min(attempts, 16)))
    if retry_after is not None:
        wait = max(wait, timedelta(seconds=retry_after))
    return now + wait
