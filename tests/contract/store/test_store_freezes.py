"""Freezes: kept with all they say, lifted once, and never missed by an apply that begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from prbot.adapters.store import SqlStore
from prbot.errors.verbs import NoSuchFreeze
from prbot.model import Login
from prbot.ports.store import JournalEntry
from prbot.runs.freezes import Freeze, FreezeId, FreezeScope
from prbot.runs.journal import JournalQuery


def a_freeze(scene: Any, number: int = 1, **changes: Any) -> Freeze:
    freeze = Freeze(
        id=FreezeId(f"f-{number}"),
        scope=FreezeScope.EVERYWHERE,
        reason="release",
        by=Login("dave"),
        since=scene.clock.now(),
    )
    return replace(freeze, **changes)


async def journal(scene: Any) -> list[JournalEntry]:
    async with scene.store.begin() as tables:
        return [line.entry for line in (await tables.journal.page(JournalQuery())).lines]


async def test_a_freeze_is_kept_whole(scene: Any) -> None:
    """It gives back each field, whatever characters people used; NUL becomes its picture."""
    summer = datetime(2025, 7, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    freezes = (
        a_freeze(scene),
        a_freeze(scene, 2, scope=FreezeScope.REPOSITORY, forge="gh", repo="acme/*", until=summer),
        a_freeze(
            scene, 3, scope=FreezeScope.ENVIRONMENT, environment="prod", reason="é \U0001f680"
        ),
        a_freeze(scene, 4, reason="'; DROP TABLE freezes; --"),
    )
    async with scene.store.begin() as tables:
        for freeze in freezes:
            await tables.freezes.add(freeze)
        await tables.freezes.add(a_freeze(scene, 5, reason="a\0b"))
    async with scene.store.begin() as tables:
        assert await tables.freezes.in_force(scene.clock.now()) == (
            *freezes,
            a_freeze(scene, 5, reason="a\u2400b"),
        )


async def test_a_freeze_ends(scene: Any) -> None:
    """It is in force up to its end, not at it, and stays known afterwards."""
    freeze = a_freeze(scene, until=scene.clock.now() + timedelta(hours=1))
    async with scene.store.begin() as tables:
        await tables.freezes.add(freeze)
        assert await tables.freezes.in_force(scene.clock.pass_(3599)) == (freeze,)
        assert await tables.freezes.in_force(scene.clock.pass_(1)) == ()
        assert await tables.freezes.all() == (freeze,)


async def test_a_freeze_is_lifted_once(scene: Any) -> None:
    """It is out of force at once, and whoever lifts it again hears who did before."""
    freeze, other = a_freeze(scene), a_freeze(scene, 2)
    async with scene.store.begin() as tables:
        await tables.freezes.add(freeze)
        await tables.freezes.add(other)
    first, now = Login("erin"), scene.clock.pass_(60)
    lifted = replace(freeze, lifted_at=now, lifted_by=first)
    async with scene.store.begin() as tables:
        assert await tables.freezes.lift(freeze.id, first, now) == lifted
    async with scene.store.begin() as tables:
        assert await tables.freezes.lift(freeze.id, Login("eve"), scene.clock.pass_(60)) == lifted
        assert await tables.freezes.in_force(scene.clock.now()) == (other,)
        assert await tables.freezes.all() == (lifted, other)
        with pytest.raises(NoSuchFreeze, match="No freeze is called f-9"):
            await tables.freezes.lift(FreezeId("f-9"), first, now)


async def test_every_freeze_stands_in_the_journal(scene: Any) -> None:
    """It journals who declared it and who lifted it, once each, about no pull request."""
    freeze = a_freeze(scene, until=scene.clock.now() + timedelta(days=1))
    async with scene.store.begin() as tables:
        await tables.freezes.add(freeze)
        await tables.freezes.lift(freeze.id, Login("erin"), scene.clock.pass_(60))
        await tables.freezes.lift(freeze.id, Login("eve"), scene.clock.pass_(60))
    words = (
        "everything is frozen by dave since 2025-03-01 12:00 UTC, until 2025-03-02 12:00 UTC:"
        " release"
    )
    declared = JournalEntry(freeze.since, None, Login("dave"), "f-1", "freeze declared", words)
    at = freeze.since + timedelta(seconds=60)
    lifted = replace(declared, at=at, actor=Login("erin"), action="freeze lifted")
    assert await journal(scene) == [declared, lifted]


async def test_an_id_is_given_once(scene: Any) -> None:
    """It refuses a second freeze of the same id, and journals nothing of it."""
    async with scene.store.begin() as tables:
        await tables.freezes.add(a_freeze(scene))
    with pytest.raises(IntegrityError):
        async with scene.store.begin() as tables:
            await tables.freezes.add(a_freeze(scene))
    assert len(await journal(scene)) == 1


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_an_apply_is_intended_before_a_freeze_or_sees_it(
    scene: Any, open_store: Callable[[], SqlStore]
) -> None:
    """It lets nobody declare a freeze between an apply's look and its intent, so that after it
    is declared, what is to run shows in the tables."""
    elsewhere = open_store()
    job = await scene.a_running_job()
    plan = await scene.a_stored_plan(job)

    async def declare() -> bool:
        async with elsewhere.begin() as tables:
            await tables.freezes.add(a_freeze(scene))
            return await tables.plans.intended(job) is not None

    async with scene.store.begin() as tables:
        assert await tables.freezes.in_force(scene.clock.now()) == ()
        declared = asyncio.create_task(declare())
        await waits_for_a_lock(elsewhere)
        assert await tables.plans.intend(plan.id, job, scene.clock.now())
    assert await declared


async def waits_for_a_lock(store: SqlStore) -> None:
    """Until some session of this database waits for a table."""
    asked = text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    while True:
        async with store.transaction() as db:
            if (await db.execute(asked)).scalar():
                return
