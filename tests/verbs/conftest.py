"""An operator's file with a database beside it, as a service of this version left it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from migrated import with_tables

from prbot.adapters.store import SqlStore
from prbot.cli import run

T = TypeVar("T")

FILE = """\
listen: 127.0.0.1:0
state_dir: {state}
repositories: ["acme/*"]
forges:
  - {{name: github, kind: github, token: env://NO_TOKEN, webhook_secret: env://NO_SECRET}}
"""


GITLAB = """\
  - {name: lab, kind: gitlab, token: env://NO_TOKEN, webhook_secret: env://NO_SECRET}
"""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Office:
    """Runs verbs on the operator's file, and asks the database beside them."""

    directory: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def file(self) -> Path:
        return self.directory / "operator.yaml"

    @property
    def database(self) -> Path:
        return self.directory / "state" / "prbot.sqlite3"

    def does(self, work: Callable[[SqlStore], Awaitable[T]]) -> T:
        async def done() -> T:
            store = SqlStore(f"sqlite+aiosqlite:///{self.database}", SystemClock())
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(done())

    def serves_gitlab(self) -> None:
        """As the forge `lab`, too."""
        with self.file.open("a") as file:
            file.write(GITLAB)

    def runs(self, *arguments: str, exits: int = 0) -> str:
        """What the verb printed on stdout; stderr is kept in `said`."""
        found = run([*arguments, "--config", str(self.file)])
        out, self.said = self.capsys.readouterr()
        assert found == exits, self.said or out
        return out

    def json(self, *arguments: str) -> Any:
        return json.loads(self.runs(*arguments, "--json"))


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    office = Office(tmp_path, capsys)
    office.database.parent.mkdir()
    office.file.write_text(FILE.format(state=office.database.parent))
    with_tables(office.database)
    return office
