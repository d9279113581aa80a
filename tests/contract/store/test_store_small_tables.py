"""Deliveries, locks and the journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from prbot.model import DeliveryId, Login, ProjectKey, PullRef, RepoRef
from prbot.ports.deliveries import Delivery
from prbot.ports.store import JournalEntry
from prbot.runs.locks import Lock


def a_delivery(scene: Any, number: int = 1) -> Delivery:
    body = b'{"a":"\xff\x00"}'
    return Delivery(DeliveryId(f"d-{number}"), "gh", "push", body, scene.clock.now())


async def test_a_delivery_is_taken_once(scene: Any) -> None:
    """It knows a delivery by forge and id, also after it was digested."""
    delivery = a_delivery(scene)
    async with scene.store.begin() as tables:
        assert await tables.deliveries.add(delivery)
        assert not await tables.deliveries.add(replace(delivery, body=b"other"))
        assert await tables.deliveries.add(replace(delivery, forge="ghe"))
        assert await tables.deliveries.digested(delivery, "a run")
        assert not await tables.deliveries.digested(delivery, "again")
        assert not await tables.deliveries.add(delivery)
        assert await tables.deliveries.waiting("gh") == ()
        assert [d.forge for d in await tables.deliveries.waiting("ghe")] == ["ghe"]


async def test_deliveries_wait_in_the_order_they_came(scene: Any) -> None:
    """It gives them back whole, oldest first, although the clock stood still."""
    deliveries = [a_delivery(scene, number) for number in (3, 1, 2)]
    async with scene.store.begin() as tables:
        for delivery in deliveries:
            await tables.deliveries.add(delivery)
    async with scene.store.begin() as tables:
        assert await tables.deliveries.waiting("gh") == tuple(deliveries)
        assert await tables.deliveries.waiting("gh", limit=2) == tuple(deliveries[:2])


async def test_a_digested_body_is_let_go(scene: Any) -> None:
    """It keeps what became of a delivery, not its body."""
    delivery = a_delivery(scene)
    async with scene.store.begin() as tables:
        await tables.deliveries.add(delivery)
        await tables.deliveries.digested(delivery, "ignored: ping")
        await tables.deliveries.digested(delivery, "a later word")
    async with scene.store.transaction() as db:
        row = (await db.execute(text("SELECT body, outcome FROM deliveries"))).one()
    assert tuple(row) == (b"", "ignored: ping")


def a_lock(scene: Any, number: int = 7, project: ProjectKey | None = None) -> Lock:
    pull = replace(scene.pull, number=number)
    return Lock(pull.repo, project or ProjectKey("net"), pull, Login("ann"), scene.clock.now())


async def test_a_project_is_held_by_one(scene: Any) -> None:
    """It gives the lock to the first, and tells everybody else, and the first again, who
    holds it since when."""
    first = a_lock(scene)
    async with scene.store.begin() as tables:
        assert await tables.locks.take(first) == first
        scene.clock.pass_(60)
        assert await tables.locks.take(a_lock(scene, 8)) == first
        assert await tables.locks.take(a_lock(scene, 7)) == first
        assert await tables.locks.of_repo(scene.pull.repo) == (first,)


async def test_locks_are_per_project_workspace_and_repository(scene: Any) -> None:
    """It holds another workspace, and the same project elsewhere, apart."""
    elsewhere = PullRef(RepoRef("gh", "acme/other"), 7)
    held = (
        a_lock(scene),
        a_lock(scene, 8, ProjectKey("net", "prod")),
        replace(a_lock(scene), repo=elsewhere.repo, holder=elsewhere),
    )
    async with scene.store.begin() as tables:
        for lock in held:
            assert await tables.locks.take(lock) == lock
        assert await tables.locks.of_repo(scene.pull.repo) == held[:2]
        with pytest.raises(ValueError, match="cannot hold"):
            await tables.locks.take(replace(a_lock(scene), holder=elsewhere))


async def test_only_the_holder_frees(scene: Any) -> None:
    """It frees the named projects of exactly that pull request."""
    mine, kept = a_lock(scene), a_lock(scene, 7, ProjectKey("dns"))
    async with scene.store.begin() as tables:
        await tables.locks.take(mine)
        await tables.locks.take(kept)
        await tables.locks.free(replace(scene.pull, number=8), [mine.project])
        await tables.locks.free(scene.pull, [])
        assert await tables.locks.of_repo(scene.pull.repo) == (mine, kept)
        await tables.locks.free(scene.pull, [mine.project, ProjectKey("never held")])
        assert await tables.locks.of_repo(scene.pull.repo) == (kept,)


async def test_the_journal_is_read_oldest_first(scene: Any) -> None:
    """It gives back the lines of exactly one pull request, times in UTC."""
    summer = datetime(2025, 7, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    lines = (
        JournalEntry(summer, scene.pull, Login("ann"), "r-1", "second in time", "détail"),
        JournalEntry(scene.clock.now(), scene.pull, None, "r-1", "first in time"),
    )
    async with scene.store.begin() as tables:
        for line in lines:
            await tables.journal.write(line)
        await tables.journal.write(replace(lines[0], pull=replace(scene.pull, number=8)))
    async with scene.store.begin() as tables:
        read = await tables.journal.of_pull(scene.pull)
    assert read == lines
    assert read[0].at.utcoffset() == timedelta(0)


REWRITES = ("UPDATE journal SET actor = 'eve'", "DELETE FROM journal")


@pytest.mark.parametrize("statement", REWRITES)
async def test_the_journal_is_never_rewritten(scene: Any, statement: str) -> None:
    """It refuses to change or remove a line, whoever asks the database."""
    line = JournalEntry(scene.clock.now(), scene.pull, Login("ann"), "r-1", "apply")
    async with scene.store.begin() as tables:
        await tables.journal.write(line)
    with pytest.raises(IntegrityError, match="append-only"):
        async with scene.store.transaction() as db:
            await db.execute(text(statement))
    async with scene.store.begin() as tables:
        assert await tables.journal.of_pull(scene.pull) == (line,)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_the_journal_is_never_emptied(scene: Any) -> None:
    """It refuses TRUNCATE, which SQLite does not know."""
    with pytest.raises(IntegrityError, match="append-only"):
        async with scene.store.transaction() as db:
            await db.execute(text("TRUNCATE journal"))


async def test_any_words_are_kept(scene: Any) -> None:
    """It keeps every character of what people and tools say; NUL becomes its picture."""
    line = JournalEntry(scene.clock.now(), scene.pull, None, "r", "x", "a\0b\x1b é \U0001f680")
    async with scene.store.begin() as tables:
        await tables.journal.write(line)
        (read,) = await tables.journal.of_pull(scene.pull)
    assert read.detail == "a\u2400b\x1b é \U0001f680"


async def test_a_time_without_a_zone_is_refused(scene: Any) -> None:
    """It never guesses a zone."""
    line = JournalEntry(datetime(2025, 1, 1), scene.pull, None, "r", "x")
    with pytest.raises(Exception, match="without a zone"):
        async with scene.store.begin() as tables:
            await tables.journal.write(line)
