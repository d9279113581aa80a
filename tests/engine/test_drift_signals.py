"""Signed webhooks of drift, through the outbox to a real server: none lost, none twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from listener import SECRET, Listener

from prbot.adapters.receiver import HttpReceiver, signature, signing_key
from prbot.adapters.store import SqlStore
from prbot.config.drift import Reaction
from prbot.drift.issue import Found, Section
from prbot.drift.verdict import ProjectVerdict
from prbot.engine.alarm import Alarm
from prbot.engine.drift_signals import signal_found, signal_overdue, signal_removed
from prbot.engine.postman import FAILURES, LAST_RETRY, SIGNAL_TRIES, Postman
from prbot.engine.world import World
from prbot.errors.forge import BadSigningSecret, ReceiverRefused, ReceiverUnavailable
from prbot.model import ProjectKey, PullRef, RepoRef, RunId, Sha
from prbot.plans.threeway import Verdict
from prbot.ports.outbox import CommentLetter
from prbot.runs.run import Trouble

REPO, APP = RepoRef("gh", "acme/infra"), ProjectKey("app")
SILENCE = timedelta(minutes=10)
DAY = timedelta(days=1)
ROW = Found("x.q", "delay", Verdict.REVERTS, Reaction.IGNORE, None, "9", "5", "so it is")
BOTH = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)


class Office:
    """One process: it keeps what a check found, and writes what is due."""

    def __init__(self, world: World, clock: Any) -> None:
        self.world, self.clock = world, clock
        self.postman = Postman(world, Alarm())

    async def finds(self, *found: Found, run: str = "r-1", error: str = "") -> None:
        store, now = self.world.store, self.clock.now()
        verdict = ProjectVerdict.DRIFTED if found else ProjectVerdict.IN_SYNC
        section = Section(REPO, APP, verdict, Sha("a" * 40), now, None, found)
        if error:
            section = replace(section, verdict=ProjectVerdict.ERROR, trouble=Trouble(error))
        async with store.begin() as unit:
            await unit.drift.found(REPO, {APP: None}, now)
            standing = await unit.drift.get(REPO, APP)
            assert standing is not None
            assert await unit.drift.begin(standing, RunId(run))
        async with store.begin() as unit:
            before = await unit.drift.end(RunId(run), section, now, None)
            if before is not None:
                await signal_found(self.world, unit, before, RunId(run), section, False)

    async def writes(self) -> timedelta | None:
        """What is due, to its end; when the next one is."""
        async with asyncio.TaskGroup() as group:
            await self.postman.write_due(group)
        async with self.world.store.begin() as unit:
            due = await unit.outbox.next_due()
        return None if due is None else due - self.clock.now()


@pytest.fixture
async def open_office(
    world: World, url: str, listener: Listener
) -> AsyncIterator[Callable[..., Office]]:
    stores: list[SqlStore] = []

    def made(timeout: float = 20.0, **changes: Any) -> Office:
        store = SqlStore(url, world.clock)
        stores.append(store)
        receiver = HttpReceiver(listener.url, signing_key(SECRET), timeout, world.clock)
        mine = replace(world, store=store, worker=f"w-{len(stores)}", receiver=receiver, **changes)
        return Office(mine, world.clock)

    yield made
    for store in stores:
        await store.close()


@pytest.fixture
def office(open_office: Callable[..., Office]) -> Office:
    return open_office()


async def test_told_once(office: Office, listener: Listener) -> None:
    """It tells what a rule ignores, too, signed at the moment it is sent, and once."""
    await office.finds(ROW)
    office.clock.time += timedelta(hours=1)
    assert await office.writes() is None
    (message,) = listener.heard
    assert (message["type"], message["ignored"]) == ("drift.new", True)
    assert listener.tried == [message["id"]] == ["r-1-drift-new"]
    assert listener.timestamps == [int(office.clock.now().timestamp())]
    await office.finds(ROW, run="r-2")
    await office.finds(run="r-3", error="Error: x")
    await office.finds(ROW, run="r-4")
    assert await office.writes() is None
    assert listener.types == ["drift.new"]
    await office.finds(run="r-5")
    await office.writes()
    assert listener.types == ["drift.new", "drift.gone"]


async def test_a_server_in_trouble(office: Office, listener: Listener) -> None:
    """It comes again after 500, after what asks it to wait, and in the order things happened."""
    listener.answers = [500, 503]
    await office.finds(ROW)
    assert await office.writes() == timedelta(seconds=1)
    office.clock.time += timedelta(seconds=1)
    await office.finds(run="r-2")
    listener.headers = {"Retry-After": "90"}
    assert await office.writes() == timedelta(seconds=90)
    office.clock.time += timedelta(seconds=90)
    await office.writes()
    await office.writes()
    assert listener.types == ["drift.new", "drift.gone"]
    assert listener.tried == ["r-1-drift-new"] * 3 + ["r-2-drift-gone"]


async def test_a_server_that_says_nothing(
    open_office: Callable[..., Office], listener: Listener
) -> None:
    """It waits no longer than it may, and keeps back no letter to the forge meanwhile."""
    office = open_office(timeout=0.2)
    listener.answers = [0]
    await office.finds(ROW)
    async with office.world.store.begin() as unit:
        comment = CommentLetter("<!-- m -->", "text")
        await unit.outbox.put("k", PullRef(REPO, 0), comment, office.clock.now())
    assert await office.writes() == timedelta(seconds=1)
    pen: Any = office.world.forges["gh"].writer
    assert pen.written == [(0, "text")]
    office.clock.time += timedelta(seconds=1)
    await office.writes()
    assert listener.types == ["drift.new"]


async def test_a_restart(open_office: Callable[..., Office], listener: Listener) -> None:
    """It is told by whoever comes next, under the same name."""
    first = open_office()
    listener.answers = [500]
    await first.finds(ROW)
    await first.writes()
    second = open_office()
    second.clock.time += timedelta(seconds=1)
    await second.writes()
    assert listener.types == ["drift.new"]
    assert set(listener.tried) == {"r-1-drift-new"}


@BOTH
async def test_two_processes(open_office: Callable[..., Office], listener: Listener) -> None:
    """It is told once, whoever writes, and whoever notices a silence."""
    first, second = open_office(), open_office()
    await first.finds(ROW)
    await asyncio.gather(first.writes(), second.writes())
    first.clock.time += 5 * DAY
    await asyncio.gather(*(signal_overdue(each.world, SILENCE) for each in (first, second)))
    await asyncio.gather(first.writes(), second.writes())
    assert listener.types == ["drift.new", "drift.overdue"]
    assert len(listener.tried) == 2


async def test_overdue(office: Office, listener: Listener) -> None:
    """It is told once of each silence, when that is too long, and when it is over."""
    world = office.world
    await office.finds(run="r-1")
    began, pause = office.clock.now(), timedelta(hours=6)
    for _ in range(8):  # somebody looks all the time
        async with world.store.begin() as unit:
            await unit.drift.hold(office.clock.now(), 2 * pause)
        assert await signal_overdue(world, 2 * pause) is False
        office.clock.time += pause
    assert await signal_overdue(world, 2 * pause) is False
    office.clock.time += timedelta(seconds=1)
    assert await signal_overdue(world, 2 * pause)
    assert await signal_overdue(world, 2 * pause) is False
    await office.finds(run="r-2", error="Error: no access")
    await office.writes()
    assert [(each["type"], each["last_success"]) for each in listener.heard] == [
        ("drift.overdue", began.isoformat())
    ]
    await office.finds(run="r-3")
    await office.writes()
    assert listener.types == ["drift.overdue", "drift.caught-up"]


async def test_after_a_downtime(office: Office, listener: Listener) -> None:
    """It gives itself a day to catch up, before it calls anything overdue."""
    await office.finds(run="r-1")
    office.clock.time += 2 * DAY + timedelta(hours=1)
    await signal_overdue(office.world, SILENCE)
    await office.writes()
    assert listener.types == []
    office.clock.time += DAY
    await signal_overdue(office.world, SILENCE)
    await office.writes()
    assert listener.types == ["drift.overdue"]


async def test_no_project_any_more(office: Office, listener: Listener) -> None:
    """It is told that nothing drifts there any more; when it comes back, it begins anew."""
    await office.finds(ROW)
    for run in ("r-2", "r-3"):
        async with office.world.store.begin() as unit:
            gone = await unit.drift.found(REPO, {}, office.clock.now())
            await signal_removed(office.world, unit, gone)
        office.clock.time += DAY
        await office.finds(ROW, run=run)
    while await office.writes() is not None:
        pass
    assert listener.types == ["drift.new", "drift.gone"] * 2 + ["drift.new"]


async def test_no_project_any_more_when_its_check_ends(office: Office, listener: Listener) -> None:
    """Nothing is told to drift for ever: no check would find that to be over."""
    store, now = office.world.store, office.clock.now()
    await office.finds(ROW)
    async with store.begin() as unit:
        standing = await unit.drift.get(REPO, APP)
        assert standing is not None
        assert await unit.drift.begin(standing, RunId("r-2"))
        gone = await unit.drift.found(REPO, {}, now)
        await signal_removed(office.world, unit, gone)
        section = Section(REPO, APP, ProjectVerdict.DRIFTED, Sha("a" * 40), now, None, (ROW,))
        before = await unit.drift.end(RunId("r-2"), section, now, None)
        assert before is not None
        await signal_found(office.world, unit, before, RunId("r-2"), section, False)
    while await office.writes() is not None:
        pass
    assert listener.types == ["drift.new", "drift.gone"]


@pytest.mark.parametrize("status", [301, 308, 400, 403, 410])
async def test_refused(office: Office, listener: Listener, status: int, logs: Any) -> None:
    """It follows no redirect, tries for some minutes, and gives up with a line in the log."""
    listener.answers = [status] * FAILURES
    listener.headers = {"Location": listener.url}
    await office.finds(ROW)
    while await office.writes() is not None:
        office.clock.time += LAST_RETRY
    assert listener.heard == []
    assert len(listener.tried) == FAILURES
    (line,) = [line for line in logs if line["event"] == "letter given up"]
    assert line["error"].startswith("127.0.0.1 refused")
    assert "of-the-address" not in json.dumps(logs, default=str)


async def test_down_for_days(office: Office, listener: Listener) -> None:
    """It gives up after a day, so that the outbox does not grow for ever."""
    listener.answers = [500] * SIGNAL_TRIES
    began = office.clock.now()
    await office.finds(ROW)
    while await office.writes() is not None:
        office.clock.time += LAST_RETRY
    assert office.clock.now() - began > DAY
    assert len(listener.tried) == SIGNAL_TRIES


async def test_secrets(office: Office, listener: Listener) -> None:
    """It removes them from names, and stays JSON whatever they are."""
    for secret in ("true", '"ignored": ', "drift.new", "s3cr", "verdict"):
        office.world.redactor.register(secret)
    await office.finds(replace(ROW, address="x.s3cr"))
    await office.writes()
    (message,) = listener.heard
    assert message["attributes"][0]["address"] == "x.[redacted]"
    assert message["type"] == "drift.new"


async def test_nobody_listens(open_office: Callable[..., Office], listener: Listener) -> None:
    """It keeps nothing; who begins to listen hears of all that drifts."""
    deaf = open_office()
    deaf.world = replace(deaf.world, receiver=None)
    await deaf.finds(ROW)
    assert await signal_overdue(deaf.world, SILENCE) is False
    office = open_office()
    assert await office.writes() is None
    await office.finds(ROW, run="r-2")
    await office.writes()
    assert listener.types == ["drift.new"]


# --- the wire ----------------------------------------------------------------------------------


def test_a_signature() -> None:
    """It is what the reference library of Standard Webhooks makes of the same."""
    key = signing_key("whsec_MfKQ9r8GKYqTwjUPD8ILPZIo2LaLaSw0")
    made = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')
    assert made == "v1,Oz8aisYF6/eeSFeR9+b3XltqOfhWWILI76FX+W4K5jo="


@pytest.mark.parametrize("secret", ["short", "whsec_c2hvcnQ=", "whsec_no base64 at all, is it?"])
def test_a_bad_secret(secret: str) -> None:
    """It refuses what would protect nobody."""
    with pytest.raises(BadSigningSecret):
        signing_key(secret)


async def test_an_answer_without_end(unused_tcp_port: int) -> None:
    """It reads no more of an answer than its first lines."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        except ConnectionError:
            pass
        finally:  # however it ends: the loop may be over before the other end is seen to be gone
            writer.close()

    class Clock:
        def now(self) -> datetime:
            return datetime(2026, 1, 1, tzinfo=UTC)

    server = await asyncio.start_server(talk, "127.0.0.1", unused_tcp_port)
    receiver = HttpReceiver(f"http://127.0.0.1:{unused_tcp_port}/", b"k" * 32, 20, Clock())
    async with server, asyncio.timeout(10):
        await receiver.deliver("d", "{}")
    with pytest.raises(ReceiverUnavailable):
        await receiver.deliver("d", "{}")


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, ReceiverUnavailable), (429, ReceiverUnavailable), (404, ReceiverRefused)],
)
async def test_what_answers_mean(listener: Listener, status: int, error: type[Exception]) -> None:
    """It tells trouble that passes from a no."""

    class Clock:
        def now(self) -> datetime:
            return datetime(2026, 1, 1, tzinfo=UTC)

    listener.answers = [status]
    receiver = HttpReceiver(listener.url, signing_key(SECRET), 20, Clock())
    with pytest.raises(error):
        await receiver.deliver("d", "{}")
