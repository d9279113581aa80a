"""When each repository was first met, and when the forge was last asked about it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0001r"
down_revision = "r0001q"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    time = sa.DateTime(timezone=True)
    op.create_table(
        "repositories",
        sa.Column("seq", number, autoincrement=True, nullable=False),
        sa.Column("forge", sa.Text, nullable=False),
        sa.Column("repo", sa.Text, nullable=False),
        sa.Column("seen_at", time, nullable=False),
        sa.Column("reconciled_at", time),
        sa.Column("busy_until", time),
        sa.PrimaryKeyConstraint("seq", name="pk_repositories"),
        sa.UniqueConstraint("forge", "repo", name="uq_repositories_forge_repo"),
        sqlite_autoincrement=True,
    )
    op.execute(
        "INSERT INTO repositories (forge, repo, seen_at, reconciled_at)"
        " SELECT forge, repo, MIN(created_at), MAX(created_at) FROM runs GROUP BY forge, repo"
    )
