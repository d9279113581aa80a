"""The store: one database, all tables inside one transaction.

SQLite, embedded, or PostgreSQL for several processes. The statements in the `store_*`
modules and the migrations are portable; `store_dialect.py` has what is not, and says how
transactions meet.

Not promised: a transaction is short. Never wait for the network or a tool inside one;
on SQLite everybody else waits as long, and PostgreSQL ends it after a minute's silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from prbot.adapters import migrations
from prbot.adapters.store_deliveries import SqlDeliveries
from prbot.adapters.store_dialect import database_at
from prbot.adapters.store_drift import SqlDriftChecks
from prbot.adapters.store_drift_issues import SqlCorrections, SqlDriftIssues
from prbot.adapters.store_drift_tally import SqlDriftTally
from prbot.adapters.store_freezes import SqlFreezes
from prbot.adapters.store_installation import settled_key
from prbot.adapters.store_journal import SqlJournal
from prbot.adapters.store_landings import SqlLandings
from prbot.adapters.store_locks import SqlLocks
from prbot.adapters.store_outbox import SqlOutbox
from prbot.adapters.store_plans import SqlPlans
from prbot.adapters.store_repositories import SqlRepositories
from prbot.adapters.store_runs import SqlRuns
from prbot.adapters.store_transaction import Transaction, open_transaction, to_the_end
from prbot.errors.store import StoreUnavailable
from prbot.ports.clock import Clock


@dataclass(frozen=True)
class SqlUnitOfWork:
    """All tables inside one transaction."""

    deliveries: SqlDeliveries
    runs: SqlRuns
    plans: SqlPlans
    locks: SqlLocks
    freezes: SqlFreezes
    landings: SqlLandings
    journal: SqlJournal
    outbox: SqlOutbox
    repositories: SqlRepositories
    drift: SqlDriftChecks
    drift_issues: SqlDriftIssues
    corrections: SqlCorrections
    drift_tally: SqlDriftTally


class SqlStore:
    """Meets `Store`. `url` is `sqlite+aiosqlite:///FILE` or `postgresql://…`.

    Every method raises StoreUnavailable when the database does not answer. One that was
    started again is found again by itself.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._clock = clock
        self._database = database_at(url)
        self._engine = self._database.engine()
        self._inside: set[asyncio.Task[Any] | None] = set()

    async def probe(self) -> str:
        """For example `SQLite 3.40.1, /var/lib/x.db, revision r0001`."""
        async with self.transaction() as db:
            product = await self._database.product(db)
            revision = await db.run_sync(migrations.current)
        return f"{product}, {self._database.place}, revision {revision or 'none'}"

    async def migrate(self) -> None:
        """Bring the tables up to this code, all or nothing. Raises StoreTooNew.

        A new database file is readable by its owner only. Processes that start together
        do it one after another.
        """
        self._database.claim_place()
        async with self.transaction() as db:
            await self._database.alone(db)
            await db.run_sync(migrations.upgrade)

    async def check(self) -> None:
        """Change nothing. Raises StoreTooNew or StoreTooOld when the tables are not those of
        this code, and NoDatabase when there is not even a file."""
        self._database.check_place()
        async with self.transaction() as db:
            await db.run_sync(migrations.check)

    async def installation(self, fingerprint: str, lost: str | None = None) -> str:
        async with self.transaction() as db:
            return await settled_key(db, fingerprint, lost, self._clock.now())

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqlUnitOfWork]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        One opened inside another by the same task could wait for itself: RuntimeError.
        """
        async with self.transaction() as db:
            journal = SqlJournal(db)
            yield SqlUnitOfWork(
                deliveries=SqlDeliveries(db, self._clock),
                runs=SqlRuns(db, self._clock, journal),
                plans=SqlPlans(db, self._clock, journal),
                locks=SqlLocks(db),
                freezes=SqlFreezes(db, journal),
                landings=SqlLandings(db),
                journal=journal,
                outbox=SqlOutbox(db, self._clock),
                repositories=SqlRepositories(db),
                drift=SqlDriftChecks(db),
                drift_issues=SqlDriftIssues(db),
                corrections=SqlCorrections(db),
                drift_tally=SqlDriftTally(db),
            )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """What `begin` stands on; for tables that live beside those of the port."""
        task = asyncio.current_task()
        if task in self._inside:
            raise RuntimeError("a transaction was opened inside another")
        self._inside.add(task)
        try:
            async with self._database.turn():
                with self._trouble_told():
                    async with open_transaction(self._engine) as db:
                        yield db
        finally:
            self._inside.discard(task)

    async def close(self) -> None:
        await to_the_end(self._engine.dispose())

    @contextmanager
    def _trouble_told(self) -> Iterator[None]:
        """Say what the database said, except where the statement itself was at fault."""
        try:
            yield
        except (IntegrityError, ProgrammingError, DataError):
            raise
        except (DatabaseError, InterfaceError) as error:
            raise StoreUnavailable(self._database.place, str(error.orig)) from error
        except NoConnectionFree as error:
            raise StoreUnavailable(self._database.place, "every connection is in use") from error
