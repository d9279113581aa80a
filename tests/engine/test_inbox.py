"""The inbox: a delivery that cannot be digested keeps back nobody's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from prbot.drift.issue import Kept, Kind
from prbot.drift.state import IssueOf
from prbot.engine.alarm import Alarm
from prbot.engine.asking import Asking
from prbot.engine.inbox import FAILURES, RETRY, Inbox
from prbot.engine.world import Forge, World
from prbot.errors.forge import ForgeRefused, ForgeUnavailable, NotFound
from prbot.errors.store import StoreUnavailable
from prbot.model import (
    Actor,
    DeliveryId,
    Event,
    Ignored,
    IssueCommented,
    Login,
    Permission,
    PipelineBegan,
    PullChanged,
    PullRef,
    RepoRef,
    Sha,
)
from prbot.ports.deliveries import Delivery
from prbot.ports.forge import CloneAccess
from prbot.ports.outbox import IssueLetter, of_repository
from prbot.ports.queue import AdvanceRun

OPENED = PullChanged(
    PullRef(RepoRef("gh", "acme/infra"), 7),
    Sha("a" * 40),
    "main",
    "main",
    Actor(Login("ann")),
    draft=False,
    fork=False,
    reason="opened",
)

ISSUE = IssueOf(
    OPENED.pull.repo, Kind.DRIFT, "app", OPENED.pull.repo, "m", Kept(open=True, facts=()), 12
)
ANSWER = IssueCommented(
    ISSUE.place, 12, 99, "prbot recheck", Actor(Login("ann")), datetime(2026, 3, 4, tzinfo=UTC)
)


PIPELINE = PipelineBegan(OPENED.pull, Sha("c" * 40), Actor(Login("ann")), "a pipeline began")
SAID: dict[bytes, Event] = {b"answer": ANSWER, b"pipeline": PIPELINE}


@dataclass
class Desk:
    """An inbox whose deliveries say in their body what becomes of them."""

    world: World
    troubles: dict[bytes, type[Exception]] = field(default_factory=dict)
    digested: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        absent: Any = None
        forge = Forge(absent_reader(), absent, absent, absent, absent, self._digest)
        self.world = replace(self.world, forges={"gh": forge})
        self.outbox = Alarm()
        self.drift = Alarm()
        asking = Asking(self.world)
        self.inbox = Inbox(self.world, asking, Alarm(), self.outbox, self.drift)

    def _digest(self, delivery: Delivery) -> Event:
        self.digested.append(delivery.body)
        if delivery.body in self.troubles:
            raise self.troubles[delivery.body]("nobody foresaw it")
        if delivery.body in SAID:
            return SAID[delivery.body]
        return OPENED if delivery.body.startswith(b"opened") else Ignored("nothing to do")

    async def deliver(self, *bodies: bytes) -> None:
        now = self.world.clock.now()
        async with self.world.store.begin() as unit:
            for body in bodies:
                name = DeliveryId(body.decode())
                await unit.deliveries.add(Delivery(name, "gh", "push", body, now))

    async def outcomes(self) -> list[tuple[str, str | None]]:
        store: Any = self.world.store
        async with store.transaction() as db:
            rows = await db.execute(text("SELECT id, outcome FROM deliveries ORDER BY seq"))
            return [(row.id, row.outcome) for row in rows]


def absent_reader() -> Any:
    class Reader:
        async def bot_login(self) -> Login:
            return Login("prbot")

        asked = 0

        async def permission(self, repo: RepoRef, login: Login) -> Permission:
            self.asked += 1
            return Permission.WRITE

        async def clone_access(self, repo: RepoRef) -> CloneAccess:
            raise ForgeUnavailable("gh", "read the code", "it is asleep")

    return Reader()


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


async def test_poison(desk: Any, logs: list[Any]) -> None:
    """It digests all others, tries that one again, and notes at last what failed."""
    desk.troubles[b"poison"] = RuntimeError
    await desk.deliver(b"poison", b"good")
    for _ in range(FAILURES - 1):
        assert await desk.inbox.digest_waiting() == RETRY
        assert await desk.outcomes() == [("poison", None), ("good", "nothing to do")]
    assert await desk.inbox.digest_waiting() is None
    assert (await desk.outcomes())[0] == ("poison", "failed: RuntimeError")
    assert await desk.inbox.digest_waiting() is None
    assert [line["event"] for line in logs].count("digest failed") == FAILURES


async def test_more_poison_than_is_read_at_once(desk: Any) -> None:
    """It gets to what lies behind any number of them."""
    bodies = [f"poison {n}".encode() for n in range(250)]
    desk.troubles |= dict.fromkeys(bodies, RuntimeError)
    await desk.deliver(*bodies, b"good")
    assert await desk.inbox.digest_waiting() == RETRY
    assert (await desk.outcomes())[-1] == ("good", "nothing to do")
    assert {outcome for _, outcome in (await desk.outcomes())[:-1]} == {None}


async def test_a_failure_that_passes(desk: Any) -> None:
    """It loses nothing where the second try does better."""
    desk.troubles[b"odd"] = RuntimeError
    await desk.deliver(b"odd")
    await desk.inbox.digest_waiting()
    desk.troubles.clear()
    assert await desk.inbox.digest_waiting() is None
    assert await desk.outcomes() == [("odd", "nothing to do")]


@dataclass
class Counted:
    """The store, and how many transactions it was asked for."""

    store: Any
    begun: int = 0

    def begin(self) -> Any:
        self.begun += 1
        return self.store.begin()


async def test_a_flood(desk: Any) -> None:
    """It notes what starts nothing in few transactions, and starts what is among it."""
    names = [f"nothing {n}" for n in range(60)]
    names.insert(30, "opened")
    await desk.deliver(*(name.encode() for name in names))
    counted = Counted(desk.world.store)
    inbox = Inbox(replace(desk.world, store=counted), Asking(desk.world), Alarm(), Alarm())
    assert await inbox.digest_waiting() is None
    assert counted.begun < 10
    outcomes = dict(await desk.outcomes())
    assert list(outcomes) == names
    assert outcomes.pop("opened") == "r-1: plan"
    assert set(outcomes.values()) == {"nothing to do"}


async def test_a_flood_at_a_forge_that_does_not_help(desk: Any) -> None:
    """It does not ask the forge for each of many in vain."""
    asked = []

    async def bot_login() -> Login:
        asked.append(1)
        raise ForgeUnavailable("gh", "read our account", "HTTP 502")

    desk.world.forges["gh"].reader.bot_login = bot_login
    await desk.deliver(*(f"opened {n}".encode() for n in range(40)))
    assert await desk.inbox.digest_waiting() == RETRY
    assert len(asked) < 4


FORGE_TROUBLES = [
    ForgeUnavailable("gh", "read our account", "HTTP 502"),
    ForgeRefused("gh", "read our account", "HTTP 401"),
    NotFound("gh", "our account"),
]


@pytest.mark.parametrize("error", FORGE_TROUBLES, ids=lambda error: type(error).__name__)
async def test_a_forge_that_does_not_help(desk: Any, error: Exception) -> None:
    """It keeps every delivery, however long that lasts."""
    desk.world.forges["gh"].reader.bot_login = _raising(error)
    await desk.deliver(b"opened")
    for _ in range(3 * FAILURES):
        assert await desk.inbox.digest_waiting() == RETRY
    assert await desk.outcomes() == [("opened", None)]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_the_database_restarts(desk: Any, postgres_server: Any) -> None:
    """It waits for a database that went away in the middle, and then digests each once."""
    digest = desk._digest

    def digest_and_stop(delivery: Delivery) -> Event:
        if not desk.digested:
            postgres_server.stop()
        event: Event = digest(delivery)
        return event

    forge = replace(desk.world.forges["gh"], digest=digest_and_stop)
    desk.world.forges["gh"] = forge
    await desk.deliver(b"first", b"second")
    try:
        assert await desk.inbox.digest_waiting() == RETRY
        assert await desk.inbox.digest_waiting() == RETRY
    finally:
        await asyncio.to_thread(postgres_server.start)
    assert await desk.inbox.digest_waiting() is None
    assert await desk.outcomes() == [("first", "nothing to do"), ("second", "nothing to do")]


async def test_a_queue_that_does_not_answer(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It wakes the new run later when the queue could not be told of it."""
    await desk.deliver(b"opened")
    away = StoreUnavailable("the queue", "it restarts")
    with monkeypatch.context() as patched:
        patched.setattr(desk.world.queue, "put", _raising(away))
        assert await desk.inbox.digest_waiting() == RETRY
    assert await desk.outcomes() == [("opened", "r-1: plan")]
    assert await desk.inbox.digest_waiting() is None
    async with asyncio.timeout(30):
        assert (await desk.world.queue.claim()).message.work == AdvanceRun("r-1")


