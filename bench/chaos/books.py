"""What prbot's database says, read from beside it and never written.

Knows the tables by their names (`prbot/adapters/store_tables.py`), not through prbot's
own code: what is looked at here must not depend on what is tried.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from prbot.runs.run import RunState

Row = Mapping[str, Any]
UNFINISHED = ", ".join(f"'{state}'" for state in RunState if not state.finished)
OPEN = {
    "deliveries not digested": "SELECT count(*) FROM deliveries WHERE digested_at IS NULL",
    "runs not ended": f"SELECT count(*) FROM runs WHERE state IN ({UNFINISHED})",  # noqa: S608 - our own words
    "letters not sent": "SELECT count(*) FROM outbox WHERE settled_at IS NULL",
}


@dataclass(frozen=True)
class AskedRun:
    """A run, and the comment that asked for it (None: an event did)."""

    id: str
    kind: str
    state: str
    head: str | None
    comment_id: int | None


@dataclass(frozen=True)
class Books:
    """`address`: a path of SQLite's file, or a PostgreSQL URL."""

    address: str
    _connections: list[Any] = field(default_factory=list)

    def close(self) -> None:
        while self._connections:
            self._connections.pop().close()

    def rows(self, query: str) -> list[Row]:
        """All rows; none while there is no database, or no such table, yet."""
        try:
            if not self._connections:
                self._connections.append(_connected(self.address))
            return [dict(row) for row in self._connections[0].execute(query)]
        except psycopg.errors.UndefinedTable:
            return []
        except sqlite3.OperationalError as error:
            if str(error).startswith(("no such table", "unable to open")):
                return []
            raise

    def count(self, query: str) -> int:
        return next((int(next(iter(row.values()))) for row in self.rows(query)), 0)

    def open(self) -> dict[str, int]:
        """What prbot still has to do, in words and numbers; empty when it is at rest."""
        found = {what: self.count(query) for what, query in OPEN.items()}
        return {what: number for what, number in found.items() if number}

    def transitions(self) -> int:
        """How many lines the journal has."""
        return self.count("SELECT count(*) FROM journal")

    def journal(self) -> list[Row]:
        return self.rows("SELECT at, subject, action, detail FROM journal ORDER BY seq")

    def locks(self) -> list[Row]:
        return self.rows("SELECT repo, number, dir FROM locks")

    def intents(self) -> list[str | None]:
        """How each apply that was intended ended (None: not yet), oldest first."""
        return [row["outcome"] for row in self.rows("SELECT outcome FROM intents ORDER BY seq")]

    def runs(self) -> list[AskedRun]:
        found = []
        for row in self.rows("SELECT id, state, ask FROM runs ORDER BY seq"):
            ask = json.loads(row["ask"]) if isinstance(row["ask"], str) else row["ask"]
            about = (ask.get("head_sha"), ask.get("comment_id"))
            found.append(AskedRun(row["id"], ask["kind"], row["state"], *about))
        return found


def _connected(address: str) -> Any:
    """Each query is a transaction of its own, so that it sees what was committed last."""
    if address.startswith("postgresql"):
        return psycopg.connect(address, autocommit=True, row_factory=dict_row)
    connection = sqlite3.connect(
        f"file:{address}?mode=ro", uri=True, timeout=5, isolation_level=None
    )
    connection.row_factory = sqlite3.Row
    return connection
