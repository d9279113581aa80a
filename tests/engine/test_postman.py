"""The postman: no letter, slow, ill or poisoned, keeps back other people's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from prbot.engine.postman import FAILURES, LAST_RETRY, STORE_RETRY, next_try
from prbot.errors.forge import ForgeRefused, ForgeUnavailable
from prbot.ports.outbox import IssueLetter

Trouble = Callable[[int, str], Awaitable[None]]


def at(body: str, error: Exception) -> Trouble:
    """Fails at the comment with this text, always."""

    async def trouble(number: int, text: str) -> None:
        if text == body:
            raise error

    return trouble


async def test_poison(office: Any, logs: list[Any]) -> None:
    """It puts a letter off at which our own code fails, then gives it up; what is behind it
    goes out after that, and other pull requests' letters at once."""
    office.pen.trouble = at("poison", RuntimeError("nobody foresaw it"))
    await office.put(7, "poison", "behind")
    await office.put(8, "other")
    assert await office.round() == timedelta(seconds=1)
    assert office.pen.written == [(8, "other")]
    pauses = []
    for _ in range(FAILURES - 1):
        assert (7, "behind") not in office.pen.tried
        office.clock.time += LAST_RETRY
        pauses.append(await office.round())
    assert pauses[:-1] == [timedelta(seconds=2**n) for n in range(1, FAILURES - 1)]
    assert await office.round() is None
    assert office.pen.written == [(8, "other"), (7, "behind")]
    assert office.pen.tried.count((7, "poison")) == FAILURES
    events = [line["event"] for line in logs]
    assert (events.count("letter failed"), events.count("letter given up")) == (FAILURES, 1)


async def test_an_outage_is_not_poison(office: Any) -> None:
    """It never gives up a letter because the forge did not answer, and an outage does not
    count as our failures."""
    office.pen.trouble = at("text", ForgeUnavailable("gh", "write", "HTTP 502"))
    await office.put(7, "text")
    for _ in range(3 * FAILURES):
        await office.round()
        office.clock.time += LAST_RETRY
    office.pen.trouble = at("text", RuntimeError())
    assert await office.round() == LAST_RETRY
    office.clock.time += LAST_RETRY
    office.pen.trouble = None
    assert await office.round() is None
    assert office.pen.written == [(7, "text")]


async def test_a_final_no(office: Any) -> None:
    """It gives up at once what the forge refuses, and goes on with the next."""
    office.pen.trouble = at("bad", ForgeRefused("gh", "write", "422"))
    await office.put(7, "bad", "good")
    await office.round()
    await office.round()
    assert office.pen.tried == [(7, "bad"), (7, "good")]


async def test_a_slow_letter_holds_back_only_its_own(office: Any) -> None:
    """It writes all letters of another pull request while one hangs, and keeps it in hand
    although its lease ran out: it is not written twice."""
    let_go = asyncio.Event()
    done = asyncio.Event()

    async def trouble(number: int, text: str) -> None:
        if number == 7:
            await let_go.wait()
        elif text == "second":
            done.set()

    office.pen.trouble = trouble
    await office.put(7, "slow", "behind")
    await office.put(8, "first", "second")
    async with office.at_work(), asyncio.timeout(30):
        await done.wait()
        office.clock.time += timedelta(seconds=40)
        office.alarm.ring()
        while await office.pause() != timedelta(seconds=30):  # leased again
            pass
        let_go.set()
        while len(office.pen.written) < 4:
            await office.pause()
    assert office.pen.tried.count((7, "slow")) == 1
    assert office.pen.written == [(8, "first"), (8, "second"), (7, "slow"), (7, "behind")]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_the_database_restarts(office: Any, postgres_server: Any) -> None:
    """It waits for a database that went away while a letter was under way, and writes that
    letter again: the forge finds it by its marker."""

    async def trouble(number: int, text: str) -> None:
        if office.pen.tried == [(7, "text")]:
            await asyncio.to_thread(postgres_server.stop)

    office.pen.trouble = trouble
    await office.put(7, "text")
    async with office.at_work(), asyncio.timeout(60):
        try:
            while await office.pause() != STORE_RETRY:
                pass
        finally:
            await asyncio.to_thread(postgres_server.start)
        office.clock.time += timedelta(seconds=30)
        office.alarm.ring()
        while len(office.pen.written) < 2:
            await office.pause()
    assert office.pen.tried == [(7, "text")] * 2


@pytest.mark.parametrize(
    ("attempts", "retry_after", "seconds"),
    [
        (0, None, 1),
        (1, None, 2),
        (8, None, 256),
        (9, None, 300),
        (10**6, None, 300),
        (0, 60.0, 60),
        (9, 60.0, 300),
        (0, 3600.0, 3600),
        (0, 0.0, 1),
    ],
)
def test_next_try(attempts: int, retry_after: float | None, seconds: float, office: Any) -> None:
    """It doubles from a second to five minutes, and never comes before the forge's word."""
    now = office.clock.now()
    assert next_try(now, attempts, retry_after) == now + timedelta(seconds=seconds)


async def test_rest(office: Any) -> None:
    """It ends the letter in hand, whose call may reach the forge whatever we do, and begins
    no other."""
    tried, let_go = asyncio.Event(), asyncio.Event()

    async def trouble(number: int, text: str) -> None:
        tried.set()
        await let_go.wait()

    office.pen.trouble = trouble
    await office.put(7, "in hand", "behind")
    running = asyncio.create_task(office.postman.run())
    async with asyncio.timeout(30):
        await tried.wait()
        await office.put(8, "later")
        office.postman.rest()
        let_go.set()
        await running
    assert office.pen.written == [(7, "in hand")]
    async with office.world.store.begin() as unit:
        now = office.clock.now()
        due = await unit.outbox.due(now, "w-2", now + timedelta(seconds=30))
    assert [row.letter.body for row in due] == ["behind", "later"]


async def test_issues_keep_their_order(office: Any) -> None:
    """It writes an issue as often as its letters say, in their order, and knows its number
    from the first on."""
    first = IssueLetter("<!-- m -->", "first", "b <!-- m -->", (), True)
    await office.put(0, first, replace(first, title="second"))
    await office.put(0, replace(first, title="third", is_open=False))
    for _ in range(3):
        await office.round()
    written = ["first open None", "second open 41", "third closed 41"]
    assert office.pen.written == [(0, line) for line in written]
