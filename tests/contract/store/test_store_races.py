"""Two stores on one database, as of two processes: of whatever both want, one gets it.

The first one acts and keeps its transaction open until the second, which wants the same,
waits for it or has gone on without.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import text

from prbot.adapters.store import SqlStore
from prbot.errors.runs import LostLease
from prbot.model import DeliveryId, Login, ProjectKey, RunId
from prbot.ports.deliveries import Delivery
from prbot.ports.outbox import ReactionLetter
from prbot.runs.locks import Lock
from prbot.runs.run import JobKind, JobState

Act = Callable[[Any, int], Awaitable[bool]]


class Crash(Exception):
    pass


@dataclass
class Race:
    """`act(tables, number)` is one contender's attempt; True when it got what it wanted."""

    first: SqlStore
    second: SqlStore
    watcher: SqlStore
    parallel: bool

    async def run(self, act: Act, first_crashes: bool = False) -> tuple[bool, bool]:
        """What the first and the second got."""
        won = False
        with suppress(Crash):
            async with self.first.begin() as tables:
                won = await act(tables, 1)
                second = asyncio.create_task(self._attempt(act))
                await self._until_it_waits(second)
                if first_crashes:
                    raise Crash
        return won and not first_crashes, await second

    async def _attempt(self, act: Act) -> bool:
        async with self.second.begin() as tables:
            return await act(tables, 2)

    async def _until_it_waits(self, second: asyncio.Task[bool]) -> None:
        """On SQLite it waits from its first breath; PostgreSQL says who waits."""
        await asyncio.sleep(0)
        if self.parallel:
            while not (second.done() or await _somebody_waits(self.watcher)):
                pass  # each look is a question to the server, in which the second goes on


async def _somebody_waits(watcher: SqlStore) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with watcher.transaction() as db:
        number: int = (await db.execute(waiting)).scalar_one()
    return number > 0


@pytest.fixture
def race(scene: Any, open_store: Callable[[], SqlStore], url: str) -> Race:
    parallel = url.startswith("postgresql")
    return Race(scene.store, open_store(), open_store(), parallel)


async def kept(attempt: Awaitable[Any]) -> bool:
    """False when it raises LostLease."""
    try:
        await attempt
    except LostLease:
        return False
    return True


async def starting_a_job(scene: Any) -> Act:
    job = await scene.a_stored_job()

    async def act(tables: Any, number: int) -> bool:
        return await tables.runs.start_job(job.id, f"w-{number}", scene.until) is not None

    return act


async def acting_on_a_run(scene: Any) -> Act:
    run = scene.a_run()
    async with scene.store.begin() as tables:
        await tables.runs.add(run)

    async def act(tables: Any, number: int) -> bool:
        return await kept(tables.runs.act_on(run))

    return act


async def moving_a_job(scene: Any) -> Act:
    job = await scene.a_running_job(JobKind.PLAN)

    async def act(tables: Any, number: int) -> bool:
        return await kept(tables.runs.move_job(job, [JobState.QUEUED, JobState.FAILED][number - 1]))

    return act


async def recovering_a_job(scene: Any) -> Act:
    await scene.a_running_job(JobKind.PLAN)
    scene.clock.time = scene.until

    async def act(tables: Any, number: int) -> bool:
        found = await tables.runs.expired(scene.clock.now())
        for job in found:
            await tables.runs.move_job(job, JobState.QUEUED)
        return bool(found)

    return act


async def applying_a_plan(scene: Any) -> Act:
    jobs = [await scene.a_running_job() for _ in range(2)]
    plan = await scene.a_stored_plan(jobs[0])

    async def act(tables: Any, number: int) -> bool:
        intended: bool = await tables.plans.intend(plan.id, jobs[number - 1], scene.clock.now())
        return intended

    return act


async def applying_and_dropping_a_plan(scene: Any) -> Act:
    job = await scene.a_running_job()
    plan = await scene.a_stored_plan(job)

    async def act(tables: Any, number: int) -> bool:
        if number == 1:
            return bool(await tables.plans.drop_of_pull(scene.pull))
        intended: bool = await tables.plans.intend(plan.id, job, scene.clock.now())
        return intended

    return act


async def dropping_and_applying_a_plan(scene: Any) -> Act:
    other_order = await applying_and_dropping_a_plan(scene)

    async def act(tables: Any, number: int) -> bool:
        return await other_order(tables, 3 - number)

    return act


async def settling_an_apply(scene: Any) -> Act:
    job, plan = await scene.an_intent()

    async def act(tables: Any, number: int) -> bool:
        word, state = [("applied", JobState.APPLIED), ("interrupted", JobState.INTERRUPTED)][
            number - 1
        ]
        return await kept(tables.plans.settle(plan.id, word, None)) and await kept(
            tables.runs.move_job(job, state)
        )

    return act


