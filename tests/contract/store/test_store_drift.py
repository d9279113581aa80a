"""Checks for drift: each project has one at a time, and what it found is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from prbot.adapters.store import SqlStore
from prbot.config.drift import Reaction
from prbot.drift.issue import Found, Section
from prbot.drift.schedule import Reach
from prbot.drift.state import Correction, Standing, Trace, Watch
from prbot.drift.tally import Checks, Ward
from prbot.drift.verdict import ProjectVerdict
from prbot.model import ProjectKey, RepoRef, RunId, Sha
from prbot.plans.record import Applied, Inputs
from prbot.plans.threeway import Verdict
from prbot.runs.run import Flaw, Trouble

REPO, OTHER = RepoRef("gh", "acme/infra"), RepoRef("gh", "acme/other")
APP, DB, NET = ProjectKey("app"), ProjectKey("db", "blue"), ProjectKey("net")
SILENCE = timedelta(minutes=10)


async def find(scene: Any, *projects: ProjectKey, environment: str | None = None) -> None:
    async with scene.store.begin() as tables:
        await tables.drift.found(REPO, dict.fromkeys(projects, environment), scene.clock.now())


async def standings(scene: Any) -> tuple[Standing, ...]:
    async with scene.store.begin() as tables:
        return tuple(await tables.drift.of_repo(REPO))


async def begin(scene: Any, project: ProjectKey, run: str) -> bool:
    async with scene.store.begin() as tables:
        return bool(await tables.drift.begin(await tables.drift.get(REPO, project), RunId(run)))


async def end(scene: Any, run: str, section: Section | None, applied: Applied | None = None) -> Any:
    async with scene.store.begin() as tables:
        return await tables.drift.end(RunId(run), section, scene.clock.now(), applied)


def a_section(scene: Any, verdict: ProjectVerdict = ProjectVerdict.DRIFTED) -> Section:
    flaw = Flaw("main.tf", 1, 2, fatal=True, summary="no access")
    failed = verdict is ProjectVerdict.ERROR
    row = Found("aws_x.y", "tags", Verdict.REVERTS, Reaction.ALERT, "drift.rules[0]", "a", "b")
    return Section(
        REPO,
        APP,
        verdict,
        Sha("c" * 40),
        scene.clock.now(),
        "prod",
        () if failed else (row, replace(row, attribute=None, verdict=Verdict.GONE)),
        Trouble("It failed.", flaws=(flaw,)) if failed else None,
    )


# --- watching --------------------------------------------------------------------------------


async def test_a_watch_without_a_break(scene: Any) -> None:
    """It goes on while somebody looks in time, and begins anew after a silence."""
    began = scene.clock.now()

    async def held() -> Any:
        async with scene.store.begin() as tables:
            return await tables.drift.hold(scene.clock.now(), SILENCE)

    assert await held() == began
    scene.clock.pass_(SILENCE.total_seconds())
    assert await held() == began
    again = scene.clock.pass_(SILENCE.total_seconds() + 1)
    assert await held() == again


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_one_at_a_time_holds_the_watch(
    scene: Any, open_store: Callable[[], SqlStore]
) -> None:
    """It lets a second process in when the first one's transaction has ended."""
    order: list[str] = []
    inside = asyncio.Event()

    async def second() -> None:
        await inside.wait()
        async with open_store().begin() as tables:
            await tables.drift.hold(scene.clock.now(), SILENCE)
            order.append("second")

    waiting = asyncio.create_task(second())
    async with scene.store.begin() as tables:
        await tables.drift.hold(scene.clock.now(), SILENCE)
        inside.set()
        await find_in_another(open_store())
        order.append("first")
    await waiting
    assert order == ["first", "second"]


async def find_in_another(store: SqlStore) -> None:
    """What does not hold the watch is not kept waiting."""
    async with store.begin() as tables:
        assert await tables.drift.of_repo(REPO) == ()


async def test_what_is_known_of_a_repository(scene: Any) -> None:
    """It keeps each repository's newest words, in the order they were first met."""
    first, second = Watch(REPO, "main"), Watch(OTHER, "trunk", skipped="it is archived")
    later = replace(first, refreshed_at=scene.clock.now(), baseline_at=scene.clock.now())
    async with scene.store.begin() as tables:
        for watch in (first, second, later):
            await tables.drift.watch(watch)
        assert await tables.drift.watches() == (later, second)


# --- projects --------------------------------------------------------------------------------


async def test_projects_come_and_go(scene: Any) -> None:
    """It shows those that are, each with its environment and a number of its own; what was
    known of one that comes back is known again."""
    await find(scene, DB, APP)
    app, db = await standings(scene)
    assert (app.project, db.project, app.environment) == (APP, DB, None)
    assert app.number != db.number
    assert await begin(scene, APP, "r-1")
    await end(scene, "r-1", a_section(scene))
    await find(scene, DB)
    assert [each.project for each in await standings(scene)] == [DB]
    await find(scene, DB, APP, environment="prod")
    back = (await standings(scene))[0]
    assert (back.number, back.environment, back.section) == (app.number, "prod", a_section(scene))


