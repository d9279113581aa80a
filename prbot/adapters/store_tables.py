"""The tables, as the code of today sees them; `migrations/` makes them so.

Every table has `seq`, a number that only grows: the order in which rows came, whatever
the clock did. Columns that queries need are real columns, the rest is JSON.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from prbot.adapters.store_types import Packed, UtcTime, Words, pull_columns
from prbot.drift.issue import Kept, Section
from prbot.drift.state import Trace
from prbot.model import Checkout, Login, Notice, ProjectKey
from prbot.plans.lock_file import Versions
from prbot.plans.record import Applied, Inputs, StateAt
from prbot.plans.summary import PlanSummary
from prbot.ports.outbox import Letter
from prbot.projects.gone import Gone
from prbot.runs.run import Ask, Placed, Trouble

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *parts: Column[Any] | UniqueConstraint) -> Table:
    # SQLite grows numbers by itself only in a column called exactly INTEGER
    number = BigInteger().with_variant(Integer(), "sqlite")
    seq = Column("seq", number, primary_key=True, autoincrement=True)
    return Table(name, metadata, seq, *parts, sqlite_autoincrement=True)


def _needed(name: str, kind: Any, **options: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **options)


def _counted(name: str) -> Column[Any]:
    """A number that grows from zero, also in rows that are older than the column."""
    return _needed(name, Integer, server_default="0")


def _only_where(name: str, condition: str, *columns: Column[Any], unique: bool = False) -> Index:
    """A partial index: small, whatever the table's history weighs."""
    where = text(condition)
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _project_columns() -> tuple[Column[Any], ...]:
    return tuple(_needed(name, Text) for name in ("forge", "repo", "dir", "workspace"))


deliveries = _table(
    "deliveries",
    _needed("forge", Text),
    _needed("id", Text),
    _needed("event", Text),
    _needed("body", LargeBinary),
    _needed("received_at", UtcTime),
    Column("digested_at", UtcTime),
    Column("outcome", Words),
    UniqueConstraint("forge", "id"),
)
_only_where("ix_deliveries_waiting", "digested_at IS NULL", deliveries.c.seq)

runs = _table(
    "runs",
    _needed("id", Text, unique=True),
    *pull_columns(),
    _needed("state", Text, index=True),
    _needed("created_at", UtcTime),
    _needed("ask", Packed(Ask)),
    Column("checkout", Packed(Checkout)),
    Column("projects", Packed(tuple[ProjectKey, ...])),
    Column("trouble", Packed(Trouble)),
    _counted("version"),
    Column("placed", Packed(tuple[Placed, ...])),
    Column("notices", Packed(tuple[Notice, ...])),
    Column("gone", Packed(tuple[Gone, ...])),
)
Index(None, runs.c.forge, runs.c.repo, runs.c.number)

jobs = _table(
    "jobs",
    _needed("id", Text, unique=True),
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False, index=True),
    _needed("dir", Text),
    _needed("workspace", Text),
    _needed("kind", Text),
    _needed("state", Text, index=True),
    _needed("fence", Integer),
    Column("plan_id", Text),
    Column("reviewed", Text),
    Column("trouble", Packed(Trouble)),
    _needed("differences", Packed(tuple[str, ...])),
    Column("worker", Text),
    Column("lease_until", UtcTime),
    _needed("stop_asked", Boolean, server_default=false()),
)

plans = _table(
    "plans",
    _needed("id", Text, unique=True),
    *pull_columns(),
    _needed("dir", Text),
    _needed("workspace", Text),
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("job_id", Text, ForeignKey("jobs.id"), nullable=False),
    _needed("head", Text),
    _needed("base", Text),
    _needed("commit", Text),
    _needed("hash", Text),
    _needed("inputs", Packed(Inputs)),
    _needed("summary", Packed(PlanSummary)),
    _needed("plan_file", Text),
    _needed("plan_file_sha256", Text),
    _needed("plan_json", Text),
    _needed("state_is_lost", Boolean),
    _needed("created_at", UtcTime),
    Column("applied_at", UtcTime),
    Column("dropped_at", UtcTime),
    Column("state", Packed(StateAt)),
    Column("expired_at", UtcTime),
    Column("providers", Packed(Versions)),
)
Index(None, plans.c.forge, plans.c.repo, plans.c.number)
_only_where("ix_plans_kept", "dropped_at IS NULL", plans.c.created_at)

intents = _table(
    "intents",
    Column("plan_id", Text, ForeignKey("plans.id"), nullable=False, unique=True),
    Column("job_id", Text, ForeignKey("jobs.id"), nullable=False),
    _needed("fence", Integer),
    _needed("at", UtcTime),
    Column("outcome", Text),
    Column("settled_at", UtcTime),
)
_only_where("uq_intents_unsettled", "outcome IS NULL", intents.c.job_id, unique=True)

locks = _table(
    "locks",
    *pull_columns(),
    _needed("dir", Text),
    _needed("workspace", Text),
    _needed("actor", Text),
    _needed("since", UtcTime),
    UniqueConstraint("forge", "repo", "dir", "workspace"),
)

landings = _table(
    "landings",
    *pull_columns(),
    _needed("dir", Text),
    _needed("workspace", Text),
    _needed("commit", Text),
    _needed("at", UtcTime),
    Column("settled_at", UtcTime),
    Column("settled_by", Integer),
    UniqueConstraint("forge", "repo", "number", "dir", "workspace", "commit"),
)
Index(None, landings.c.forge, landings.c.repo, landings.c.dir, landings.c.workspace)

