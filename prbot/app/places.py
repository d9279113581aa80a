"""Where a process works on its machine, beside others that share the state directory.

    STATE/jobs/1, STATE/jobs/2, …     one for each process: its jobs' data directories
    STATE/jobs/.1.lock, …             held by the process whose place it is

The kernel frees a lock when its process dies, however it dies. Who starts takes a free
place, and clears away what dead processes left in all of them.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import IO

import structlog

from prbot.adapters import process
from prbot.errors.server import AlreadyRunning

log = structlog.get_logger()


@contextmanager
def only_process_of(state: Path) -> Iterator[None]:
    """Two processes on one SQLite database would take each other's work for lost."""
    lock = _locked(state / "prbot.lock")
    if lock is None:
        raise AlreadyRunning(str(state))
    with lock:
        yield


async def own_place(jobs: Path, grace: float, stack: AsyncExitStack) -> Path:
    """A directory below `jobs` that is this process's own until `stack` is closed.

    In each place whose process is dead, tools still running are given `grace` seconds.
    """
    free = _free_places(jobs)
    for number, (place, lock) in enumerate(free):
        await _stop_leftovers(place, grace)
        if number == 0:
            stack.enter_context(lock)
        else:
            lock.close()
    return free[0][0] if free else _new_place(jobs, stack)


def _free_places(jobs: Path) -> list[tuple[Path, IO[str]]]:
    """Those whose process is dead, each locked now."""
    jobs.mkdir(parents=True, exist_ok=True, mode=0o700)
    locks = ((place, _locked(_lock_of(place))) for place in _standing(jobs))
    return [(place, lock) for place, lock in locks if lock is not None]


def _standing(jobs: Path) -> list[Path]:
    places = [path for path in jobs.iterdir() if path.name.isdigit() and path.is_dir()]
    return sorted(places, key=lambda path: int(path.name))


def _new_place(jobs: Path, stack: AsyncExitStack) -> Path:
    for number in count(len(_standing(jobs)) + 1):
        place = jobs / str(number)
        lock = _locked(_lock_of(place))
        if lock is not None:
            stack.enter_context(lock)
            place.mkdir(exist_ok=True, mode=0o700)
            break
    return place


def _lock_of(place: Path) -> Path:
    return place.with_name(f".{place.name}.lock")


def _locked(path: Path) -> IO[str] | None:
    """The open file, locked until it is closed; None when a living process has it."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


async def _stop_leftovers(place: Path, grace: float) -> None:
    """End what a dead worker's plans left running; an apply is left to end by itself.

    Then remove the dead jobs' directories, which hold plan files in the clear; of an apply
    stays what it told, until somebody has looked at what it left.
    """
    running = set()
    for leftover in process.leftovers(place):
        if leftover.what == "apply":
            log.error("an apply still runs", action="recover", pid=leftover.pid)
            running.add(leftover.record.parent)
        else:
            await process.stop(leftover, grace)
    _remove_dead(place, running)


def _remove_dead(place: Path, running: set[Path]) -> None:
    for directory in place.glob("*"):
        if directory in running or not directory.is_dir():
            continue
        if not (directory / "logs" / "apply.out").exists():
            shutil.rmtree(directory, ignore_errors=True)
            continue
        for path in directory.iterdir():
            if path.name != "logs":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
