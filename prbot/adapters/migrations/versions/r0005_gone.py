"""What states a run's commit leaves without anybody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0005"
down_revision = "r0004"


def upgrade() -> None:
    op.add_column("runs", sa.Column("gone", sa.JSON))
