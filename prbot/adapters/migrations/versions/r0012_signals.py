"""What metrics of drift count: the newest verdict as a column, since when a project is known, and
how many of its checks were begun and failed."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "r0012"
down_revision = "r0011"


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.add_column("drift_projects", sa.Column("verdict", sa.Text))
    op.add_column("drift_projects", sa.Column("known_at", time))
    for name in ("begun", "failed"):
        number = sa.Column(name, sa.Integer, nullable=False, server_default="0")
        op.add_column("drift_projects", number)
    projects = sa.table(
        "drift_projects",
        sa.column("section", sa.JSON),
        sa.column("verdict", sa.Text),
        sa.column("known_at", time),
    )
    now = datetime.now(UTC)
    if op.get_bind().dialect.name == "sqlite":  # which knows no zones: there it is text in UTC
        now = now.replace(tzinfo=None)
    op.execute(
        projects.update().values(known_at=now, verdict=projects.c.section["verdict"].as_string())
    )
