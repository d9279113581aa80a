"""What only PostgreSQL can do to a store: restart, hide a password, hold a lock for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text

from prbot.adapters.store import SqlStore
from prbot.errors.store import StoreUnavailable
from prbot.model import DeliveryId
from prbot.ports.deliveries import Delivery
from prbot.ports.store import JournalEntry

pytestmark = pytest.mark.parametrize("url", ["postgresql"], indirect=True)


async def write(scene: Any, tables: Any, action: str) -> None:
    await tables.journal.write(JournalEntry(scene.clock.now(), scene.pull, None, "r", action))


async def a_block(scene: Any, action: str) -> None:
    async with scene.store.begin() as tables:
        await write(scene, tables, action)


async def cut_off(scene: Any, server: Any) -> None:
    async with scene.store.begin() as tables:
        await write(scene, tables, "cut off")
        await asyncio.to_thread(server.stop)
        await write(scene, tables, "cut off")


async def test_a_restart_costs_open_transactions_only(scene: Any, postgres_server: Any) -> None:
    """It says that the database is away, keeps what was committed and nothing else, and
    goes on by itself when it is back."""
    await a_block(scene, "before")
    try:
        with pytest.raises(StoreUnavailable):
            await cut_off(scene, postgres_server)
        with pytest.raises(StoreUnavailable, match="cannot be used"):
            await a_block(scene, "while it is away")
    finally:
        await asyncio.to_thread(postgres_server.start)
    await a_block(scene, "after")
    assert await scene.told() == (("r", "before"), ("r", "after"))


async def test_a_database_that_is_not_there_is_told(url: str, clock: Any) -> None:
    """It names the place without the password."""
    there = url.replace("prbot@", "prbot:s3cret@")
    store = SqlStore(f"{there}_not", clock)
    with pytest.raises(StoreUnavailable, match="does not exist") as caught:
        await store.migrate()
    await store.close()
    assert "s3cret" not in str(caught.value)
    assert url.replace("prbot@", "prbot:***@") in str(caught.value)


class RolledBack(Exception):
    pass


def some_deliveries(scene: Any, names: str) -> list[Delivery]:
    return [Delivery(DeliveryId(name), "gh", "push", b"{}", scene.clock.now()) for name in names]


async def stored(scene: Any, names: str) -> str:
    """`+` for each that was new."""
    async with scene.store.begin() as tables:
        news = await tables.deliveries.add_all(some_deliveries(scene, names))
    return "".join("+" if new else "-" for new in news)


async def until_they_wait(watcher: SqlStore, number: int) -> None:
    """Each look is a question to the server, in which the others go on."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    looked = 0
    while looked < number:
        async with watcher.transaction() as db:
            looked = (await db.execute(waiting)).scalar_one()


async def test_the_same_deliveries_in_opposite_order(
    scene: Any, open_store: Callable[[], SqlStore]
) -> None:
    """It takes both batches, however they meet, and calls each delivery new once.

    Each batch is stopped in its middle by a third that is rolled back when both stand.
    """
    watcher = open_store()
    with suppress(RolledBack):
        async with scene.store.begin() as tables:
            await tables.deliveries.add_all(some_deliveries(scene, "mn"))
            first = asyncio.create_task(stored(scene, "amz"))
            await until_they_wait(watcher, 1)
            second = asyncio.create_task(stored(scene, "zna"))
            await until_they_wait(watcher, 2)
            raise RolledBack
    assert (await first, await second) == ("+++", "-+-")
    async with scene.store.begin() as tables:
        waiting = await tables.deliveries.waiting("gh")
    assert [each.id for each in waiting] == list("amzn")


async def test_blocks_run_side_by_side(scene: Any) -> None:
    """It does not keep one task's block waiting for another's."""
    async with scene.store.begin() as tables:
        await write(scene, tables, "first, but committed last")
        await asyncio.create_task(a_block(scene, "second"))
