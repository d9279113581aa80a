"""What SQLite and PostgreSQL do differently; everything else of the store is one code.

SQLite has one writer at a time. Two transactions that both read first and then write
would meet with `database is locked`, so each begins as a writer (BEGIN IMMEDIATE).
Within this process they queue on a lock, fairly and for nothing; only another process
on the same file is waited for by SQLite's own busy timer.

PostgreSQL runs transactions side by side, at READ COMMITTED. That suffices because
nothing is written on the strength of what was read, unless the row is locked or the
statement says again, in its WHERE, what must still be so. Locks are taken in one order
everywhere: run, pull request (`one_at_a_time`), job, plan, intent. Whoever waits for one
longer than PATIENCE, or meets a deadlock all the same, hears StoreUnavailable.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Column, Table, event, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from prbot.adapters.store_transaction import Transaction
from prbot.errors.store import NoDatabase, StoreUnavailable

PATIENCE_MS = 30_000
"""How long a statement waits for somebody else's transaction before we give up."""
ABANDONED_MS = 60_000
"""After so long PostgreSQL ends a transaction whose process says nothing more."""
CONNECTIONS = 10
"""How many transactions one process has on PostgreSQL at once; others queue for them."""

ALERT: Mapping[str, Any] = {
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""How soon a connection is given up whose other end vanished without a word, as when a
machine loses power or a router forgets: seconds, and milliseconds for the last. The
system's own patience is 15 minutes for what was sent, and for ever for who only listens."""


class Database(Protocol):
    """One database server or file, as far as the store must know which it is."""

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        ...

    def engine(self) -> AsyncEngine: ...
    def turn(self) -> AbstractAsyncContextManager[Any]:
        """What a transaction waits for before it asks for a connection."""
        ...

    def claim_place(self) -> None:
        """Before the first migration. Raises StoreUnavailable."""
        ...

    def check_place(self) -> None:
        """Before a look at what is there. Raises NoDatabase."""
        ...

    async def alone(self, db: Transaction) -> None:
        """Wait until no other process migrates, and keep them waiting."""
        ...

    async def product(self, db: Transaction) -> str:
        """Name and version."""
        ...


def database_at(url: str) -> Database:
    """`sqlite+aiosqlite:///FILE`, or `postgresql://…` with any driver named or none."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return Postgres(parsed.set(drivername="postgresql+psycopg"))
    return Sqlite(parsed)


async def insert_once(db: Transaction, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert, or do nothing and return False when a unique value stands there already.

    Who inserts the same at the same time is waited for.
    """
    insert = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
    once = insert(table).values(**values).on_conflict_do_nothing().returning(table.c.seq)
    return (await db.execute(once)).scalar() is not None


async def insert_new(
    db: Transaction,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[Column[Any]],
) -> set[tuple[Any, ...]]:
    """Insert, numbered in order, the rows whose unique values are new; returns their keys.

    In one statement, so that many rows cost little more than one. On PostgreSQL in the
    order of their keys: two who insert the same rows then never wait for each other.
    """
    if not rows:
        return set()
    insert = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
    statement = insert(table).on_conflict_do_nothing().returning(*key)
    if db.dialect == "postgresql":
        names = [column.name for column in key]
        rows = sorted(await _numbered(db, table, rows), key=itemgetter(*names))
    return {tuple(row) for row in await db.execute(statement, rows)}


async def _numbered(
    db: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    """The same with the numbers PostgreSQL would give them, one after another."""
    sequence = func.pg_get_serial_sequence(table.name, table.c.seq.name)
    each = func.generate_series(1, len(rows)).table_valued("n")
    numbers = await db.execute(select(func.nextval(sequence)).select_from(each))
    return [{"seq": seq, **row} for seq, row in zip(sorted(numbers.scalars()), rows, strict=True)]


async def one_at_a_time(db: Transaction, what: str) -> None:
    """Until this transaction ends nobody else gets past the same call.

    PostgreSQL gives numbers out before the commit: without this, of two letters of one
    pull request the later number could be committed, and sent, first.
    """
    if db.dialect == "postgresql":
        number = func.hashtextextended(what, 0)
        await db.execute(select(func.pg_advisory_xact_lock(number)))


@dataclass(frozen=True)
class Sqlite:
    """Meets `Database`. One file, one writer."""

    url: URL
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def place(self) -> str:
        return self.url.database or ""

    def engine(self) -> AsyncEngine:
        engine = create_async_engine(self.url)
        event.listen(engine.sync_engine, "connect", _prepare_file)
        event.listen(engine.sync_engine, "begin", _begin_as_writer)
        return engine

    def turn(self) -> AbstractAsyncContextManager[Any]:
        return self._writing

    def claim_place(self) -> None:
        """Make a new file private, or see that the old one can be used.

        Looked at before the driver does, because its thread outlives a failed opening.
        An existing file is never opened here: closing it would drop this process's own
        locks. SQLite's side files follow its mode.
        """
        file = Path(self.place)
        try:
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if not (file.is_file() and os.access(file, os.R_OK | os.W_OK)):
                raise StoreUnavailable(
                    self.place, "it is no file that prbot may read and write"
                ) from None
        except OSError as error:
            raise StoreUnavailable(self.place, str(error.strerror)) from error

    def check_place(self) -> None:
        if not Path(self.place).is_file():  # SQLite would make one
            raise NoDatabase(self.place)

    async def alone(self, db: Transaction) -> None:
        """Every transaction is."""

    async def product(self, db: Transaction) -> str:
        version = (await db.execute(text("SELECT sqlite_version()"))).scalar_one()
        return f"SQLite {version}"


@dataclass(frozen=True)
class Postgres:
    """Meets `Database`. A connection is tried before each use, so that a server that was
    started again costs at most the transactions that were open."""

    url: URL

    @property
    def place(self) -> str:
        return self.url.render_as_string(hide_password=True).replace("+psycopg", "", 1)

    def engine(self) -> AsyncEngine:
        engine = create_async_engine(
            self.url,
            pool_pre_ping=True,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=PATIENCE_MS / 1000,
            isolation_level="READ COMMITTED",
            connect_args={"connect_timeout": 10, "application_name": "prbot", **ALERT},
        )
        event.listen(engine.sync_engine, "connect", _prepare_session)
        return engine

    def turn(self) -> AbstractAsyncContextManager[Any]:
        return nullcontext()

    def claim_place(self) -> None:
        """The database itself is made by whoever runs the server."""

    def check_place(self) -> None:
        """The server tells when it has no such database."""

    async def alone(self, db: Transaction) -> None:
        await one_at_a_time(db, "prbot migrates")

    async def product(self, db: Transaction) -> str:
        version: str = (await db.execute(text("SHOW server_version"))).scalar_one()
        return f"PostgreSQL {version.split()[0]}"


PRAGMAS = (
    f"busy_timeout = {PATIENCE_MS}",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    # Room for a whole transaction of webhooks, and 16 MB of them before they are copied from
    # the log into the file: with SQLite's own 2 and 4 MB a flood costs half as much again.
    "cache_size = -16384",
    "wal_autocheckpoint = 4096",
)


def _prepare_file(connection: Any, _record: Any) -> None:
    """Set up each new connection; the driver itself shall never begin a transaction."""
    try:
        connection.isolation_level = None
        _say(connection, *(f"PRAGMA {pragma}" for pragma in PRAGMAS))
    except BaseException:
        connection.close()  # nobody else knows of it yet
        raise


def _begin_as_writer(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare_session(connection: Any, _record: Any) -> None:
    """Nobody waits for ever: neither we for a lock, nor others for us when this machine
    vanishes inside a transaction."""
    _say(
        connection,
        f"SET lock_timeout = {PATIENCE_MS}",
        f"SET idle_in_transaction_session_timeout = {ABANDONED_MS}",
    )
    connection.commit()


def _say(connection: Any, *statements: str) -> None:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
