"""Follows a file that a running program writes, line by line.

Whoever listens may fail (a database that restarts): the same lines are then told again
with the next ones, and what the program does is not disturbed. Not promised: the last
lines, when listening fails at the very end too. They still stand in the file.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

EVERY = 0.3
"""Seconds between two looks: what came meanwhile is told at once."""
CHUNK = 4 * 1024 * 1024
"""Most bytes that are read in one look; a longer line is told when it is complete."""

Listen = Callable[[bytes], Awaitable[None]]


@asynccontextmanager
async def following(path: Path, listen: Listen, every: float = EVERY) -> AsyncIterator[None]:
    """Tell `listen` the file's new complete lines while the block lasts, and at its end."""
    place = _Place(path)
    looking = asyncio.create_task(_look(place, listen, every))
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await _tell(place, listen)


@dataclass
class _Place:
    """How much of the file was told."""

    path: Path
    told: int = 0

    def fresh(self) -> bytes:
        """Complete lines that were not told yet, as many as one look may read."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.told)
                data = file.read(CHUNK)
                if b"\n" not in data:  # a line longer than a chunk, or none at all
                    data += file.readline() if len(data) == CHUNK else b""
        except FileNotFoundError:
            return b""
        return data[: data.rfind(b"\n") + 1]


async def _look(place: _Place, listen: Listen, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        await _tell(place, listen)


async def _tell(place: _Place, listen: Listen) -> None:
    with contextlib.suppress(Exception):
        while data := place.fresh():
            # shielded: a cancelled look must neither lose lines nor tell them twice
            telling = asyncio.ensure_future(_listened(place, listen, data))
            try:
                await asyncio.shield(telling)
            except asyncio.CancelledError:
                await asyncio.gather(telling, return_exceptions=True)
                raise


async def _listened(place: _Place, listen: Listen, data: bytes) -> None:
    try:
        await listen(data)
    except Exception as error:
        log.warning("nobody listened", action="follow", path=place.path.name, error=repr(error))
        raise
    place.told += len(data)
