"""The store: one database, one transaction at a time, all tables inside it.

SQLite, embedded, is what this version runs on. The statements in the `store_*` modules
and the migrations are portable; what is SQLite's own stands here and in the journal's
trigger.

Why one writer at a time: SQLite has one anyway. Two transactions that both read first
and then write would meet with `database is locked`, so each begins as a writer (BEGIN
IMMEDIATE). Within this process they queue on a lock, fairly and for nothing; only
another process on the same file is waited for by SQLite's own busy timer.

Not promised: a transaction is short. Never wait for the network or a tool inside one;
everybody else waits as long.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DatabaseError, IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine

from prbot.adapters import migrations
from prbot.adapters.store_deliveries import SqlDeliveries
from prbot.adapters.store_journal import SqlJournal
from prbot.adapters.store_locks import SqlLocks
from prbot.adapters.store_outbox import SqlOutbox
from prbot.adapters.store_plans import SqlPlans
from prbot.adapters.store_repositories import SqlRepositories
from prbot.adapters.store_runs import SqlRuns
from prbot.adapters.store_transaction import Transaction, open_transaction, to_the_end
from prbot.errors import StoreUnavailable
from prbot.ports import Clock

BUSY_TIMEOUT_MS = 30_000
"""How long another process may hold the file before we give up."""


@dataclass(frozen=True)
class SqlUnitOfWork:
    """All tables inside one transaction."""

    deliveries: SqlDeliveries
    runs: SqlRuns
    plans: SqlPlans
    locks: SqlLocks
    journal: SqlJournal
    outbox: SqlOutbox
    repositories: SqlRepositories


class SqlStore:
    """Meets `Store`. `url` is SQLAlchemy's, such as `sqlite+aiosqlite:////var/lib/x.db`.

    Every method raises StoreUnavailable when the database does not answer.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._clock = clock
        self._url = make_url(url)
        self._engine = create_async_engine(self._url)
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[Any] | None = None
        event.listen(self._engine.sync_engine, "connect", _prepare)
        event.listen(self._engine.sync_engine, "begin", _begin_as_writer)

    async def probe(self) -> str:
        """For example `SQLite 3.40.1, /var/lib/x.db, revision r0001`."""
        async with self.transaction() as db:
            version = (await db.execute(text("SELECT sqlite_version()"))).scalar_one()
            revision = await db.run_sync(migrations.current)
        return f"SQLite {version}, {self._url.database}, revision {revision or 'none'}"

    async def migrate(self) -> None:
        """Bring the tables up to this code, all or nothing. Raises StoreTooNew.

        A new database file is readable by its owner only; SQLite's side files follow it.
        """
        _claim_place(self._url)
        async with self.transaction() as db:
            await db.run_sync(migrations.upgrade)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqlUnitOfWork]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        One opened inside another by the same task would wait for itself: RuntimeError.
        """
        async with self.transaction() as db:
            journal = SqlJournal(db)
            yield SqlUnitOfWork(
                deliveries=SqlDeliveries(db, self._clock),
                runs=SqlRuns(db, self._clock, journal),
                plans=SqlPlans(db, self._clock, journal),
                locks=SqlLocks(db),
                journal=journal,
                outbox=SqlOutbox(db, self._clock),
                repositories=SqlRepositories(db),
            )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """What `begin` stands on; for tables that live beside those of the port."""
        if self._writer is asyncio.current_task():
            raise RuntimeError("a transaction was opened inside another")
        async with self._writing:
            self._writer = asyncio.current_task()
            try:
                with self._trouble_told():
                    async with open_transaction(self._engine) as db:
                        yield db
            finally:
                self._writer = None

    async def close(self) -> None:
        await to_the_end(self._engine.dispose())

    @contextmanager
    def _trouble_told(self) -> Iterator[None]:
        """Say what the database said, except where the statement itself was at fault."""
        try:
            yield
        except (IntegrityError, ProgrammingError):
            raise
        except DatabaseError as error:
            raise StoreUnavailable(str(self._url), str(error.orig)) from error


def _claim_place(url: URL) -> None:
    """Make a new file private, or see that the old one can be used.

    Looked at before the driver does, because its thread outlives a failed opening. An
    existing file is never opened here: closing it would drop this process's own locks.
    """
    file = Path(url.database or "")
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if not (file.is_file() and os.access(file, os.R_OK | os.W_OK)):
            raise StoreUnavailable(
                str(url), "it is no file that prbot may read and write"
            ) from None
    except OSError as error:
        raise StoreUnavailable(str(url), str(error.strerror)) from error


def _prepare(connection: Any, _record: Any) -> None:
    """Set up each new connection; the driver itself shall never begin a transaction."""
    try:
        connection.isolation_level = None
        _set_pragmas(connection.cursor())
    except BaseException:
        connection.close()  # nobody else knows of it yet
        raise


def _set_pragmas(cursor: Any) -> None:
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_as_writer(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
