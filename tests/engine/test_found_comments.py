"""What was said to an issue about drift, and whose webhook was lost, is answered all the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from prbot.drift.issue import Kept, Kind
from prbot.drift.state import IssueOf
from prbot.engine.alarm import Alarm
from prbot.engine.asking import Asking
from prbot.engine.reconciler import Reconciler
from prbot.engine.world import Forge, World
from prbot.errors.forge import ForgeRefused, ForgeUnavailable
from prbot.model import Actor, IssueCommented, Login, Permission, RepoRef
from prbot.ports.forge import CloneAccess
from prbot.ports.outbox import IssueCommentLetter, IssueLetter, of_repository

REPO = RepoRef("gh", "acme/infra")
ISSUE = IssueOf(REPO, Kind.DRIFT, "app", REPO, "m", Kept(open=True, facts=()), 12)


@dataclass
class Reader:
    """A forge where somebody said something. It cannot tell what `troubled` people may do.
    `asked` counts what it was asked about people, `closed` about closed pull requests."""

    said: tuple[IssueCommented, ...] = ()
    troubled: dict[Login, Exception] = field(default_factory=dict)
    asked: int = 0
    closed: int = 0

    async def repositories(self) -> tuple[RepoRef, ...]:
        return (REPO,)

    async def bot_login(self) -> Login:
        return Login("prbot")

    async def open_pulls(self, repo: RepoRef) -> tuple[Any, ...]:
        return ()

    async def recently_closed_pulls(self, repo: RepoRef, since: Any) -> tuple[Any, ...]:
        self.closed += 1
        return ()

    async def comments_since(self, repo: RepoRef, since: Any) -> tuple[IssueCommented, ...]:
        return self.said

    async def permission(self, repo: RepoRef, login: Login) -> Permission:
        self.asked += 1
        if login in self.troubled:
            raise self.troubled[login]
        return Permission.WRITE

    async def clone_access(self, repo: RepoRef) -> CloneAccess:
        raise ForgeUnavailable("gh", "read the code", "it is asleep")


@pytest.fixture
async def reader(world: World) -> Reader:
    now = world.clock.now()
    letter = IssueLetter("m", "Drift", "m", (), is_open=True)
    async with world.store.begin() as unit:
        await unit.drift_issues.keep(ISSUE)
        await unit.outbox.put("m", of_repository(REPO), letter, now)
        (row,) = await unit.outbox.due(now, "w-1", now + timedelta(minutes=1))
        assert await unit.outbox.sent(row, 12, now)
    return Reader()


async def looked(world: World, reader: Any) -> bool:
    """Look for it; whether all was found."""
    absent: Any = None
    forge = Forge(reader, absent, absent, absent, absent, absent)
    mine = replace(world, forges={"gh": forge})
    return await Reconciler(mine, Asking(mine), Alarm(), Alarm()).sweep(starting=True)


async def sweep(world: World, reader: Reader) -> list[str]:
    """Look for it, and take what is to be written."""
    assert await looked(world, reader)
    now = world.clock.now()
    async with world.store.begin() as unit:
        rows = await unit.outbox.due(now, "w-1", now)
        for row in rows:
            await unit.outbox.sent(row, None, now)
    return [row.letter.body for row in rows if isinstance(row.letter, IssueCommentLetter)]


def said(world: World, words: str, number: int = 12, comment: int = 99) -> IssueCommented:
    ann = Actor(Login("ann"))
    return IssueCommented(REPO, number, comment, words, ann, world.clock.now(), "found")


async def test_found_once(world: World, reader: Reader) -> None:
    """It answers what it finds, once, and asks the forge no more about it."""
    reader.said = (said(world, "prbot recheck"),)
    (answer,) = await sweep(world, reader)
    assert "prbot recheck" in answer
    assert (await sweep(world, reader), reader.asked) == ([], 1)


async def test_somebody_elses_issue(world: World, reader: Reader) -> None:
    """It says nothing there, and nothing to conversation."""
    reader.said = (said(world, "prbot recheck", 13), said(world, "hello", comment=100))
    assert (await sweep(world, reader), reader.asked) == ([], 0)


@pytest.mark.parametrize(("words", "old"), [("prbot snooze 7d", True), ("prbot recheck", False)])
@pytest.mark.parametrize("reason", ["found", "comment on an issue"])
async def test_heard_late(world: World, reader: Reader, words: str, old: bool, reason: str) -> None:
    """It does not change anything long after somebody wanted it, and says so; looking is fine."""
    clock: Any = world.clock
    reader.said = (replace(said(world, words), reason=reason),)
    clock.time += timedelta(minutes=31)
    (answer,) = await sweep(world, reader)
    assert ("more than 30 minutes after" in answer) is old


async def test_one_that_nobody_foresaw(world: World, reader: Reader) -> None:
    """It answers the others all the same."""
    mallory = Login("mallory")
    reader.troubled[mallory] = OverflowError("nobody foresaw it")
    odd = replace(said(world, "prbot recheck"), actor=Actor(mallory))
    reader.said = (odd, said(world, "prbot recheck", comment=100))
    (answer,) = await sweep(world, reader)
    assert "prbot recheck" in answer


async def test_one_that_cannot_be_asked_about(world: World, reader: Reader) -> None:
    """It looks at all else in its repository, and for that one again."""
    reader.troubled[Login("ann")] = ForgeRefused("gh", "read", "HTTP 403")
    reader.said = (said(world, "prbot recheck"),)
    assert not await looked(world, reader)
    assert (reader.asked, reader.closed) == (1, 1)
