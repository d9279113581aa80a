"""Migrations: from nothing to now, again for nothing, and never backwards."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from prbot.adapters.store import SqlStore
from prbot.adapters.store_tables import metadata
from prbot.errors import StoreTooNew


def differences(connection: Connection) -> list[Any]:
    return compare_metadata(MigrationContext.configure(connection), metadata)


async def test_revisions_make_the_tables_the_code_knows(store: SqlStore) -> None:
    """It ends with exactly the columns, indexes and keys of `store_tables`."""
    async with store.transaction() as db:
        assert await db.run_sync(differences) == []


async def test_a_current_database_is_left_alone(scene: Any) -> None:
    """It changes nothing the second time and keeps every row."""
    job = await scene.a_stored_job()
    await scene.store.migrate()
    async with scene.store.begin() as tables:
        assert await tables.runs.get_job(job.id) == job


async def test_two_processes_may_migrate_at_once(open_store: Callable[[], SqlStore]) -> None:
    """It makes the tables once when two start together on an empty file."""
    first, second = open_store(), open_store()
    await asyncio.gather(first.migrate(), second.migrate())
    assert re.search(r"revision r\d{4}\w*$", await first.probe())


async def test_a_newer_database_is_refused(store: SqlStore) -> None:
    """It names the unknown revision and touches nothing."""
    async with store.transaction() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    with pytest.raises(StoreTooNew, match=r"at revision r9999, this prbot knows r\d{4}"):
        await store.migrate()
    assert (await store.probe()).endswith("revision r9999")


async def test_a_failed_migration_leaves_nothing(open_store: Callable[[], SqlStore]) -> None:
    """It is all or nothing: where one table cannot be made, none is."""
    store = open_store()
    async with store.transaction() as db:
        await db.execute(text("CREATE TABLE outbox (x INTEGER)"))
    with pytest.raises(Exception, match="outbox already exists"):
        await store.migrate()
    async with store.transaction() as db:
        tables = await db.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        assert list(tables.scalars()) == ["outbox"]


async def test_migrating_says_nothing(
    open_store: Callable[[], SqlStore], capfd: pytest.CaptureFixture[str]
) -> None:
    """It writes neither to stdout nor to stderr."""
    await open_store().migrate()
    assert capfd.readouterr() == ("", "")
