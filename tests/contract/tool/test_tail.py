"""Following a file that somebody else writes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from prbot.adapters.tail import following

QUICK = 0.001


class Listener:
    """Remembers what it heard, and refuses as long as it is deaf."""

    def __init__(self, deaf: int = 0) -> None:
        self.deaf = deaf
        self.heard = b""
        self.came = asyncio.Event()

    async def __call__(self, data: bytes) -> None:
        if self.deaf:
            self.deaf -= 1
            raise ConnectionError("the database is away")
        self.heard += data
        self.came.set()


async def test_hears_lines_while_they_come(tmp_path: Path) -> None:
    """It tells a line as soon as it is complete, each once, and the rest at the end."""
    path, listener = tmp_path / "out", Listener()
    async with following(path, listener, QUICK):
        with path.open("ab", buffering=0) as file:
            file.write(b"one\nhalf")
            await asyncio.wait_for(listener.came.wait(), 10)
            assert listener.heard == b"one\n"
            file.write(b" more\nthree\nfour")
    assert listener.heard == b"one\nhalf more\nthree\n"


async def test_tells_again_what_was_not_heard(tmp_path: Path) -> None:
    """It neither loses nor doubles lines when the listener fails, and goes on itself."""
    path, listener = tmp_path / "out", Listener(deaf=3)
    path.write_bytes(b"one\ntwo\n")
    async with following(path, listener, QUICK):
        await asyncio.wait_for(listener.came.wait(), 10)
    assert listener.heard == b"one\ntwo\n"


async def test_tells_the_end_when_cancelled(tmp_path: Path) -> None:
    """It tells what stands in the file also when the block is cancelled."""
    path, listener = tmp_path / "out", Listener()
    entered = asyncio.Event()

    async def follow() -> None:
        async with following(path, listener, every=60):
            path.write_bytes(b"one\n")
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(follow())
    await entered.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert listener.heard == b"one\n"


async def test_no_file(tmp_path: Path) -> None:
    """It tells nothing of a file that never comes."""
    listener = Listener()
    async with following(tmp_path / "none", listener, QUICK):
        pass
    assert listener.heard == b""