journal = _table(
    "journal",
    _needed("at", UtcTime),
    *pull_columns(),
    Column("actor", Text),
    _needed("subject", Text),
    _needed("action", Text),
    _needed("detail", Words),
    Column("commit", Text),
    Column("plan_id", Text),
    Column("approvals", Packed(tuple[Login, ...])),
)
Index(None, journal.c.forge, journal.c.repo, journal.c.number)

freezes = _table(
    "freezes",
    _needed("id", Text, unique=True),
    _needed("scope", Text),
    Column("forge", Text),
    Column("repo", Words),
    Column("environment", Words),
    _needed("reason", Words),
    _needed("declared_by", Words),
    _needed("since", UtcTime),
    Column("until", UtcTime),
    Column("lifted_at", UtcTime),
    Column("lifted_by", Words),
)
_only_where("ix_freezes_not_lifted", "lifted_at IS NULL", freezes.c.seq)

outbox = _table(
    "outbox",
    _needed("key", Words, unique=True),
    *pull_columns(),
    _needed("letter", Packed(Letter)),
    _needed("due_at", UtcTime),
    _needed("attempts", Integer),
    Column("settled_at", UtcTime),
    Column("why", Words),
    Column("worker", Text),
    _counted("fence"),
)
_only_where(
    "ix_outbox_waiting",
    "settled_at IS NULL",
    outbox.c.forge,
    outbox.c.repo,
    outbox.c.number,
    outbox.c.seq,
)

statuses = _table(
    "statuses",
    _needed("forge", Text),
    _needed("repo", Text),
    Column("number", Integer),
    _needed("sha", Text),
    _needed("context", Text),
    Column("shown", Packed(Letter)),
    UniqueConstraint("forge", "repo", "sha", "context"),
)

repositories = _table(
    "repositories",
    _needed("forge", Text),
    _needed("repo", Text),
    _needed("seen_at", UtcTime),
    Column("reconciled_at", UtcTime),
    Column("busy_until", UtcTime),
    UniqueConstraint("forge", "repo"),
)

installation = _table(
    "installation",
    _needed("secret", Text, unique=True),
    _needed("fingerprint", Text),
    _needed("since", UtcTime),
)

comments = _table(
    "comments",
    *pull_columns(),
    _needed("marker", Text),
    _needed("forge_id", BigInteger),
    UniqueConstraint("forge", "repo", "number", "marker"),
)

drift_clock = _table(
    "drift_clock",
    _needed("name", Text, unique=True),
    _needed("seen_at", UtcTime),
    _needed("up_since", UtcTime),
)

drift_watches = _table(
    "drift_watches",
    _needed("forge", Text),
    _needed("repo", Text),
    _needed("branch", Words),
    Column("refreshed_at", UtcTime),
    _needed("skipped", Words),
    Column("baseline_at", UtcTime),
    UniqueConstraint("forge", "repo"),
)

drift_projects = _table(
    "drift_projects",
    *_project_columns(),
    Column("environment", Words),
    Column("due_at", UtcTime),
    Column("again_at", UtcTime),
    _needed("held", Words),
    Column("asked_at", UtcTime),
    Column("run_id", Text),
    Column("checked_at", UtcTime),
    Column("succeeded_at", UtcTime),
    Column("section", Packed(Section)),
    Column("applied", Packed(Applied)),
    Column("gone_at", UtcTime),
    Column("verdict", Text),
    Column("known_at", UtcTime),
    _counted("begun"),
    _counted("failed"),
    Column("overdue_at", UtcTime),
    Column("trace", Packed(Trace)),
    UniqueConstraint("forge", "repo", "dir", "workspace"),
)

drift_issues = _table(
    "drift_issues",
    _needed("forge", Text),
    _needed("repo", Text),
    _needed("kind", Text),
    _needed("group", Text),
    _needed("place", Text),
    _needed("marker", Text),
    _needed("kept", Packed(Kept)),
    UniqueConstraint("forge", "repo", "kind", "group"),
)
Index(None, drift_issues.c.forge, drift_issues.c.place, drift_issues.c.marker)

drift_heard = _table(
    "drift_heard",
    _needed("forge", Text),
    _needed("place", Text),
    _needed("comment", BigInteger),
    UniqueConstraint("forge", "place", "comment"),
)

drift_answers = _table(
    "drift_answers",
    *_project_columns(),
    _needed("kind", Text),
    _needed("by", Words),
    _needed("at", UtcTime),
    _needed("until", UtcTime),
    _needed("reason", Words),
    _needed("facts", Packed(tuple[str, ...])),
)
Index(None, drift_answers.c.forge, drift_answers.c.repo)

drift_corrections = _table(
    "drift_corrections",
    _needed("id", Text, unique=True),
    *_project_columns(),
    _needed("how", Text),
    _needed("at", UtcTime),
    Column("by", Words),
    Column("pull", Integer),
    Column("run_id", Text),
    Column("outcome", Words),
    _needed("facts", Packed(tuple[str, ...])),
)
Index(None, drift_corrections.c.forge, drift_corrections.c.repo)

queue = _table(
    "queue",
    _needed("kind", Text),
    _needed("subject", Text),
    _needed("key", Text),
    _needed("priority", Text),
    Column("not_before", UtcTime),
    Column("claimed_at", UtcTime),
    _needed("repo", Text, server_default=""),
    _needed("group", Text, server_default=""),
)
_only_where("uq_queue_waiting", "claimed_at IS NULL", queue.c.kind, queue.c.subject, unique=True)
_only_where("uq_queue_in_hand", "claimed_at IS NOT NULL", queue.c.key, unique=True)

queue_turns = _table(
    "queue_turns",
    _needed("priority", Text),
    _needed("group", Text),
    _needed("turn", BigInteger),
    UniqueConstraint("priority", "group"),
)
