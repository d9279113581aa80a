"""Nights pass by a clock in the test's hand: due once, caught up once, by whichever process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prbot.adapters.artifacts import EncryptedFiles
from prbot.adapters.hcl_cache import FactsCache
from prbot.adapters.queue_sqlite import SqliteQueue
from prbot.adapters.store import SqlStore
from prbot.adapters.workspaces import GitWorkspaces
from prbot.config.drift import DriftBounds, GroupBy
from prbot.config.repo import Effective
from prbot.config.server import ApplyOnMerge
from prbot.demo.git import git
from prbot.drift.issue import Kept, Kind, group_of
from prbot.drift.state import Correction, IssueOf, Standing
from prbot.drift.trying import AUTO, REFUSED
from prbot.engine.alarm import Alarm
from prbot.engine.drift import Drift
from prbot.engine.drift_places import OUT_OF_REACH
from prbot.engine.messages import job_message
from prbot.engine.world import Forge, World
from prbot.model import JobId, Login, ProjectKey, PullRef, RepoRef, RunId
from prbot.ports.forge import CloneAccess
from prbot.ports.queue import Priority
from prbot.runs.correction import correction_place
from prbot.runs.locks import Lock
from prbot.runs.requirements.asking import TOO_OLD
from prbot.runs.run import Ask, AskKind, Job, JobKind, Run, RunState, Trouble
from prbot.telemetry import Redactor

REPO = RepoRef("gh", "acme/infra")
PROJECTS = 6
EVENING = datetime(2026, 3, 4, 20, 0, tzinfo=UTC)
NIGHT = datetime(2026, 3, 5, 4, 30, tzinfo=UTC)
"""In the window, behind the moment of each project."""
DAY = timedelta(days=1)
ENDED = Trouble("It was ended by the test.")


@dataclass
class Reader:
    """What a forge tells: its repositories, and where they are cloned from."""

    origin: Path
    repos: tuple[RepoRef, ...] = (REPO,)

    async def repositories(self) -> tuple[RepoRef, ...]:
        return self.repos

    async def clone_access(self, repo: RepoRef) -> CloneAccess:
        return CloneAccess(self.origin.as_uri())


@dataclass
class Process:
    """One of those that look."""

    world: World
    drift: Drift

    async def standings(self) -> tuple[Standing, ...]:
        async with self.world.store.begin() as unit:
            return tuple(await unit.drift.of_repo(REPO))

    async def begun(self) -> list[RunId]:
        async with self.world.store.begin() as unit:
            return [each.run for each in await unit.drift.under_way() if each.run is not None]

    async def end_all(self) -> None:
        """As if each run had failed."""
        for run in await self.begun():
            async with self.world.store.begin() as unit:
                await unit.runs.move(run, RunState.QUEUED, RunState.FAILED, ENDED)


@dataclass
class Town:
    reader: Reader
    clock: Any
    start: Callable[..., Process]


@pytest.fixture
async def town(world: World, tmp_path: Path, url: str) -> AsyncIterator[Town]:
    origin = tmp_path / "origin"
    origin.mkdir()
    await git(origin, "init", "--quiet", "--initial-branch", "main")
    for number in range(PROJECTS):
        (origin / f"p{number}").mkdir()
        (origin / f"p{number}" / "main.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    await git(origin, "add", "--all")
    await git(origin, "commit", "--quiet", "-m", "Begin")
    reader, clock, stores = Reader(origin), world.clock, [world.store]
    made = iter(range(1000))

    def start(**bounds: Any) -> Process:
        number = len(stores)
        store = SqlStore(url, clock)
        stores.append(store)
        workspaces = GitWorkspaces(tmp_path / f"git-{number}", {"PATH": os.environ["PATH"]})
        ports: Any = (reader, None, workspaces, workspaces, workspaces, None)
        settings = replace(
            world.settings,
            rules_of=lambda *_: Effective(True, ApplyOnMerge.NEVER, plan_drafts=False),
            drift=DriftBounds(enabled=True, **{"parallel": 100, **bounds}),
        )
        mine = replace(
            world,
            store=store,
            queue=SqliteQueue(store, clock),
            settings=settings,
            forges={"gh": Forge(*ports)},
            facts=FactsCache(tmp_path / f"facts-{number}"),
            artifacts=EncryptedFiles(tmp_path / "artifacts", b"k" * 32),
            new_id=lambda kind: f"{kind}-{next(made)}",
        )
        return Process(mine, Drift(mine, Alarm()))

    yield Town(reader, clock, start)
    for store in stores[1:]:
        await store.close()


async def evening(town: Town, **bounds: Any) -> Process:
    """A process that looked at all of them once, on the evening that it was started."""
    process = town.start(**bounds)
    town.clock.time = EVENING
    await process.drift.sweep()
    assert len(await process.begun()) == PROJECTS
    await process.end_all()
    assert await process.drift.sweep() == 0
    assert {each.checked_at for each in await process.standings()} == {EVENING}
    return process


async def awake(process: Process, town: Town, until: datetime) -> None:
    """It looks every few minutes until then, without a break."""
    while town.clock.time < until:
        town.clock.time = min(until, town.clock.time + timedelta(minutes=9))
        await process.drift.sweep()


async def test_a_night(town: Town) -> None:
    """It begins each project at its own moment of the night, says so before, and begins none
    twice; a night later all of them again."""
    process = await evening(town)
    moments = {each.key: each.due_at for each in await process.standings()}
    assert len(set(moments.values())) == PROJECTS
    begun: dict[str, datetime] = {}
    while town.clock.time < NIGHT:
        town.clock.time += timedelta(minutes=9)
        await process.drift.sweep()
        for each in await process.standings():
            if each.run is not None:
                begun.setdefault(each.key, town.clock.time)
    for key, at in moments.items():
        assert at is not None
        assert timedelta(0) <= begun[key] - at < timedelta(minutes=9)
    await process.end_all()
    assert await process.drift.sweep() == 0
    await awake(process, town, NIGHT + DAY)
    assert len(await process.begun()) == PROJECTS


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
async def test_caught_up_once(town: Town) -> None:
    """It looks at once at what a night without anybody would have looked at, once, however many
    processes come back at that moment; the next night is a night like any other."""
    await evening(town)
    town.clock.time = morning = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
    first, second = town.start(), town.start()
    await asyncio.gather(first.drift.sweep(), second.drift.sweep())
    begun = await first.begun()
    assert len(begun) == len(set(begun)) == PROJECTS
    async with first.world.store.begin() as unit:
        assert sorted(await unit.runs.unfinished()) == sorted(begun)
    await first.end_all()
    kept = await asyncio.gather(first.drift.sweep(), second.drift.sweep())
    assert kept == [0, 0]
    assert {each.checked_at for each in await second.standings()} == {morning}
    assert all(each.due_at and each.due_at > morning for each in await first.standings())


async def test_a_window_too_short(town: Town) -> None:
    """It has no more under way than it may; what it did not reach goes first the next night."""
    process = await evening(town)
    narrow = town.start(parallel=2)
    await awake(narrow, town, datetime(2026, 3, 5, 5, 30, tzinfo=UTC))
    assert len(await process.begun()) == 2
    await process.end_all()
    assert await narrow.drift.sweep() == 0
    reached = {each.key for each in await process.standings() if each.checked_at != EVENING}
    assert len(reached) == 2
    await awake(narrow, town, NIGHT + DAY)
    again = {each.key for each in await process.standings() if each.run is not None}
    assert len(again) == 2
    assert reached.isdisjoint(again)


async def test_a_held_project(town: Town) -> None:
    """It puts off what a pull request holds, says by whom, and looks soon after it is free."""
    process = await evening(town)
    held = ProjectKey("p1")
    lock = Lock(REPO, held, PullRef(REPO, 7), Login("ann"), EVENING)
    async with process.world.store.begin() as unit:
        await unit.locks.take(lock)
    await awake(process, town, NIGHT)
    (one,) = [each for each in await process.standings() if each.run is None]
    assert (one.project, one.held) == (held, "held by pull request 7")
    async with process.world.store.begin() as unit:
        await unit.locks.free(PullRef(REPO, 7), [held])
    await awake(process, town, NIGHT + timedelta(minutes=31))
    assert len(await process.begun()) == PROJECTS


async def test_closed_after_an_apply(town: Town) -> None:
    """It does look at what a closed pull request still holds: nobody works on it."""
    process = await evening(town)
    pull = PullRef(REPO, 7)
    close = Run(RunId("r-close"), pull, Ask(AskKind.CLOSE, Login("ann"), "closed"), EVENING)
    async with process.world.store.begin() as unit:
        await unit.locks.take(Lock(REPO, ProjectKey("p1"), pull, Login("ann"), EVENING))
        await unit.runs.add(close)
        await unit.runs.move(close.id, RunState.QUEUED, RunState.DONE)
    await awake(process, town, NIGHT)
    assert len(await process.begun()) == PROJECTS


async def test_an_archived_repository(town: Town) -> None:
    """It looks at nothing there, and says why; when it is back, its projects are known."""
    process = await evening(town)
    town.reader.repos = ()
    await awake(process, town, NIGHT)
    assert await process.begun() == []
    async with process.world.store.begin() as unit:
        (watch,) = await unit.drift.watches()
    assert watch.skipped == OUT_OF_REACH
    town.reader.repos = (REPO,)
    await awake(process, town, NIGHT + DAY)
    assert len(await process.begun()) == PROJECTS


async def test_broken_settings(town: Town) -> None:
    """It looks at nothing while the default branch's file cannot be read, and says so."""
    process = town.start()
    wrong = replace(process.world.settings, rules_of=lambda *_: Trouble("The file is broken."))
    broken = Drift(replace(process.world, settings=wrong), Alarm())
    town.clock.time = NIGHT
    assert await broken.sweep() == 0
    async with process.world.store.begin() as unit:
        (watch,) = await unit.drift.watches()
    assert watch.skipped == "The file is broken."


