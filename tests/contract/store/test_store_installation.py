"""The database knows the installation key it belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prbot.adapters.store import SqlStore

OURS, OTHER, THIRD = "k-0", "k-1", "k-2"


async def test_the_first_key_stays(open_store: Callable[[], SqlStore], store: SqlStore) -> None:
    """It belongs to the key of its first start, whoever comes later."""
    assert await store.installation(OURS) == OURS
    assert await store.installation(OTHER) == OURS
    assert await open_store().installation(OURS) == OURS


async def test_two_first_keys(open_store: Callable[[], SqlStore], store: SqlStore) -> None:
    """It tells two that start at once the same one of both keys."""
    stores = [store, *(open_store() for _ in range(3))]
    keys = [OURS, OTHER, OURS, OTHER]
    told = await asyncio.gather(*map(SqlStore.installation, stores, keys))
    assert len(set(told)) == 1
    assert told[0] in (OURS, OTHER)


async def test_a_lost_key_is_replaced_once(store: SqlStore) -> None:
    """It takes another key in the place of exactly the one that is named, and no further."""
    await store.installation(OURS)
    assert await store.installation(OTHER, lost=THIRD) == OURS
    assert await store.installation(OTHER, lost=OURS) == OTHER
    assert await store.installation(OTHER, lost=OURS) == OTHER
    assert await store.installation(THIRD, lost=OURS) == OTHER
    assert await store.installation(OURS) == OTHER


async def test_a_new_database_needs_no_lost_key(store: SqlStore) -> None:
    """It does not mind that a lost key is named where there is none."""
    assert await store.installation(OURS, lost=OTHER) == OURS
