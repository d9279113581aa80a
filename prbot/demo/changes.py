"""Wakes whoever waits for the forge to change: tests, the script, open pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Changes:
    """A counter of changes, and an event for the next one."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def tell(self) -> None:
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def after(self, count: int) -> None:
        """Return once more than `count` changes have happened."""
        while self.count <= count:
            await self._next.wait()

    async def until(self, look: Callable[[], T | None], timeout: float) -> T:  # noqa: ASYNC109 - it is one, inside
        """The first truthy answer of `look`, asked now and after each change.

        Raises TimeoutError after `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while True:
                seen = self.count
                if found := look():
                    return found
                await self.after(seen)
