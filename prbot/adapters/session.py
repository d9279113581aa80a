"""The processes of a session, as the system knows them: who lives, and how they are ended.

A session's number, and a group's, is its leader's. What `/proc` tells is told on Linux alone;
elsewhere nobody is found. A process that a signal does not reach, in a call of the system
that does not return, is not waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_DYING = 10.0
"""Seconds in which what was killed ends. It takes moments, on a busy machine a few more;
a disk or a network that hangs can hold a process for ever."""


@dataclass(frozen=True)
class Stat:
    """From proc_pid_stat(5): state, process group, session id, start time in clock ticks
    since boot."""

    state: str
    group: int
    session: int
    started: int


def kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def has_group(leader: int) -> bool:
    """Whether anybody, dead or alive, is in the group of a leader who is no more."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def kill_session(leader: int) -> None:
    """Kill every process of the session, also those that left the leader's group."""
    kill_group(leader)
    for pid in members(leader):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


async def burial(ours: Callable[[Stat], bool]) -> None:
    """Wait until all of ours who were killed have ended: a signal is sent in a moment, and
    dying takes the system another, in which a process still holds its files and ports."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DYING):
            while pids := _living(ours):
                for pid in pids:
                    await _end_of(pid)


async def _end_of(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        async with watched(pid) as (_, ended):
            await ended


@contextlib.asynccontextmanager
async def watched(pid: int) -> AsyncIterator[tuple[int, asyncio.Future[None]]]:
    """A pidfd, and a future that its process' end settles: a pidfd turns readable then.

    Raises ProcessLookupError when it has ended."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    descriptor = os.pidfd_open(pid)
    try:
        loop.add_reader(descriptor, _settle, ended)
        yield descriptor, ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _settle(ended: asyncio.Future[None]) -> None:
    if not ended.done():  # the reader is called again until it is removed
        ended.set_result(None)


def members(session: int) -> tuple[int, ...]:
    """The session's living processes."""
    return _living(lambda stat: stat.session == session)


def _living(ours: Callable[[Stat], bool]) -> tuple[int, ...]:
    pids = [int(entry.name) for entry in _PROC.glob("[0-9]*")]
    stats = {pid: stat_of(pid) for pid in pids}
    return tuple(
        pid
        for pid, stat in stats.items()
        if stat is not None and stat.state not in "ZX" and ours(stat)
    )


def stat_of(pid: int) -> Stat | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in parentheses and may hold anything.
    fields = text[text.rindex(")") + 2 :].split()
    return Stat(
        state=fields[0], group=int(fields[2]), session=int(fields[3]), started=int(fields[19])
    )


def boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
