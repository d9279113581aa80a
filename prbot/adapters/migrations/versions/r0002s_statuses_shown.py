"""Statuses that the forge shows, so that none is written twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0002s"
down_revision = "r0002"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "statuses",
        sa.Column("seq", number, autoincrement=True, nullable=False),
        sa.Column("forge", sa.Text, nullable=False),
        sa.Column("repo", sa.Text, nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("sha", sa.Text, nullable=False),
        sa.Column("context", sa.Text, nullable=False),
        sa.Column("shown", sa.JSON),
        sa.PrimaryKeyConstraint("seq", name="pk_statuses"),
        sa.UniqueConstraint(
            "forge", "repo", "sha", "context", name="uq_statuses_forge_repo_sha_context"
        ),
        sqlite_autoincrement=True,
    )