async def taking_a_lock(scene: Any) -> Act:
    async def act(tables: Any, number: int) -> bool:
        pull = replace(scene.pull, number=number)
        lock = Lock(pull.repo, ProjectKey("net"), pull, Login("ann"), scene.clock.now())
        taken: Lock = await tables.locks.take(lock)
        return taken.holder == pull

    return act


async def leasing_a_letter(scene: Any) -> Act:
    async with scene.store.begin() as tables:
        await tables.outbox.put("k", scene.pull, ReactionLetter(1), scene.clock.now())

    async def act(tables: Any, number: int) -> bool:
        return bool(await tables.outbox.due(scene.clock.now(), f"w-{number}", scene.until))

    return act


async def storing_a_delivery(scene: Any) -> Act:
    async def act(tables: Any, number: int) -> bool:
        stored: bool = await tables.deliveries.add(a_delivery(scene))
        return stored

    return act


async def digesting_a_delivery(scene: Any) -> Act:
    async with scene.store.begin() as tables:
        await tables.deliveries.add(a_delivery(scene))

    async def act(tables: Any, number: int) -> bool:
        digested: bool = await tables.deliveries.digested(a_delivery(scene), "a run")
        return digested

    return act


def a_delivery(scene: Any) -> Delivery:
    return Delivery(DeliveryId("d-1"), "gh", "push", b"{}", scene.clock.now())


RACES = [
    starting_a_job,
    acting_on_a_run,
    moving_a_job,
    recovering_a_job,
    applying_a_plan,
    applying_and_dropping_a_plan,
    dropping_and_applying_a_plan,
    settling_an_apply,
    taking_a_lock,
    leasing_a_letter,
    storing_a_delivery,
    digesting_a_delivery,
]
GOES_ON_WITHOUT = (recovering_a_job, leasing_a_letter)
"""Here the second does not wait: what the first has in hand is none of its business."""


@pytest.mark.parametrize("prepare", RACES, ids=lambda prepare: prepare.__name__)
async def test_one_of_two_wins(scene: Any, race: Race, prepare: Any) -> None:
    """It gives to the first what it did first, and nothing of it to the second."""
    assert await race.run(await prepare(scene)) == (True, False)


@pytest.mark.parametrize(
    "prepare",
    [prepare for prepare in RACES if prepare not in GOES_ON_WITHOUT],
    ids=lambda prepare: prepare.__name__,
)
async def test_the_second_wins_when_the_first_dies(scene: Any, race: Race, prepare: Any) -> None:
    """It gives to the second what the first wanted, when the first does not commit."""
    assert await race.run(await prepare(scene), first_crashes=True) == (False, True)


async def test_a_lock_freed_while_another_waits_for_it(scene: Any, race: Race) -> None:
    """It gives the project to the one that waits, when the holder lets go meanwhile."""
    take = await taking_a_lock(scene)
    async with scene.store.begin() as tables:
        assert await take(tables, 1)

    async def act(tables: Any, number: int) -> bool:
        if number == 1:
            await tables.locks.free(replace(scene.pull, number=1), [ProjectKey("net")])
            return True
        return await take(tables, 2)

    assert await race.run(act) == (True, True)


async def test_letters_of_one_pull_request_are_numbered_as_they_are_committed(
    scene: Any, race: Race
) -> None:
    """It never lets a letter be sent while an older one of the same pull request is still
    to be committed."""

    async def act(tables: Any, number: int) -> bool:
        await tables.outbox.put(f"k{number}", scene.pull, ReactionLetter(number), scene.clock.now())
        return True

    await race.run(act)
    async with scene.store.begin() as tables:
        (row,) = await tables.outbox.due(scene.clock.now(), "w-1", scene.until)
    assert row.letter == ReactionLetter(1)


async def test_many_contenders(scene: Any, race: Race) -> None:
    """It lets exactly one of many start each of many jobs, and act once on each reading."""
    jobs = [await scene.a_stored_job() for _ in range(4)]
    stores = [race.first, race.second] * 4

    async def attempt(store: SqlStore, number: int, job: Any) -> tuple[bool, bool]:
        async with store.begin() as tables:
            run = await tables.runs.get(RunId(job.run_id))
            acted = run.version == 0 and await kept(tables.runs.act_on(run))
            started = await tables.runs.start_job(job.id, f"w-{number}", scene.until)
            return acted, started is not None

    for job in jobs:
        all_of_them = (attempt(store, number, job) for number, store in enumerate(stores))
        acted, started = zip(*await asyncio.gather(*all_of_them), strict=True)
        assert (sum(acted), sum(started)) == (1, 1)