def _raising(error: Exception) -> Any:
    async def raising(*_: object) -> None:
        raise error

    return raising


async def _write_issue(desk: Any) -> None:
    """As the postman does."""
    now = desk.world.clock.now()
    letter = IssueLetter("m", "Drift", "m", (), is_open=True)
    async with desk.world.store.begin() as unit:
        await unit.drift_issues.keep(ISSUE)
        await unit.outbox.put("m", of_repository(ISSUE.place), letter, now)
    async with desk.world.store.begin() as unit:
        (row,) = await unit.outbox.due(now, "w-1", now + timedelta(minutes=1))
        assert await unit.outbox.sent(row, 12, now)


@pytest.mark.parametrize("error", FORGE_TROUBLES, ids=lambda error: type(error).__name__)
async def test_a_repository_of_which_the_forge_does_not_tell(desk: Any, error: Exception) -> None:
    """It keeps what was said to an issue there, and digests what came of other repositories."""
    await _write_issue(desk)
    desk.world.forges["gh"].reader.permission = _raising(error)
    await desk.deliver(b"answer", b"opened")
    for _ in range(2 * FAILURES):
        assert await desk.inbox.digest_waiting() == RETRY
    assert await desk.outcomes() == [("answer", None), ("opened", "r-1: plan")]


