"""How the tables came to be: Alembic revisions, run by the store itself.

A revision never imports the tables of today: it says in full what it made then.
For developers: `alembic` needs no ini file here, because the store hands its connection
over; a test compares what the revisions make with `store_tables.py`.
"""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from prbot.errors.store import StoreTooNew, StoreTooOld


def current(connection: Connection) -> str | None:
    """The revision the database is at; None for one without tables."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run what is missing, inside the caller's transaction. Raises StoreTooNew."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = _config()
    config.attributes["connection"] = connection
    _refuse_newer(connection, ScriptDirectory.from_config(config))
    command.upgrade(config, to)


def check(connection: Connection) -> None:
    """Change nothing. Raises StoreTooNew, or StoreTooOld when something is missing."""
    scripts = ScriptDirectory.from_config(_config())
    _refuse_newer(connection, scripts)
    found, newest = current(connection), scripts.get_current_head()
    if found != newest:
        raise StoreTooOld(connection.engine.url.render_as_string(), found or "none", newest or "")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _refuse_newer(connection: Connection, scripts: ScriptDirectory) -> None:
    found = current(connection)
    known = [script.revision for script in scripts.walk_revisions()]
    if found is not None and found not in known:
        raise StoreTooNew(connection.engine.url.render_as_string(), found, known[0])
