"""A real store for the doors."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from prbot.adapters.store import SqlStore


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "prbot.sqlite3"


@pytest.fixture
async def empty_store(file: Path) -> AsyncIterator[SqlStore]:
    """A database without a single table: nothing can be stored."""
    store = SqlStore(f"sqlite+aiosqlite:///{file}", Clock())
    yield store
    await store.close()


@pytest.fixture
async def store(empty_store: SqlStore) -> SqlStore:
    await empty_store.migrate()
    return empty_store


@pytest.fixture
def intruder(store: SqlStore, file: Path) -> Iterator[sqlite3.Connection]:
    """Another program in the same database: BEGIN IMMEDIATE keeps everybody else waiting."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection
