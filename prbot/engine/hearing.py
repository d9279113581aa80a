"""Writes down what an apply tells of itself, while it runs.

Should we die, the journal knows what was created although the state may not, where the
tool ran, and which lock it held. Not promised: the lines of the last third of a second;
they still stand in the job's directory, where the look after the crash finds them.
"""

from __future__ import annotations

import asyncio
import json
from types import TracebackType

import structlog

from prbot.engine.place import place_of
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.ports.store import JournalEntry
from prbot.ports.tool import Tool, ToolRun
from prbot.runs.interrupted import BEGAN, LOCKED
from prbot.runs.run import Job, Run
from prbot.runs.told import told_by

log = structlog.get_logger()


class Hearing:
    """For the length of one apply; `heard` is for `Tool.apply`."""

    def __init__(self, world: World, run: Run, job: Job, tool: Tool, surroundings: ToolRun) -> None:
        self._world = world
        self._run = run
        self._job = job
        self._tool = tool
        self._surroundings = surroundings
        self._asking: asyncio.Task[None] | None = None
        self._over = False

    async def __aenter__(self) -> Hearing:
        place = place_of(self._world.settings.jobs_dir.parent)
        await self._write((BEGAN, json.dumps({"place": place.id, "host": place.host})))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over = True
        if self._asking is not None:
            await asyncio.gather(self._asking, return_exceptions=True)

    async def heard(self, lines: tuple[str, ...]) -> None:
        """Journal what ended and began among these lines, all or nothing of it."""
        told = told_by(lines)
        if not told:
            return
        await self._write(*((one.moment.value, one.detail) for one in told))
        if self._asking is None:  # something was begun, so the state is locked by now
            self._asking = asyncio.create_task(self._ask_for_lock())

    async def _ask_for_lock(self) -> None:
        """Learn our own lock's id while nobody else can hold the lock.

        What is found counts only if the apply still runs afterwards: then the lock was its.
        """
        try:
            lock = await self._tool.state_lock(self._surroundings)
        except PrbotError as error:
            log.warning("lock not seen", action="apply", job=self._job.id, error=str(error))
            return
        if lock is not None and lock.id and not self._over:
            await self._write((LOCKED, json.dumps({"id": lock.id})))

    async def _write(self, *lines: tuple[str, str]) -> None:
        now, redact = self._world.clock.now(), self._world.redactor.redact
        async with self._world.store.begin() as unit:
            for action, detail in lines:
                await unit.journal.write(
                    JournalEntry(now, self._run.pull, None, self._job.id, action, redact(detail))
                )
