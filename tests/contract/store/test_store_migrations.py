"""Migrations: from nothing to now, again for nothing, and never backwards."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from prbot.adapters import migrations
from prbot.adapters.store import SqlStore
from prbot.adapters.store_tables import metadata
from prbot.errors.store import StoreTooNew, StoreTooOld
from prbot.model import RunId
from prbot.ports.outbox import ReactionLetter


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
    """It makes the tables once when two start together on an empty database.

    A new SQLite file takes its journal mode from the first to open it, which SQLite does
    not let two do at once; the state directory's lock keeps a second process out.
    """
    first, second = open_store(), open_store()
    async with first.transaction():
        pass
    await asyncio.gather(first.migrate(), second.migrate())
    assert re.search(r"revision r\d{4}\w*$", await first.probe())


async def test_a_newer_database_is_refused(store: SqlStore) -> None:
    """It names the unknown revision and touches nothing."""
    async with store.transaction() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    with pytest.raises(StoreTooNew, match=r"at revision r9999, this prbot knows r\d{4}"):
        await store.migrate()
    assert (await store.probe()).endswith("revision r9999")


async def test_a_look_changes_nothing(store: SqlStore, open_store: Callable[[], SqlStore]) -> None:
    """It is content with the tables of this code, and leaves older ones as they are."""
    await store.check()
    async with store.transaction() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = 'r0005'"))
    with pytest.raises(StoreTooOld, match=r"at revision r0005, this prbot needs r\d{4}"):
        await open_store().check()
    assert (await store.probe()).endswith("revision r0005")


async def test_a_failed_migration_leaves_nothing(open_store: Callable[[], SqlStore]) -> None:
    """It is all or nothing: where one table cannot be made, none is."""
    store = open_store()
    async with store.transaction() as db:
        await db.execute(text("CREATE TABLE outbox (x INTEGER)"))
    with pytest.raises(Exception, match=r"outbox.* already exists"):
        await store.migrate()
    async with store.transaction() as db:
        assert await db.run_sync(lambda connection: inspect(connection).get_table_names()) == [
            "outbox"
        ]


async def test_migrating_says_nothing(
    open_store: Callable[[], SqlStore], capfd: pytest.CaptureFixture[str]
) -> None:
    """It writes neither to stdout nor to stderr."""
    await open_store().migrate()
    assert capfd.readouterr() == ("", "")


FIRST_ROWS = (
    "INSERT INTO runs (id, forge, repo, number, state, created_at, ask)"
    " VALUES ('r-1', 'gh', 'acme/infra', 7, 'working', '2025-03-01 12:00:00.000000',"
    """ '{"kind": "apply", "actor": "ann", "reason": "comment"}')""",
    "INSERT INTO jobs (id, run_id, dir, workspace, kind, state, fence, differences)"
    " VALUES ('j-1', 'r-1', 'net', 'default', 'apply', 'running', 3, '[]')",
    "INSERT INTO outbox (key, forge, repo, number, letter, due_at, attempts)"
    """ VALUES ('k', 'gh', 'acme/infra', 7, '{"comment_id": 5}',"""
    " '2025-03-01 12:00:00.000000', 2)",
    "INSERT INTO journal (at, forge, repo, number, actor, subject, action, detail)"
    " VALUES ('2025-03-01 12:00:00.000000', 'gh', 'acme/infra', 7, 'ann', 'r-1',"
    " 'run queued', '')",
)


async def test_the_rows_of_the_first_version_are_kept(
    open_store: Callable[[], SqlStore], clock: Any
) -> None:
    """It reads what an older prbot wrote: nobody has acted on the run, the running job is
    nobody's, the letter is due, and the journal stays as it is."""
    store = open_store()
    async with store.transaction() as db:
        await db.run_sync(lambda connection: migrations.upgrade(connection, "r0001"))
        for statement in FIRST_ROWS:
            await db.execute(text(statement.replace(":", r"\:")))
    await store.migrate()
    async with store.begin() as tables:
        run = await tables.runs.get(RunId("r-1"))
        assert (run.version, run.jobs[0].fence, run.jobs[0].worker) == (0, 3, None)
        assert await tables.runs.expired(clock.now()) == run.jobs
        (row,) = await tables.outbox.due(clock.now(), "w-1", clock.now())
        assert (row.letter, row.attempts, row.fence) == (ReactionLetter(5), 2, 1)
        (line,) = await tables.journal.of_pull(run.pull)
        assert (line.actor, line.action) == ("ann", "run queued")
        assert (line.commit, line.plan_id, line.approvals) == (None, None, ())
        assert await tables.freezes.in_force(clock.now()) == ()


async def test_what_drifted_is_counted(open_store: Callable[[], SqlStore], clock: Any) -> None:
    """It finds the verdicts in what older checks found, and counts a project since now that an
    older prbot knew."""
    store = open_store()
    project = "(forge, repo, dir, workspace, held, section) VALUES ('gh', 'acme/infra',"
    async with store.transaction() as db:
        await db.run_sync(lambda connection: migrations.upgrade(connection, "r0011"))
        for values in ("""'a', 'default', '', '{"verdict": "drifted"}'""", "'b', 'x', '', NULL"):
            statement = f"INSERT INTO drift_projects {project} {values})"
            await db.execute(text(statement.replace(":", r"\:")))
    began = datetime.now(UTC)
    await store.migrate()
    async with store.begin() as tables:
        (ward,) = (await tables.drift_tally.taken(clock.now())).wards
    assert ward.verdicts == {"drifted": 1, "never-checked": 1}
    assert ward.oldest_success is not None
    assert began <= ward.oldest_success <= datetime.now(UTC)
