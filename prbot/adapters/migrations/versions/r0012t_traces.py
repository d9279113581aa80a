"""What goes on from one check for drift to the next, and what is told of being overdue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0012t"
down_revision = "r0012"


def upgrade() -> None:
    op.add_column("drift_projects", sa.Column("overdue_at", sa.DateTime(timezone=True)))
    op.add_column("drift_projects", sa.Column("trace", sa.JSON))
