"""What merged pull requests have left to apply, in which project."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0010"
down_revision = "r0009"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "landings",
        sa.Column("seq", number, autoincrement=True, nullable=False),
        sa.Column("forge", sa.Text, nullable=False),
        sa.Column("repo", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("dir", sa.Text, nullable=False),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("commit", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.Column("settled_by", sa.Integer),
        sa.PrimaryKeyConstraint("seq", name="pk_landings"),
        sa.UniqueConstraint(
            *("forge", "repo", "number", "dir", "workspace", "commit"),
            name="uq_landings_forge_repo_number_dir_workspace_commit",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_landings_forge_repo_dir_workspace", "landings", ["forge", "repo", "dir", "workspace"]
    )
