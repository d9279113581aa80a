"""A pipeline that GitLab tells of: whether it is a merge train's is asked of the forge, once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from prbot.engine.alarm import Alarm
from prbot.engine.asking import Asking
from prbot.engine.inbox import Inbox
from prbot.engine.world import Forge, World
from prbot.errors.forge import ForgeRefused, NotFound
from prbot.model import (
    Actor,
    DeliveryId,
    Ignored,
    Login,
    PipelineBegan,
    PullRef,
    QueueMoved,
    RepoRef,
    Reviewed,
    RunId,
    Sha,
)
from prbot.ports.deliveries import Delivery
from prbot.runs.queued import place_of
from prbot.runs.run import AskKind, RunState

REPO = RepoRef("gh", "acme/infra")
PULL = PullRef(REPO, 7)
CAR, OTHER = Sha("c" * 40), Sha("d" * 40)
ANN = Actor(Login("ann"))
BEGAN = PipelineBegan(PULL, CAR, ANN, "pipeline pending")
RUNS = replace(BEGAN, reason="pipeline running")
GONE = Reviewed(PULL, ANN, "pipeline canceled", dropped=CAR)
TRIED = QueueMoved(REPO, CAR, "main", "main", Actor(Login("bob")), False, "found on a train")


@dataclass
class Reader:
    """A forge whose trains stand in the test's hand."""

    queue: tuple[QueueMoved, ...] = ()
    trouble: Exception | None = None
    asked: list[RepoRef] = field(default_factory=list)

    async def bot_login(self) -> Login:
        return Login("prbot")

    async def merge_queue(self, repo: RepoRef) -> tuple[QueueMoved, ...]:
        self.asked.append(repo)
        if self.trouble is not None:
            raise self.trouble
        return self.queue


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def asking(world: World, reader: Reader) -> Asking:
    absent: Any = None
    port: Any = reader
    forge = Forge(port, absent, absent, absent, absent, absent)
    count = itertools.count(1)
    return Asking(replace(world, forges={"gh": forge}, new_id=lambda kind: f"{kind}-{next(count)}"))


async def told(asking: Asking, event: PipelineBegan | Reviewed | QueueMoved) -> str:
    """What came of the event, in a few words."""
    asked = await asking.heard("gh", event)
    async with asking._world.store.begin() as unit:
        outcome, _ = await asking.start(unit, event, asked)
    return outcome


async def kinds(asking: Asking) -> list[AskKind]:
    async with asking._world.store.begin() as unit:
        return [run.ask.kind for run in await unit.runs.of_pull(place_of(REPO, CAR))]


async def test_a_train(asking: Asking, reader: Reader) -> None:
    """It plans the commit once, whoever tells of it and how often, and for whoever put it there."""
    reader.queue = (replace(TRIED, commit=OTHER), TRIED)
    assert await told(asking, BEGAN) == "r-1: queued"
    assert await told(asking, RUNS) == "the train's commit is planned already"
    assert await told(asking, TRIED) == "this commit is planned already"
    assert len(reader.asked) == 1
    async with asking._world.store.begin() as unit:
        (run,) = await unit.runs.of_pull(place_of(REPO, CAR))
    assert (run.ask.actor, run.ask.base_branch) == ("bob", "main")
    assert run.ask.reason == "pipeline pending, of a merge train"


async def test_through_the_inbox(asking: Asking, reader: Reader) -> None:
    """The forge is asked once of what a delivery tells, also where that starts something."""
    reader.queue, world = (TRIED,), asking._world
    digesting: Any = replace(world.forges["gh"], digest=lambda _: BEGAN)
    asking._world = replace(world, forges={"gh": digesting})
    inbox = Inbox(asking._world, asking, Alarm(), Alarm())
    async with world.store.begin() as unit:
        await unit.deliveries.add(Delivery(DeliveryId("1"), "gh", "p", b"{}", world.clock.now()))
    assert await inbox.digest_waiting() is None
    assert await kinds(asking) == [AskKind.QUEUED]
    assert len(reader.asked) == 1


async def test_no_train(asking: Asking, reader: Reader) -> None:
    """It leaves a pipeline that no train waits for."""
    reader.queue = (replace(TRIED, commit=OTHER),)
    assert await told(asking, BEGAN) == "pipeline pending, of no merge train"
    assert await kinds(asking) == []


@pytest.mark.parametrize(
    "error", [ForgeRefused("gh", "read merge trains", "HTTP 401"), NotFound("gh", "merge trains")]
)
async def test_a_forge_that_does_not_tell(asking: Asking, reader: Reader, error: Exception) -> None:
    """It keeps no delivery back for what the reconciler will ask again."""
    reader.trouble = error
    assert await asking.heard("gh", BEGAN) == Ignored(str(error))


async def test_a_repository_that_is_not_served(asking: Asking, reader: Reader) -> None:
    settings = replace(asking._world.settings, serves=lambda _: False)
    other = Asking(replace(asking._world, settings=settings))
    assert await other.heard("gh", BEGAN) == Ignored("the repository is not served")
    assert reader.asked == []


async def test_off_the_train(asking: Asking, reader: Reader) -> None:
    """It ends what is planned of a commit whose pipeline was cancelled, once."""
    assert await told(asking, GONE) == "pipeline canceled; 0 wait"
    reader.queue = (TRIED,)
    await told(asking, BEGAN)
    assert await told(asking, GONE) == "pipeline canceled; r-2: unqueued"
    assert await told(asking, GONE) == "pipeline canceled; 0 wait"
    assert await kinds(asking) == [AskKind.UNQUEUED, AskKind.QUEUED]


async def test_off_the_train_when_all_is_done(asking: Asking, reader: Reader) -> None:
    """It has nothing to end where the commit was planned before."""
    reader.queue = (TRIED,)
    await told(asking, BEGAN)
    async with asking._world.store.begin() as unit:
        await unit.runs.move(RunId("r-1"), RunState.QUEUED, RunState.WORKING)
        await unit.runs.move(RunId("r-1"), RunState.WORKING, RunState.DONE)
    assert await told(asking, GONE) == "pipeline canceled; 0 wait"
