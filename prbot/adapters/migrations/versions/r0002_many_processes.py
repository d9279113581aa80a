"""What several processes on one database need: versions, leases, and fences of letters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001r"

_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("runs", _count("version"))
    op.add_column("jobs", sa.Column("worker", sa.Text))
    op.add_column("jobs", sa.Column("lease_until", _time))
    never = sa.Column("stop_asked", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("jobs", never)
    op.add_column("outbox", sa.Column("worker", sa.Text))
    op.add_column("outbox", _count("fence"))
    _index_kept_plans()
    if op.get_context().dialect.name == "postgresql":
        _keep_journal()


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _index_kept_plans() -> None:
    kept = sa.text("dropped_at IS NULL")
    op.create_index(
        "ix_plans_kept", "plans", ["created_at"], sqlite_where=kept, postgresql_where=kept
    )


def _keep_journal() -> None:
    """Lines are only ever added. SQLite's triggers came with the table."""
    op.execute(
        "CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = "
        "'integrity_constraint_violation'; END $$"
    )
    for verb, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER journal_no_{verb.lower()} BEFORE {verb} ON journal "
            f"FOR EACH {each} EXECUTE FUNCTION journal_is_append_only()"
        )
