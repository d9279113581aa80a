"""When repositories were first met, and who asks the forge about them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from prbot.adapters import migrations
from prbot.adapters.store import SqlStore
from prbot.model import RepoRef
from prbot.ports.store import Seen

REPO, OTHER = RepoRef("gh", "acme/infra"), RepoRef("gh", "acme/infra-prod")


AN_OLD_RUN = text(
    "INSERT INTO runs (id, forge, repo, number, state, created_at, ask)"
    " VALUES (:id, 'gh', 'acme/infra', 7, 'done', :at, '{}')"
)


async def claim(scene: Any, repo: RepoRef = REPO, unless_after: float = -300) -> Seen | None:
    """Claim for a minute, unless it was reconciled so many seconds from now."""
    now: datetime = scene.clock.now()
    until, since = now + timedelta(minutes=1), now + timedelta(seconds=unless_after)
    async with scene.store.begin() as tables:
        found: Seen | None = await tables.repositories.claim(repo, now, until, since)
        return found


async def test_first_met(scene: Any) -> None:
    """It remembers when a repository was first held or claimed, each by itself."""
    met = scene.clock.now()
    async with scene.store.begin() as tables:
        assert await tables.repositories.hold(REPO, met) == Seen(met, None)
    later = scene.clock.pass_(60)
    assert await claim(scene) == Seen(met, None)
    assert await claim(scene, OTHER) == Seen(later, None)


async def test_one_claims(scene: Any) -> None:
    """It lets one of many have a repository, until the claim's time is over."""
    won = await asyncio.gather(*(claim(scene) for _ in range(5)))
    assert sum(seen is not None for seen in won) == 1
    scene.clock.pass_(59)
    assert await claim(scene) is None
    assert await claim(scene, OTHER) is not None
    scene.clock.pass_(1)
    assert await claim(scene) is not None


async def test_reconciled(scene: Any) -> None:
    """It gives the right back, and says when it is not needed yet."""
    met = scene.clock.now()
    await claim(scene)
    async with scene.store.begin() as tables:
        await tables.repositories.reconciled(REPO, met)
    scene.clock.pass_(299)
    assert await claim(scene) is None
    scene.clock.pass_(1)
    assert await claim(scene) == Seen(met, met)


async def test_reconciled_at_start(scene: Any) -> None:
    """It lets one that just started claim at once."""
    await claim(scene)
    async with scene.store.begin() as tables:
        await tables.repositories.reconciled(REPO, scene.clock.now())
    assert await claim(scene, unless_after=0) is not None


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def test_met_before_this_was_noted(scene: Any, tmp_path: Path) -> None:
    """It takes the oldest run of a repository for its first meeting, and the newest for
    what is known."""
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path}/older.sqlite3", scene.clock)
    async with store.transaction() as db:
        await db.run_sync(lambda connection: upgrade(connection, "r0001q"))
        for number, time in enumerate(("2025-01-02 00:00:00.000000", "2025-01-01 00:00:00.000000")):
            await db.execute(AN_OLD_RUN.bindparams(id=f"r-{number}", at=time))
    await store.migrate()
    async with store.begin() as tables:
        found = await tables.repositories.hold(REPO, scene.clock.now())
    await store.close()
    assert found == Seen(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC))