async def test_how_far_checks_came(scene: Any) -> None:
    """It counts the repository's projects, those aside that are gone. Who is held is not waited
    for."""
    since = scene.clock.now()

    async def reach(repo: RepoRef = REPO, since: datetime = since) -> Reach:
        async with scene.store.begin() as tables:
            counted: Reach = await tables.drift.reach(repo, since)
            return counted

    await find(scene, APP, DB)
    await begin(scene, APP, "r-1")
    assert await reach() == Reach(projects=2, done=0, never=2, awaited=2)
    assert await reach(RepoRef("gh", "acme/other")) == Reach(0, 0, 0)
    await end(scene, "r-1", a_section(scene))
    assert await reach() == Reach(2, done=1, never=1, oldest=since, awaited=1)
    assert await reach(since=since + SILENCE) == Reach(2, 0, never=1, oldest=since, awaited=2)
    (_, db) = await standings(scene)
    async with scene.store.begin() as tables:
        await tables.drift.plan(replace(db, held="by #7"))
    assert await reach() == Reach(2, 1, never=1, oldest=since, awaited=0)
    await find(scene, APP)
    assert await reach() == Reach(1, 1, never=0, oldest=since, awaited=0)
    (app,) = await standings(scene)
    async with scene.store.begin() as tables:
        await tables.drift.plan(replace(app, asked_at=since))
    assert await reach() == Reach(1, 1, never=0, oldest=since, awaited=1)
    await begin(scene, APP, "r-2")
    assert await reach() == Reach(1, 1, never=0, oldest=since, awaited=1)


async def test_who_is_told_of(scene: Any) -> None:
    """It reads the project that is asked for, and those whose newest check did not find them in
    sync; or of all of them when each is looked at, and nothing else."""
    await find(scene, APP, DB, NET)
    for number, (project, verdict) in enumerate(
        [(APP, ProjectVerdict.DRIFTED), (DB, ProjectVerdict.IN_SYNC), (NET, ProjectVerdict.BEHIND)]
    ):
        await begin(scene, project, f"r-{number}")
        found = replace(a_section(scene), project=project, verdict=verdict)
        applied = Applied(Sha("d" * 40), Inputs("f", "l", "t 1"), scene.until)
        await end(scene, f"r-{number}", found, applied)
    app, db, net = await standings(scene)
    async with scene.store.begin() as tables:
        assert await tables.drift.not_in_sync(REPO, NET) == (app, net)
        assert await tables.drift.not_in_sync(REPO, DB) == (app, db, net)
        assert await tables.drift.not_in_sync(RepoRef("gh", "acme/other"), APP) == ()
        turns = tuple(replace(each, section=None, applied=None) for each in (app, db, net))
        assert await tables.drift.turns(REPO) == turns


async def test_one_check_at_a_time(scene: Any) -> None:
    """It begins none where one is under way, and what wanted one is done by it."""
    await find(scene, APP, DB)
    (app, _), now = await standings(scene), scene.clock.now()
    wanted = replace(app, due_at=now, again_at=now, held="by #7", asked_at=now)
    async with scene.store.begin() as tables:
        await tables.drift.plan(wanted)
        assert await tables.drift.get(REPO, APP) == wanted
        assert await tables.drift.next_due() == now
    assert [await begin(scene, APP, run) for run in ("r-1", "r-2")] == [True, False]
    async with scene.store.begin() as tables:
        (going,) = await tables.drift.under_way()
        assert going == replace(app, due_at=now, run=RunId("r-1"))
        assert await tables.drift.next_due() is None


async def test_what_a_check_found(scene: Any) -> None:
    """It keeps all of it, tells how the project stood before, and is over once."""
    await find(scene, APP)
    await begin(scene, APP, "r-1")
    began, applied = scene.clock.now(), Applied(Sha("d" * 40), Inputs("f", "l", "t 1"), scene.until)
    scene.clock.pass_(60)
    found = a_section(scene)
    before = await end(scene, "r-1", found, applied)
    assert (before.section, before.checked_at, before.run) == (None, None, RunId("r-1"))
    assert await end(scene, "r-1", found) is None
    (after,) = await standings(scene)
    assert after.checked_at == after.succeeded_at == began + timedelta(seconds=60)
    assert (after.run, after.section, after.applied) == (None, found, applied)