async def test_somebody_asks(town: Town) -> None:
    """It looks at once, whatever the time."""
    process = await evening(town)
    async with process.world.store.begin() as unit:
        one = await unit.drift.get(REPO, ProjectKey("p3"))
        assert one is not None
        await unit.drift.plan(replace(one, asked_at=town.clock.time))
    await process.drift.sweep()
    (run,) = await process.begun()
    async with process.world.store.begin() as unit:
        assert (await unit.runs.get(run)).ask.select.dirs == ("p3",)


async def test_checks_come_last(town: Town) -> None:
    """It leaves every other job the way: a job of a check has the lowest priority."""
    process = await evening(town)
    await awake(process, town, NIGHT)
    run = (await process.begun())[0]
    async with process.world.store.begin() as unit:
        job = Job(JobId("j-1"), run, ProjectKey("p1"), JobKind.PLAN)
        assert job_message(await unit.runs.get(run), job).priority is Priority.DRIFT


async def test_what_nobody_foresaw(town: Town, logs: list[Any]) -> None:
    """It tells the log, and looks again: the service goes on."""
    process = town.start()
    forges: Any = {"gh": None}
    broken = Drift(replace(process.world, forges=forges), Alarm())
    looking = asyncio.create_task(broken.run())
    async with asyncio.timeout(30):
        while not any(line["event"] == "drift not looked for" for line in logs):
            await process.standings()
    assert not looking.done()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


