"""What nightly checks for drift keep: projects, their issues, answers to them, corrections."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0011"
down_revision = "r0006"

_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    _table("drift_clock", ("name",), _text("name"), _when("seen_at"), _when("up_since"))
    _table(
        "drift_watches",
        ("forge", "repo"),
        *map(_text, ("forge", "repo", "branch")),
        sa.Column("refreshed_at", _time),
        _text("skipped"),
        sa.Column("baseline_at", _time),
    )
    _table(
        "drift_projects",
        ("forge", "repo", "dir", "workspace"),
        *_project(),
        sa.Column("environment", sa.Text),
        sa.Column("due_at", _time),
        sa.Column("again_at", _time),
        _text("held"),
        sa.Column("asked_at", _time),
        sa.Column("run_id", sa.Text),
        sa.Column("checked_at", _time),
        sa.Column("succeeded_at", _time),
        sa.Column("section", sa.JSON),
        sa.Column("applied", sa.JSON),
        sa.Column("gone_at", _time),
    )
    _issues()


def _issues() -> None:
    _table(
        "drift_issues",
        ("forge", "repo", "kind", "group"),
        *map(_text, ("forge", "repo", "kind", "group", "place", "marker")),
        _json("kept"),
    )
    _index("drift_issues", "forge", "place", "marker")
    _table(
        "drift_answers",
        (),
        *_project(),
        *map(_text, ("kind", "by")),
        *map(_when, ("at", "until")),
        _text("reason"),
        _json("facts"),
    )
    _index("drift_answers", "forge", "repo")
    _table(
        "drift_corrections",
        ("id",),
        _text("id"),
        *_project(),
        _text("how"),
        _when("at"),
        sa.Column("by", sa.Text),
        sa.Column("pull", sa.Integer),
        sa.Column("run_id", sa.Text),
        sa.Column("outcome", sa.Text),
        _json("facts"),
    )
    _index("drift_corrections", "forge", "repo")


def _table(name: str, key: tuple[str, ...], *columns: sa.Column[Any]) -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    unique = [sa.UniqueConstraint(*key, name=f"uq_{name}_{'_'.join(key)}")] if key else []
    op.create_table(
        name,
        sa.Column("seq", number, autoincrement=True, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("seq", name=f"pk_{name}"),
        *unique,
        sqlite_autoincrement=True,
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _project() -> tuple[sa.Column[Any], ...]:
    return tuple(map(_text, ("forge", "repo", "dir", "workspace")))


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _when(name: str) -> sa.Column[Any]:
    return sa.Column(name, _time, nullable=False)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, nullable=False)
