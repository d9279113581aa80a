"""Waiting that ends when somebody rings, or when the time is up; no polling."""

from __future__ import annotations

import asyncio
from datetime import timedelta


class Alarm:
    """`ring` is remembered until the next `wait` returns, so no call is lost."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()

    async def wait(self, at_most: timedelta | None = None) -> None:
        """Return at the next ring, or after `at_most`."""
        try:
            async with asyncio.timeout(at_most.total_seconds() if at_most is not None else None):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()
