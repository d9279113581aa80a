"""What the projects of a run wait for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002t"


def upgrade() -> None:
    op.add_column("runs", sa.Column("placed", sa.JSON))