async def test_a_check_that_failed(scene: Any) -> None:
    """It is a check, and no success: what was proved before stays known."""
    await find(scene, APP)
    applied = Applied(Sha("d" * 40), Inputs("f", "l", "t 1"), scene.until)
    for run, verdict in (("r-1", ProjectVerdict.IN_SYNC), ("r-2", ProjectVerdict.ERROR)):
        await begin(scene, APP, run)
        scene.clock.pass_(60)
        await end(scene, run, a_section(scene, verdict), applied if run == "r-1" else None)
    (after,) = await standings(scene)
    assert (after.checked_at, after.succeeded_at) == (
        scene.clock.now(),
        scene.clock.now() - timedelta(seconds=60),
    )
    assert after.applied == applied
    assert after.section is not None
    assert after.section.trouble is not None


async def test_nothing_was_looked_at(scene: Any) -> None:
    """It is as it was, but for the check that is over."""
    await find(scene, APP)
    (before,) = await standings(scene)
    await begin(scene, APP, "r-1")
    await end(scene, "r-1", None)
    assert await standings(scene) == (before,)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_two_begin_one_check(scene: Any, open_store: Callable[[], SqlStore]) -> None:
    """It is begun by one of two processes that do it at the same moment."""
    await find(scene, APP)
    (app,) = await standings(scene)

    async def beginning(run: str) -> bool:
        async with open_store().begin() as tables:
            return await tables.drift.begin(app, RunId(run))

    both = await asyncio.gather(beginning("r-1"), beginning("r-2"))
    assert sorted(both) == [False, True]


# --- in numbers ------------------------------------------------------------------------------


async def test_a_tally(scene: Any) -> None:
    """It counts by environment and verdict, knows the oldest check and success, and forgets no
    check of what is no more."""
    began = scene.clock.now()
    await find(scene, APP, DB, environment="prod")
    await begin(scene, APP, "r-1")
    first = scene.clock.pass_(60)
    await end(scene, "r-1", a_section(scene))
    await begin(scene, APP, "r-2")
    second = scene.clock.pass_(60)
    await end(scene, "r-2", a_section(scene, ProjectVerdict.ERROR))
    await begin(scene, DB, "r-3")

    async def taken() -> Any:
        async with scene.store.begin() as tables:
            return await tables.drift_tally.taken(second)

    verdicts = {"error": 1, "never-checked": 1}
    tally = await taken()
    assert tally.wards == (Ward(REPO, "prod", verdicts, 1, second, began),)
    assert tally.checks == (Checks(REPO, 3, 1),)
    assert tally.under_way == 1
    await find(scene, APP, environment="prod")
    tally = await taken()
    assert tally.wards == (Ward(REPO, "prod", {"error": 1}, 1, second, first),)
    assert tally.checks == (Checks(REPO, 3, 1),)


async def test_a_tally_of_repositories(scene: Any) -> None:
    """It leaves out the projects of those that are not looked at, and counts corrections."""
    await find(scene, APP)
    one = Correction("c-1", REPO, APP, "auto", scene.clock.now(), outcome="proven")
    async with scene.store.begin() as tables:
        await tables.drift.watch(Watch(OTHER, "main"))
        await tables.drift.watch(Watch(REPO, "main", skipped="it is archived"))
        for each in (one, replace(one, id="c-2"), replace(one, id="c-3", outcome=None)):
            await tables.corrections.add(each)
        tally = await tables.drift_tally.taken(scene.clock.now())
    assert tally.wards == ()
    assert (tally.looked_at, tally.skipped) == (1, 1)
    assert {(each.how, each.outcome, each.number) for each in tally.corrected} == {
        ("auto", "proven", 2),
        ("auto", None, 1),
    }


async def test_what_is_told(scene: Any) -> None:
    """It keeps a trace from check to check, tells of a silence once until a success, and knows
    nothing of it after the project was away."""
    began = scene.clock.now()
    await find(scene, APP)
    scene.clock.pass_(60)
    trace = Trace({"x.y, tags": "digest"})
    async with scene.store.begin() as tables:
        assert await tables.drift.silent(began) == ()
        (late,) = await tables.drift.silent(scene.clock.now())
        assert (late.known_at, late.overdue_at, late.trace) == (began, None, Trace())
        await tables.drift.trace(late, trace)
        assert await tables.drift.overdue(late, began)
        assert not await tables.drift.overdue(late, began)
        assert await tables.drift.silent(scene.clock.now()) == ()
    await begin(scene, APP, "r-1")
    await end(scene, "r-1", a_section(scene, ProjectVerdict.ERROR))
    (failed,) = await standings(scene)
    assert (failed.overdue_at, failed.trace) == (began, trace)
    await begin(scene, APP, "r-2")
    await end(scene, "r-2", a_section(scene))
    (fine,) = await standings(scene)
    assert fine.overdue_at is None
    async with scene.store.begin() as tables:
        assert await tables.drift.found(REPO, {}, scene.clock.now()) == (fine,)
    back = scene.clock.pass_(60)
    await find(scene, APP)
    (again,) = await standings(scene)
    assert (again.trace, again.known_at) == (Trace(), back)
