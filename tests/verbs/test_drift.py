"""`prbot drift`: what it prints of what was found, and how it asks the service to look."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prbot.adapters.store import SqlStore
from prbot.config.drift import Reaction
from prbot.drift.issue import Found, Section
from prbot.drift.state import Standing, Watch
from prbot.drift.verdict import ProjectVerdict
from prbot.model import ProjectKey, RepoRef, RunId, Sha
from prbot.plans.threeway import Verdict

REPO, OTHER = RepoRef("github", "acme/infra"), RepoRef("github", "acme/old")
APP, DB = ProjectKey("app"), ProjectKey("db", "blue")
NOW = datetime.now(UTC).replace(microsecond=0)
ROW = Found("aws_x.y", "tags", Verdict.REVERTS, Reaction.ALERT, live='"a"', wanted='"b"')


def watched(office: Any, **verdicts: ProjectVerdict) -> None:
    """Both projects, looked at an hour ago where a verdict is named."""

    async def done(store: SqlStore) -> None:
        async with store.begin() as unit:
            await unit.drift.hold(datetime.now(UTC), timedelta(minutes=10))
            await unit.drift.watch(Watch(REPO, "main", NOW))
            await unit.drift.watch(Watch(OTHER, skipped="it is archived, or out of our reach"))
            await unit.drift.found(REPO, {APP: "prod", DB: None}, NOW)
        for name, verdict in verdicts.items():
            await end(store, APP if name == "app" else DB, verdict, NOW - timedelta(hours=1))

    office.does(done)


async def end(store: SqlStore, project: ProjectKey, verdict: ProjectVerdict, at: datetime) -> None:
    found = (ROW,) if verdict is ProjectVerdict.DRIFTED else ()
    section = Section(REPO, project, verdict, Sha("c" * 40), at, None, found)
    async with store.begin() as unit:
        standing = await unit.drift.get(REPO, project)
        assert standing is not None
        await unit.drift.begin(standing, RunId(f"r-{project.dir}"))
        await unit.drift.end(RunId(f"r-{project.dir}"), section, at, None)


async def asked(store: SqlStore) -> list[Standing]:
    async with store.begin() as unit:
        return [each for each in await unit.drift.of_repo(REPO) if each.asked_at is not None]


SYNC, DRIFTED, ERROR = ProjectVerdict.IN_SYNC, ProjectVerdict.DRIFTED, ProjectVerdict.ERROR
CODES = {
    "all in sync": ({"app": SYNC, "db": SYNC}, 0),
    "one drifted": ({"app": SYNC, "db": DRIFTED}, 2),
    "one is behind": ({"app": SYNC, "db": ProjectVerdict.BEHIND}, 2),
    "one could not be looked at": ({"app": ERROR, "db": DRIFTED}, 1),
    "one was never looked at": ({"app": SYNC}, 1),
}


@pytest.mark.parametrize(("verdicts", "code"), CODES.values(), ids=CODES)
def test_exit_codes(office: Any, verdicts: dict[str, ProjectVerdict], code: int) -> None:
    """It tells by its exit code whether all is well, and never calls what it does not know so."""
    watched(office, **verdicts)
    office.runs("drift", "status", exits=code)


def test_status(office: Any) -> None:
    """It says how much was looked at, what of each project, and what is not looked at and why."""
    watched(office, app=DRIFTED)
    told = office.runs("drift", "status", exits=1)
    moment = (NOW - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M UTC")
    assert told.splitlines() == [
        "github:acme/infra: 1 of 2; oldest 1 h; 1 never; the baseline is not complete",
        f"    app: drifted, looked at {moment}",
        "    db (blue): never looked at",
        "github:acme/old: not looked at: it is archived, or out of our reach",
    ]


@pytest.mark.parametrize(
    ("forge", "words"), [("github", "held by pull request 7"), ("lab", "held by merge request !7")]
)
def test_held(office: Any, forge: str, words: str) -> None:
    """It says in the forge's words what keeps it from looking."""
    office.serves_gitlab()
    repo = RepoRef(forge, "acme/infra")

    async def wait(store: SqlStore) -> None:
        async with store.begin() as unit:
            await unit.drift.watch(Watch(repo, "main", NOW))
            await unit.drift.found(repo, {APP: "prod"}, NOW)
            (standing,) = await unit.drift.of_repo(repo)
            await unit.drift.plan(replace(standing, held="held by pull request 7"))

    office.does(wait)
    assert f"    app: never looked at, {words}\n" in office.runs("drift", "status", exits=1)


def test_json(office: Any) -> None:
    """It has every key in one document, of one repository where that is asked for."""
    watched(office, app=DRIFTED, db=SYNC)
    office.runs("drift", "status", "--repo", "acme/infra", exits=2)
    (repo,) = json_of(office.runs("drift", "status", "--repo", "acme/infra", "--json", exits=2))
    assert repo["coverage"] == "2 of 2; oldest 1 h"
    assert repo["verdicts"] == {"drifted": 1, "in-sync": 1}
    assert repo["skipped"] is None
    app, db = repo["projects"]
    assert (app["dir"], app["verdict"], app["found"], app["environment"]) == (
        "app",
        "drifted",
        1,
        "prod",
    )
    assert (db["workspace"], db["verdict"], db["found"], db["due_at"]) == (
        "blue",
        "in-sync",
        0,
        None,
    )


def json_of(text: str) -> Any:
    import json

    return json.loads(text)["repositories"]


def test_nothing_is_watched(office: Any) -> None:
    """It says so, and that no project is of the name."""
    assert office.runs("drift", "status") == "nothing is watched\n"
    office.runs("drift", "run", "-d", "app", exits=1)
    assert "`drift.enabled`" in office.said


def test_asking(office: Any) -> None:
    """It asks for what is named, and is done where it need not wait."""
    watched(office, app=DRIFTED, db=SYNC)
    office.runs("drift", "run", "-d", "a*", "--no-wait")
    assert office.said == "asked for 1 project\n"
    assert [each.project for each in office.does(asked)] == [APP]


def test_waiting(office: Any) -> None:
    """It waits until the service has looked, and says what that found."""
    watched(office, app=DRIFTED, db=DRIFTED)

    def service() -> None:
        async def look() -> None:
            store = SqlStore(f"sqlite+aiosqlite:///{office.database}", Clock())
            while not (wanted := await asked(store)):
                pass
            for each in wanted:
                await end(store, each.project, SYNC, datetime.now(UTC))
            await store.close()

        asyncio.run(look())

    looking = threading.Thread(target=service)
    looking.start()
    told = office.runs("drift", "run", "-d", "app")
    looking.join()
    assert "    app: in-sync" in told
    assert "db" not in told


@pytest.mark.parametrize("last", [None, NOW - timedelta(minutes=5)])
def test_nobody_looks(office: Any, last: datetime | None) -> None:
    """It says so instead of waiting for ever; what it asked for stays asked for."""

    async def watch(store: SqlStore) -> None:
        async with store.begin() as unit:
            if last is not None:
                await unit.drift.hold(last, timedelta(minutes=10))
            await unit.drift.watch(Watch(REPO, "main", NOW))
            await unit.drift.found(REPO, {APP: "prod"}, NOW)

    office.does(watch)
    office.runs("drift", "run", exits=1)
    since = "" if last is None else f" since {last:%Y-%m-%d %H:%M} UTC"
    assert f"No running prbot looks for drift in this database{since}, so" in office.said
    assert len(office.does(asked)) == 1


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)
