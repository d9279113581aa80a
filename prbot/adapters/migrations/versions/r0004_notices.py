"""What finding the projects of a run brought up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"


def upgrade() -> None:
    op.add_column("runs", sa.Column("notices", sa.JSON))
