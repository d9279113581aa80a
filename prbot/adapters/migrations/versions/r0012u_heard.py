"""Which comments on issues about drift are answered, whoever told of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0012u"
down_revision = "r0012t"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "drift_heard",
        sa.Column("seq", number, autoincrement=True, nullable=False),
        sa.Column("forge", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("comment", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_drift_heard"),
        sa.UniqueConstraint("forge", "place", "comment", name="uq_drift_heard_forge_place_comment"),
        sqlite_autoincrement=True,
    )
