"""The queue knows repositories, for their limits, and groups, which take turns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0001q"
down_revision = "r0001"


def upgrade() -> None:
    for name in ("repo", "group"):
        op.add_column("queue", sa.Column(name, sa.Text, nullable=False, server_default=""))
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "queue_turns",
        sa.Column("seq", number, autoincrement=True, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("group", sa.Text, nullable=False),
        sa.Column("turn", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_queue_turns"),
        sa.UniqueConstraint("priority", "group", name="uq_queue_turns_priority_group"),
        sqlite_autoincrement=True,
    )
