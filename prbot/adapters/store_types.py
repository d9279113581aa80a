"""How values become columns: time in UTC, nested values as JSON, a pull request as three.

Portable between SQLite and PostgreSQL. Texts must be valid Unicode (no lone surrogates):
neither database stores anything else. PostgreSQL stores no NUL either: words that come
from outside are `Words`, or stand in JSON, where it is escaped.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    Row,
    Table,
    Text,
    and_,
)
from sqlalchemy.types import TypeDecorator

from prbot.model import PullRef, RepoRef


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC.

    SQLite knows no time zones: there it is text in UTC with microseconds, so that order
    of text is order of time.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """What somebody said, in whatever characters: NUL is kept as its picture."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.replace("\0", "\N{SYMBOL FOR NULL}")


class Packed(TypeDecorator[Any]):
    """A nested value as JSON. Fields that were added with a default read old rows."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind  # SQLAlchemy's statement cache reads it under the argument's name
        self._adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self._adapter.dump_python(value, mode="json")

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self._adapter.validate_python(value)


def pull_columns() -> tuple[Column[Any], ...]:
    """The columns that name a pull request: forge entry, repository path, number."""
    return (
        Column("forge", Text, nullable=False),
        Column("repo", Text, nullable=False),
        Column("number", Integer, nullable=False),
    )


def pull_values(pull: PullRef) -> dict[str, Any]:
    return {"forge": pull.repo.forge, "repo": pull.repo.path, "number": pull.number}


def is_pull(table: Table, pull: PullRef) -> ColumnElement[bool]:
    return and_(is_repo(table, pull.repo), table.c.number == pull.number)


def is_repo(table: Table, repo: RepoRef) -> ColumnElement[bool]:
    return and_(table.c.forge == repo.forge, table.c.repo == repo.path)


def read_pull(row: Row[Any]) -> PullRef:
    return PullRef(RepoRef(row.forge, row.repo), row.number)
