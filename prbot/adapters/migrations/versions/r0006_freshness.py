"""The snapshot of the state that a plan was made on, and since when a plan is too old."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0006"
down_revision = "r0010"


def upgrade() -> None:
    op.add_column("plans", sa.Column("state", sa.JSON))
    op.add_column("plans", sa.Column("expired_at", sa.DateTime(timezone=True)))