class Stumbling(Redactor):
    """Fails in a way that nobody foresaw, about one subject."""

    def __init__(self, subject: str) -> None:
        super().__init__()
        self._subject = subject

    def about(self, subject: str) -> AbstractContextManager[None]:
        if subject == self._subject:
            raise RuntimeError("nobody foresaw this")
        return super().about(subject)


async def test_one_look_that_cannot_be_kept(town: Town, logs: list[Any]) -> None:
    """It keeps all the others, and begins what is due."""
    process = town.start()
    await process.drift.sweep()
    first = (await process.begun())[0]
    async with process.world.store.begin() as unit:
        subject = str((await unit.runs.get(first)).pull)
    await process.end_all()
    stumbling = Drift(replace(process.world, redactor=Stumbling(subject)), Alarm())
    assert await stumbling.sweep() == 1
    assert await process.begun() == [first]
    assert [line["event"] for line in logs].count("drift not kept") == 1


# --- what is asked to be put back ------------------------------------------------------------

P3 = ProjectKey("p3")


async def ask(process: Process, town: Town, number: int = 1) -> Correction:
    wish = Correction(f"c-{number}", REPO, P3, "revert", town.clock.time, Login("ann"))
    async with process.world.store.begin() as unit:
        await unit.corrections.add(wish)
    return wish


