"""Turns: one at a time, among all tasks and processes that name the same lock file.

The file is locked by whose turn it is (flock(2)), and is not empty while the turn lasts.
Within a process those who wait go in the order they came; between processes the lock is
asked for again every `POLL` seconds. A process that dies holds nothing, and yet its turn
is not over while a program lives that it started in it: such programs inherit the lock
(`process` asks `held`). So who comes next meets no git that still writes, and is told
that the turn before was cut short and may have left things half done.

The file must lie on a file system that has flock(2). Not promised: turns between
machines, and fairness between processes.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from filelock import AsyncFileLock, Timeout

from prbot.errors.server import HeldElsewhere

POLL = 0.02
"""Seconds between two looks at a lock that another process holds."""


@dataclass
class Turn:
    """`cut_short` tells that the turn before did not come to its end: its process was
    killed, or it ended with an error."""

    cut_short: bool = False
    _descriptor: int | None = None

    @property
    def descriptor(self) -> int | None:
        """Of the lock's file; None when the turn is over."""
        return self._descriptor

    def begin(self, descriptor: int) -> None:
        self.cut_short = os.pread(descriptor, 1, 0) != b""
        os.pwrite(descriptor, b"!", 0)
        self._descriptor = descriptor

    def end(self, whole: bool) -> None:
        if whole and self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
        self._descriptor = None


_turns: ContextVar[tuple[Turn, ...]] = ContextVar("turns", default=())


def held() -> tuple[int, ...]:
    """The locks of the turns that this task is in, for the programs that it starts."""
    descriptors = (turn.descriptor for turn in _turns.get())
    return tuple(each for each in descriptors if each is not None)


class Turns:
    """Where tasks and processes wait for one another."""

    def __init__(self) -> None:
        self._here: defaultdict[Path, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def of(self, path: Path, patience: float) -> AsyncIterator[Turn]:
        """Wait for the turn at this lock file, and hold it for the block.

        The file and its directory are made when there are none, and stay. Raises
        HeldElsewhere when other processes do not let go for `patience` seconds.
        """
        async with self._here[path], _among_processes(path, patience) as turn:
            before = _turns.get()
            _turns.set((*before, turn))
            whole = False
            try:
                yield turn
                whole = True
            finally:
                turn.end(whole)
                _turns.set(before)


@asynccontextmanager
async def _among_processes(path: Path, patience: float) -> AsyncIterator[Turn]:
    turn = Turn()
    # On the event loop: it never blocks there, and a thread would cost more than the lock.
    lock = AsyncFileLock(
        path,
        patience,
        0o600,
        poll_interval=POLL,
        fallback_to_soft=False,
        on_acquired=turn.begin,
        run_in_executor=False,
    )
    try:
        await lock.acquire()
    except Timeout:
        raise HeldElsewhere(str(path), round(patience)) from None
    try:
        yield turn
    finally:
        await lock.release()
