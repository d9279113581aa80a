"""Deliveries are stored together, each answered after its commit."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prbot.adapters.store import SqlStore
from prbot.errors.webhooks import NotStored
from prbot.model import DeliveryId
from prbot.ports.deliveries import Delivery
from prbot.web.letterbox import BATCH, ROOM, ROOM_BYTES, Letterbox

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_delivery(name: str, body: bytes = b"{}") -> Delivery:
    return Delivery(DeliveryId(name), "gh", "push", body, NOON)


@dataclass
class Bell:
    """Counts the commits it was told of."""

    rung: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self) -> None:
        self.rung += 1
        self.heard.set()


async def posted(box: Letterbox, deliveries: Sequence[Delivery]) -> list[bool | BaseException]:
    """All at the same time; what each heard."""
    return await asyncio.gather(*map(box.put, deliveries), return_exceptions=True)


async def stored(store: SqlStore) -> tuple[Delivery, ...]:
    async with store.begin() as unit:
        return await unit.deliveries.waiting("gh", limit=10_000)


async def test_alone(store: SqlStore) -> None:
    """It stores what comes alone at once, and knows it when it comes again."""
    bell = Bell()
    box = Letterbox(store, bell)
    assert await box.put(a_delivery("a"))
    assert await stored(store) == (a_delivery("a"),)
    assert not await box.put(a_delivery("a", b"other"))
    assert bell.rung == 2


async def test_together(store: SqlStore, intruder: sqlite3.Connection) -> None:
    """It stores in one transaction all that came during the last one, in their order."""
    bell = Bell()
    box = Letterbox(store, bell)
    intruder.execute("BEGIN IMMEDIATE")
    first = asyncio.create_task(box.put(a_delivery("first")))
    await asyncio.sleep(0)  # it is on its way to the database
    await asyncio.sleep(0)
    names = [f"d-{number}" for number in range(BATCH - 1)]
    others = asyncio.create_task(posted(box, [a_delivery(name) for name in [*names, "d-0"]]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not bell.rung
    intruder.execute("ROLLBACK")
    assert await first
    assert await others == [True] * len(names) + [False]
    assert bell.rung == 2
    assert [each.id for each in await stored(store)] == ["first", *names]


async def test_trouble(empty_store: SqlStore) -> None:
    """It tells everybody in a transaction that failed, and goes on when the trouble is over."""
    bell = Bell()
    box = Letterbox(empty_store, bell)
    heard = await posted(box, [a_delivery(str(number)) for number in range(20)])
    assert all(isinstance(each, NotStored) for each in heard)
    assert not bell.rung
    await empty_store.migrate()
    assert await box.put(a_delivery("0"))


async def test_patience(store: SqlStore, intruder: sqlite3.Connection) -> None:
    """It does not let a sender wait longer than a forge does; what is stored late is known."""
    bell = Bell()
    box = Letterbox(store, bell, patience=0.01)
    intruder.execute("BEGIN IMMEDIATE")
    for name in "ab":
        with pytest.raises(NotStored, match="in time"):
            await box.put(a_delivery(name))
    intruder.execute("ROLLBACK")
    await box.close()
    assert await stored(store) == (a_delivery("a"), a_delivery("b"))
    assert not await Letterbox(store, bell).put(a_delivery("a"))


async def test_room_for_letters(store: SqlStore, intruder: sqlite3.Connection) -> None:
    """It refuses at once when too many wait, and has room again when they are stored."""
    box = Letterbox(store, Bell())
    intruder.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(
        posted(box, [a_delivery(str(number)) for number in range(ROOM + 3)])
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    intruder.execute("ROLLBACK")
    heard = await waiting
    assert heard[:ROOM] == [True] * ROOM
    assert [str(each) for each in heard[ROOM:]] == [
        "The webhook could not be stored: too many others are waiting."
    ] * 3
    assert await box.put(a_delivery(str(ROOM)))


async def test_room_for_bytes(empty_store: SqlStore) -> None:
    """It keeps only so many bytes in memory."""
    box = Letterbox(empty_store, Bell())
    body = bytes(ROOM_BYTES // 4)
    heard = await posted(box, [a_delivery(str(number), body) for number in range(5)])
    assert ["too many" in str(each) for each in heard] == [False] * 4 + [True]
    heard = await posted(box, [a_delivery("again", body)])
    assert "too many" not in str(heard[0])


async def test_a_sender_that_goes(store: SqlStore, intruder: sqlite3.Connection) -> None:
    """It stores what was put, although whoever put it was cancelled."""
    box = Letterbox(store, Bell())
    intruder.execute("BEGIN IMMEDIATE")
    putting = [asyncio.create_task(box.put(a_delivery(name))) for name in "ab"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in putting:
        task.cancel()
    assert await asyncio.gather(*putting, return_exceptions=True)
    intruder.execute("ROLLBACK")
    await box.close()
    assert await stored(store) == (a_delivery("a"), a_delivery("b"))


NAMES = st.sampled_from([f"d-{number}" for number in range(12)])
WAVES = st.lists(st.lists(NAMES, max_size=20), max_size=5)


@settings(max_examples=20, deadline=None)  # each makes a database
@given(WAVES)
def test_any_waves(waves: list[list[str]]) -> None:
    """It stores each delivery once, in the order they first came, and calls it new once,
    whatever comes together and whatever comes again."""

    async def live() -> None:
        store = SqlStore(f"sqlite+aiosqlite:///{directory}/prbot.sqlite3", StillClock())
        try:
            await store.migrate()
            box = Letterbox(store, Bell())
            asked = [name for wave in waves for name in wave]
            news = [new for wave in waves for new in await posted(box, list(map(a_delivery, wave)))]
            first = [name not in asked[:place] for place, name in enumerate(asked)]
            assert news == first
            assert [each.id for each in await stored(store)] == list(dict.fromkeys(asked))
        finally:
            await store.close()

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(live())


class StillClock:
    def now(self) -> datetime:
        return NOON