async def corrections(process: Process) -> list[tuple[RunId | None, str | None]]:
    async with process.world.store.begin() as unit:
        known = await unit.corrections.of_project(REPO, P3)
    return [(each.run, each.outcome) for each in known]


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
async def test_a_correction_begins_once(town: Town) -> None:
    """It begins what was asked for in one process, in the place of a look and of the newest commit;
    what somebody else asked for meanwhile waits until that has ended."""
    process = await evening(town)
    await ask(process, town, 1)
    await ask(process, town, 2)
    first, second = town.start(), town.start()
    await asyncio.gather(first.drift.sweep(), second.drift.sweep())
    (run,) = await first.begun()
    async with first.world.store.begin() as unit:
        begun = await unit.runs.get(run)
        (standing,) = [s for s in await unit.drift.under_way() if s.project == P3]
    assert begun.pull == correction_place(REPO, standing.number)
    assert (begun.ask.kind, begun.ask.actor) == (AskKind.CORRECT, "ann")
    assert await corrections(first) == [(run, None), (None, None)]
    await first.end_all()
    await asyncio.gather(first.drift.sweep(), second.drift.sweep())
    (other,) = await second.begun()
    assert await corrections(first) == [(run, REFUSED), (other, None)]


async def test_a_correction_waits_for_a_look(town: Town) -> None:
    """It begins none while its project is looked at, and refuses what waited too long."""
    process = await evening(town)
    async with process.world.store.begin() as unit:
        one = await unit.drift.get(REPO, P3)
        assert one is not None
        await unit.drift.plan(replace(one, asked_at=town.clock.time))
    await process.drift.sweep()
    (look,) = await process.begun()
    await ask(process, town)
    await process.drift.sweep()
    assert await process.begun() == [look]
    assert await corrections(process) == [(None, None)]
    town.clock.time += timedelta(minutes=31)
    await process.drift.sweep()
    assert await corrections(process) == [(None, REFUSED)]


async def test_a_correction_waits_for_the_forge(town: Town) -> None:
    """It loses nothing that was asked for while the forge is away, and begins when it is back."""
    process = await evening(town)
    await ask(process, town)
    origin = town.reader.origin
    town.reader.origin = origin / "away"
    await process.drift.sweep()
    assert await corrections(process) == [(None, None)]
    town.reader.origin = origin
    await process.drift.sweep()
    (run,) = await process.begun()
    assert await corrections(process) == [(run, None)]


async def test_nothing_by_rule_that_is_told_nowhere(town: Town) -> None:
    """It applies nothing by rule where no issue would tell what came of it."""
    process = await evening(town)
    wish = Correction("c-1", REPO, P3, AUTO, town.clock.time)
    async with process.world.store.begin() as unit:
        await unit.corrections.add(wish)
    await process.drift.sweep()
    assert await process.begun() == []
    assert await corrections(process) == [(None, REFUSED)]


async def test_nothing_by_rule_before_it_is_told(town: Town) -> None:
    """It waits until the forge has taken the issue, and gives up where it takes none."""
    process = await evening(town)
    group = group_of(REPO, P3, None, GroupBy.PROJECT)
    issue = IssueOf(REPO, Kind.DRIFT, group, REPO, "m", Kept(open=True, facts=("f",)))
    async with process.world.store.begin() as unit:
        await unit.drift_issues.keep(issue)
        await unit.corrections.add(Correction("c-1", REPO, P3, AUTO, town.clock.time))
    assert await process.drift.sweep() == 0
    assert await corrections(process) == [(None, None)]
    town.clock.time += TOO_OLD + timedelta(minutes=1)
    assert await process.drift.sweep() == 0
    assert await corrections(process) == [(None, REFUSED)]
