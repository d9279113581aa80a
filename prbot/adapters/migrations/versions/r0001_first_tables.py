"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None

_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    _deliveries()
    _runs()
    _jobs()
    _plans()
    _intents()
    _locks()
    _journal()
    _outbox()
    _comments()
    _queue()


def _table(name: str, *parts: sa.Column[Any] | sa.UniqueConstraint) -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    seq = sa.Column("seq", number, autoincrement=True, nullable=False)
    key = sa.PrimaryKeyConstraint("seq", name=f"pk_{name}")
    op.create_table(name, seq, *parts, key, sqlite_autoincrement=True)


def _needed(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _names(column: str, table: str, other: str) -> sa.Column[Any]:
    """A column that holds the id of a row of another table."""
    key = sa.ForeignKey(f"{other}.id", name=f"fk_{table}_{column}")
    return sa.Column(column, sa.Text, key, nullable=False)


def _pull() -> tuple[sa.Column[Any], ...]:
    return _needed("forge", sa.Text), _needed("repo", sa.Text), _needed("number", sa.Integer)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _partial(name: str, table: str, where: str, *columns: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(
        name,
        table,
        list(columns),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _deliveries() -> None:
    _table(
        "deliveries",
        _needed("forge", sa.Text),
        _needed("id", sa.Text),
        _needed("event", sa.Text),
        _needed("body", sa.LargeBinary),
        _needed("received_at", _time),
        sa.Column("digested_at", _time),
        sa.Column("outcome", sa.Text),
        _unique("deliveries", "forge", "id"),
    )
    _partial("ix_deliveries_waiting", "deliveries", "digested_at IS NULL", "seq")


def _runs() -> None:
    _table(
        "runs",
        _needed("id", sa.Text),
        *_pull(),
        _needed("state", sa.Text),
        _needed("created_at", _time),
        _needed("ask", sa.JSON),
        sa.Column("checkout", sa.JSON),
        sa.Column("projects", sa.JSON),
        sa.Column("trouble", sa.JSON),
        _unique("runs", "id"),
    )
    _index("runs", "forge", "repo", "number")
    _index("runs", "state")


def _jobs() -> None:
    _table(
        "jobs",
        _needed("id", sa.Text),
        _names("run_id", "jobs", "runs"),
        _needed("dir", sa.Text),
        _needed("workspace", sa.Text),
        _needed("kind", sa.Text),
        _needed("state", sa.Text),
        _needed("fence", sa.Integer),
        sa.Column("plan_id", sa.Text),
        sa.Column("reviewed", sa.Text),
        sa.Column("trouble", sa.JSON),
        _needed("differences", sa.JSON),
        _unique("jobs", "id"),
    )
    _index("jobs", "run_id")
    _index("jobs", "state")


def _plans() -> None:
    _table(
        "plans",
        _needed("id", sa.Text),
        *_pull(),
        _needed("dir", sa.Text),
        _needed("workspace", sa.Text),
        _names("run_id", "plans", "runs"),
        _names("job_id", "plans", "jobs"),
        _needed("head", sa.Text),
        _needed("base", sa.Text),
        _needed("commit", sa.Text),
        _needed("hash", sa.Text),
        _needed("inputs", sa.JSON),
        _needed("summary", sa.JSON),
        _needed("plan_file", sa.Text),
        _needed("plan_file_sha256", sa.Text),
        _needed("plan_json", sa.Text),
        _needed("state_is_lost", sa.Boolean),
        _needed("created_at", _time),
        sa.Column("applied_at", _time),
        sa.Column("dropped_at", _time),
        _unique("plans", "id"),
    )
    _index("plans", "forge", "repo", "number")


def _intents() -> None:
    _table(
        "intents",
        _names("plan_id", "intents", "plans"),
        _names("job_id", "intents", "jobs"),
        _needed("fence", sa.Integer),
        _needed("at", _time),
        sa.Column("outcome", sa.Text),
        sa.Column("settled_at", _time),
        _unique("intents", "plan_id"),
    )
    _partial("uq_intents_unsettled", "intents", "outcome IS NULL", "job_id", unique=True)


def _locks() -> None:
    _table(
        "locks",
        *_pull(),
        _needed("dir", sa.Text),
        _needed("workspace", sa.Text),
        _needed("actor", sa.Text),
        _needed("since", _time),
        _unique("locks", "forge", "repo", "dir", "workspace"),
    )


def _journal() -> None:
    _table(
        "journal",
        _needed("at", _time),
        *_pull(),
        sa.Column("actor", sa.Text),
        _needed("subject", sa.Text),
        _needed("action", sa.Text),
        _needed("detail", sa.Text),
    )
    _index("journal", "forge", "repo", "number")
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER journal_no_{verb.lower()} BEFORE {verb} ON journal "
                "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
            )


def _outbox() -> None:
    _table(
        "outbox",
        _needed("key", sa.Text),
        *_pull(),
        _needed("letter", sa.JSON),
        _needed("due_at", _time),
        _needed("attempts", sa.Integer),
        sa.Column("settled_at", _time),
        sa.Column("why", sa.Text),
        _unique("outbox", "key"),
    )
    waiting = ("forge", "repo", "number", "seq")
    _partial("ix_outbox_waiting", "outbox", "settled_at IS NULL", *waiting)


def _comments() -> None:
    _table(
        "comments",
        *_pull(),
        _needed("marker", sa.Text),
        _needed("forge_id", sa.BigInteger),
        _unique("comments", "forge", "repo", "number", "marker"),
    )


def _queue() -> None:
    _table(
        "queue",
        _needed("kind", sa.Text),
        _needed("subject", sa.Text),
        _needed("key", sa.Text),
        _needed("priority", sa.Text),
        sa.Column("not_before", _time),
        sa.Column("claimed_at", _time),
    )
    _partial("uq_queue_waiting", "queue", "claimed_at IS NULL", "kind", "subject", unique=True)
    _partial("uq_queue_in_hand", "queue", "claimed_at IS NOT NULL", "key", unique=True)
