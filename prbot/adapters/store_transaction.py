"""One transaction's connection, on which every statement runs to its end.

Why: a worker is cancelled at any moment, also while the database's thread is in the
middle of a statement. A connection abandoned there would keep the write lock, and the
whole server would meet `database is locked`. So a statement that began is waited for,
and the cancellation goes on after it; local statements take milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")


async def to_the_end(work: Awaitable[T]) -> T:
    """Wait for `work`, whatever happens; a cancellation is raised when it is done."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # seen: the cancellation is what the caller hears of
        raise


@dataclass(frozen=True)
class Transaction:
    """What the tables may do with the database."""

    connection: AsyncConnection

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.connection.dialect.name

    async def execute(
        self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Once, with the values of all `rows` if there are any."""
        return await to_the_end(self.connection.execute(statement, rows))

    async def run_sync(self, work: Callable[[Connection], T]) -> T:
        """Call `work` with the connection as synchronous code knows it."""
        return await to_the_end(self.connection.run_sync(work))


@asynccontextmanager
async def open_transaction(engine: AsyncEngine) -> AsyncIterator[Transaction]:
    """Commit at the end of the block; roll back when it raises or is cancelled.

    Cancelled while it commits, the block is committed.
    """
    connection = engine.connect()
    try:
        await to_the_end(connection.start())
        await to_the_end(connection.begin())
        yield Transaction(connection)
        await to_the_end(connection.commit())
    finally:
        if connection.sync_connection is not None:
            await to_the_end(connection.close())  # rolls back what was not committed
