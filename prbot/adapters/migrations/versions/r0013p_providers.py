"""Which versions of providers made a plan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0013p"
down_revision = "r0012u"


def upgrade() -> None:
    op.add_column("plans", sa.Column("providers", sa.JSON))
