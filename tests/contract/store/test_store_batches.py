"""Many deliveries in one statement are what they would be one after another."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from prbot.model import DeliveryId
from prbot.ports.deliveries import Delivery


def a_delivery(scene: Any, forge: str, name: str, body: bytes = b"{}") -> Delivery:
    return Delivery(DeliveryId(name), forge, "push", body, scene.clock.now())


BATCHES = {
    "nothing": ("", ""),
    "all new": ("a b c", "+++"),
    "a twin": ("a b a", "++-"),
    "only twins": ("a a a a", "+---"),
    "known before": ("old a old", "-+-"),
    "another forge's": ("a other/a other/a", "++-"),
}


@pytest.mark.parametrize(("names", "new"), BATCHES.values(), ids=BATCHES)
async def test_a_batch(scene: Any, names: str, new: str) -> None:
    """It says of each whether it is new, stores the first of twins, and keeps the order."""
    old = a_delivery(scene, "gh", "old")
    async with scene.store.begin() as tables:
        assert await tables.deliveries.add(old)
    batch = []
    for number, name in enumerate(names.split()):
        forge, _, known = name.rpartition("/")
        batch.append(a_delivery(scene, forge or "gh", known, b"%d" % number))
    async with scene.store.begin() as tables:
        said = await tables.deliveries.add_all(batch)
    assert said == tuple(sign == "+" for sign in new)
    stored = [old, *(each for each, sign in zip(batch, new, strict=True) if sign == "+")]
    async with scene.store.begin() as tables:
        waiting = {forge: await tables.deliveries.waiting(forge) for forge in ("gh", "other")}
    for forge, there in waiting.items():
        assert there == tuple(each for each in stored if each.forge == forge)


async def test_a_large_batch(scene: Any) -> None:
    """It takes more rows than a statement has room for values."""
    batch = [a_delivery(scene, "gh", f"d-{number}") for number in range(8000)]
    async with scene.store.begin() as tables:
        assert all(await tables.deliveries.add_all(batch))
    async with scene.store.begin() as tables:
        assert await tables.deliveries.waiting("gh", limit=9000) == tuple(batch)
        assert not any(await tables.deliveries.add_all(batch))


async def test_noting_a_batch(scene: Any) -> None:
    """It notes each with its own words, keeps the first words, and leaves the others waiting."""
    a, b, c, d = batch = [a_delivery(scene, "gh", name) for name in "abcd"]
    other = a_delivery(scene, "other", "a")
    async with scene.store.begin() as tables:
        await tables.deliveries.add_all([*batch, other])
        await tables.deliveries.digested(b, "a run")
    async with scene.store.begin() as tables:
        await tables.deliveries.digested_all([(c, "a ping"), (b, "too late"), (a, "a \0")])
        await tables.deliveries.digested_all([])
        assert await tables.deliveries.waiting("gh") == (d,)
        assert await tables.deliveries.waiting("other") == (other,)
    statement = "SELECT id, outcome, length(body) FROM deliveries WHERE digested_at IS NOT NULL"
    async with scene.store.transaction() as db:
        rows = await db.execute(text(f"{statement} ORDER BY id"))
        noted = [tuple(row) for row in rows]
    assert noted == [("a", "a \N{SYMBOL FOR NULL}", 0), ("b", "a run", 0), ("c", "a ping", 0)]
