"""Turns: one at a time, in one process and among several."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from prbot.adapters.process import find, run
from prbot.adapters.turns import Turns, held
from prbot.errors.server import HeldElsewhere

HOLDER = """
import asyncio, os, sys
from pathlib import Path
from prbot.adapters.process import run
from prbot.adapters.turns import Turns

async def main(lock, *program):
    async with Turns().of(Path(lock), 60):
        print("holds", flush=True)
        if program:
            env = {"PATH": os.environ["PATH"]}
            await run(program, cwd=Path.cwd(), env=env, timeout=600, tied=False)
        await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""
MOMENT = 0.1
"""Seconds after which somebody else's turn is taken for one that lasts."""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "turns" / "a.lock"


@contextlib.asynccontextmanager
async def holder(lock: Path, *program: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that has the turn, and maybe started a program in it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, str(lock), *program, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    try:
        assert await child.stdout.readline() == b"holds\n"
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def is_free(lock: Path) -> bool:
    try:
        async with Turns().of(lock, MOMENT):
            return True
    except HeldElsewhere:
        return False


async def test_tasks_go_in_the_order_they_came(lock: Path) -> None:
    """It lets one task in at a time, first come, first served."""
    turns, seen, inside = Turns(), [], []

    async def take(number: int) -> None:
        async with turns.of(lock, 60):
            inside.append(number)
            await asyncio.to_thread(os.stat, lock)
            seen.append((number, len(inside)))
            inside.remove(number)

    await asyncio.gather(*(take(number) for number in range(20)))
    assert seen == [(number, 1) for number in range(20)]


async def test_other_files_do_not_wait(lock: Path) -> None:
    """It keeps turns at different lock files apart."""
    turns = Turns()
    async with turns.of(lock, 60), turns.of(lock.with_name("b.lock"), MOMENT):
        assert not await is_free(lock)
    assert await is_free(lock)


async def test_a_killed_process_holds_nothing(lock: Path) -> None:
    """It gives the turn of a process that was killed to the next, and tells that one only."""
    async with holder(lock) as child:
        assert not await is_free(lock)
        child.send_signal(signal.SIGKILL)
        async with Turns().of(lock, 60) as turn:
            assert turn.cut_short
    async with Turns().of(lock, 60) as turn:
        assert not turn.cut_short


async def test_a_program_that_outlives_its_process(lock: Path, tmp_path: Path) -> None:
    """It waits for what a killed process had started in its turn, and may still write."""
    for pipe in ("started", "end"):
        os.mkfifo(tmp_path / pipe)
    script = f"echo > {tmp_path}/started; read x < {tmp_path}/end"
    async with holder(lock, "sh", "-c", script) as child:
        await asyncio.to_thread((tmp_path / "started").read_text)
        child.kill()
        await child.wait()
        assert not await is_free(lock)
        await asyncio.to_thread((tmp_path / "end").write_text, "now\n")
        async with Turns().of(lock, 60) as turn:
            assert turn.cut_short


async def test_an_error_cuts_a_turn_short(lock: Path) -> None:
    """It tells the next one of a turn that ended with an error, and lets it in."""
    turns = Turns()
    with pytest.raises(ZeroDivisionError):
        async with turns.of(lock, 60):
            raise ZeroDivisionError
    async with turns.of(lock, MOMENT) as turn:
        assert turn.cut_short


async def test_a_task_that_gives_up_waiting(lock: Path) -> None:
    """It leaves the queue when it is cancelled; the turn is not lost with it."""
    turns = Turns()

    async def wait(where: Turns) -> None:
        async with where.of(lock, 60):
            raise AssertionError("two had the turn at once")

    async with turns.of(lock, 60):
        # behind a task of this process, and behind what may as well be another one
        waiting = asyncio.gather(wait(turns), wait(Turns()), wait(Turns()))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(MOMENT):
                await waiting
    assert await is_free(lock)
    async with turns.of(lock, MOMENT) as turn:
        assert not turn.cut_short


async def test_programs_get_the_locks_of_their_turn_alone(lock: Path, tmp_path: Path) -> None:
    """It hands the lock to programs of the turn, and to none that comes after."""
    listing = ("sh", "-c", "ls /proc/self/fd")
    if find("ls", os.defpath) is None or not Path("/proc/self/fd").exists():
        pytest.skip("needs ls and /proc")

    async def open_files() -> int:
        done = await run(listing, cwd=tmp_path, env={"PATH": os.defpath}, timeout=60)
        return len(done.stdout.split())

    before = await open_files()
    async with Turns().of(lock, 60):
        later = asyncio.create_task(open_files())
        assert len(held()) == 1
        assert await later == before + 1
        after: asyncio.Event = asyncio.Event()

        async def wait_then_look() -> int:
            await after.wait()
            return await open_files()

        stale = asyncio.create_task(wait_then_look())
    after.set()
    assert await stale == before
    assert held() == ()
