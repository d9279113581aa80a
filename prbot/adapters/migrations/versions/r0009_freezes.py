"""Freezes, and what a line of the journal tells beside its words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0009"
down_revision = "r0005"

_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("journal", sa.Column("commit", sa.Text))
    op.add_column("journal", sa.Column("plan_id", sa.Text))
    op.add_column("journal", sa.Column("approvals", sa.JSON))
    _freezes()


def _freezes() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "freezes",
        sa.Column("seq", number, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("forge", sa.Text),
        sa.Column("repo", sa.Text),
        sa.Column("environment", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("declared_by", sa.Text, nullable=False),
        sa.Column("since", _time, nullable=False),
        sa.Column("until", _time),
        sa.Column("lifted_at", _time),
        sa.Column("lifted_by", sa.Text),
        sa.PrimaryKeyConstraint("seq", name="pk_freezes"),
        sa.UniqueConstraint("id", name="uq_freezes_id"),
        sqlite_autoincrement=True,
    )
    kept = sa.text("lifted_at IS NULL")
    op.create_index(
        "ix_freezes_not_lifted", "freezes", ["seq"], sqlite_where=kept, postgresql_where=kept
    )
