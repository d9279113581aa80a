"""The database as verbs beside the service use it: they look and note, and do no work."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prbot.adapters.store import SqlStore
from prbot.app.compose import Secrets, SystemClock, database_url, register_credentials
from prbot.app.serve import read_server
from prbot.comments.customs import BY_KIND, Customs
from prbot.config.server import ServerConfig
from prbot.ports.clock import Clock
from prbot.ports.store import Store
from prbot.telemetry import Redactor


@dataclass(frozen=True)
class Desk:
    """What such a verb works with. `redactor` knows the credentials of this environment."""

    config: ServerConfig
    store: Store
    clock: Clock
    redactor: Redactor

    def redact(self, text: str) -> str:
        return self.redactor.redact(text)

    def customs(self, forge: str) -> Customs:
        """Of the forge of that name; GitHub's where the file does not name it any more."""
        kinds = {each.name: each.kind for each in self.config.forges}
        return BY_KIND[kinds.get(forge, "github")]


@asynccontextmanager
async def at_desk(path: Path) -> AsyncIterator[Desk]:
    """The database of the operator's file, while `prbot serve` may be working on it.

    Its tables are not changed. Raises CannotRead, what `load_server` raises, NoDatabase,
    StoreTooOld, StoreTooNew and StoreUnavailable.
    """
    environ = dict(os.environ)
    config = read_server(path, environ)
    redactor, clock = Redactor(), SystemClock()
    register_credentials(redactor, environ)
    store = SqlStore(database_url(config, Secrets(environ, redactor)), clock)
    try:
        await store.check()
        yield Desk(config, store, clock, redactor)
    finally:
        await store.close()
