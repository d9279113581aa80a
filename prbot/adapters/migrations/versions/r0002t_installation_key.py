"""Which installation key this database belongs to: a fingerprint, never the key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0002t"
down_revision = "r0002s"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "installation",
        sa.Column("seq", number, autoincrement=True, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_installation"),
        sa.UniqueConstraint("secret", name="uq_installation_secret"),
        sqlite_autoincrement=True,
    )