async def test_trains_of_which_the_forge_does_not_tell(desk: Any) -> None:
    """It keeps what began in a merge train, and digests what came of other repositories."""
    away = ForgeUnavailable("gh", "list the trains", "it is ill")
    desk.world.forges["gh"].reader.merge_queue = _raising(away)
    await desk.deliver(b"pipeline", b"opened")
    assert await desk.inbox.digest_waiting() == RETRY
    assert await desk.outcomes() == [("pipeline", None), ("opened", "r-1: plan")]


async def test_an_answer_is_written_at_once(desk: Any) -> None:
    """It tells the outbox of what is said to an issue, which no run tells it of, and has drift
    looked for at once; the forge is asked once who it is, and a twin is not answered again."""
    now = desk.world.clock.now()
    await _write_issue(desk)
    await desk.deliver(b"answer")
    assert await desk.inbox.digest_waiting() is None
    assert await desk.outcomes() == [("answer", "issue 12: recheck")]
    async with asyncio.timeout(10):
        await desk.outbox.wait()
        await desk.drift.wait()
    assert desk.world.forges["gh"].reader.asked == 1
    async with desk.world.store.begin() as unit:
        await unit.deliveries.add(Delivery(DeliveryId("again"), "gh", "push", b"answer", now))
    assert await desk.inbox.digest_waiting() is None
    assert (await desk.outcomes())[-1] == ("again", "the comment is answered already")
