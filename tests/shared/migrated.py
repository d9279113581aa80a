"""Databases that have today's tables already: migrated once for each test process, then
copied, because the revisions take longer than most tests that need their tables.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from postgres import PostgresServer

from prbot.adapters.store import SqlStore


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def _migrate(url: str) -> None:
    store = SqlStore(url, Clock())
    try:
        await store.migrate()
    finally:
        await store.close()


def migrate(url: str) -> None:
    """In a thread of its own: where this is asked for, an event loop may run already."""
    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, _migrate(url)).result()


@cache
def _sqlite() -> bytes:
    with tempfile.TemporaryDirectory(prefix="prbot-tables-") as directory:
        path = Path(directory) / "prbot.db"
        migrate(f"sqlite+aiosqlite:///{path}")
        return path.read_bytes()


def with_tables(path: Path) -> Path:
    """Make this an SQLite database with all tables, as readable as prbot makes it."""
    path.touch(0o600)
    path.write_bytes(_sqlite())
    return path


@pytest.fixture(scope="session")
def migrated(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a PostgreSQL database with all tables, to copy from."""
    with postgres_server.database() as url:
        migrate(url)
        yield url.rpartition("/")[2]
