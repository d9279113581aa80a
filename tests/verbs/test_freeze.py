"""`prbot freeze`: what it declares, lists and lifts, and how it refuses."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from prbot.adapters import migrations
from prbot.adapters.store import SqlStore
from prbot.model import JobId, Login, PlanId, ProjectKey, PullRef, RepoRef, RunId, Sha
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.summary import Counts, PlanSummary
from prbot.runs.freezes import Freeze
from prbot.runs.journal import JournalEntry, JournalQuery
from prbot.runs.run import Ask, AskKind, Job, JobKind, Run

KEYS = [
    "id",
    "scope",
    "reason",
    "by",
    "since",
    "until",
    "forge",
    "repo",
    "environment",
    "lifted_at",
    "lifted_by",
]
WHY = ("--reason", "release", "--by", "dave")


async def kept(store: SqlStore) -> tuple[Freeze, ...]:
    async with store.begin() as unit:
        return await unit.freezes.all()


async def journal(store: SqlStore) -> list[JournalEntry]:
    async with store.begin() as unit:
        return [line.entry for line in (await unit.journal.page(JournalQuery())).lines]


SCOPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "everything": (("--all",), ("everywhere",)),
    "repositories": (("--repo", "acme/*"), ("repository", "acme/*")),
    "repositories of one forge": (
        ("--repo", "github:acme/*"),
        ("repository", "github", "acme/*"),
    ),
    "an environment": (("--environment", "prod"), ("environment", "prod")),
    "an environment of some repositories": (
        ("--environment", "prod", "--repo", "acme/i*"),
        ("environment", "acme/i*", "prod"),
    ),
}


@pytest.mark.parametrize(("scope", "expected"), SCOPES.values(), ids=SCOPES.keys())
def test_what_is_frozen(office: Any, scope: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """It keeps the scope as it was said, and tells it."""
    declared = office.json("freeze", *scope, *WHY)
    assert list(declared) == ["freeze", "running"]
    assert list(declared["freeze"]) == KEYS
    (freeze,) = office.does(kept)
    said = (freeze.scope.value, freeze.forge, freeze.repo, freeze.environment)
    assert tuple(part for part in said if part) == expected
    assert (freeze.reason, freeze.by, freeze.until) == ("release", "dave", None)
    assert office.json("freeze", "list") == {"freezes": [declared["freeze"]]}


def test_its_whole_life(office: Any) -> None:
    """It is declared, listed with who and why, lifted once, and forgotten by nobody."""
    out = office.runs("freeze", "--all", *WHY, "--until", "8h")
    (name,) = re.findall(r"^(f-\w+): everything is frozen by dave since .* UTC: release\n", out)
    assert out.endswith(f"lift it with: prbot freeze lift {name}\n")
    (freeze,) = office.does(kept)
    assert freeze.until == freeze.since + timedelta(hours=8)
    assert office.runs("freeze", "list").startswith(f"{name}: everything is frozen by dave")
    lifted = office.runs("freeze", "lift", name, "--by", "erin")
    assert lifted.startswith(f"{name}: lifted by erin at ")
    assert office.runs("freeze", "lift", name, "--by", "eve") == lifted
    assert office.runs("freeze", "list") == "nothing is frozen\n"
    assert "lifted by erin" in office.runs("freeze", "list", "--ended")
    assert office.json("freeze", "list") == {"freezes": []}
    assert [(line.actor, line.action) for line in office.does(journal)] == [
        ("dave", "freeze declared"),
        ("erin", "freeze lifted"),
    ]


def test_all_are_lifted(office: Any) -> None:
    """It lifts every freeze in force, and says when there is none."""
    for scope in (("--all",), ("--environment", "prod")):
        office.runs("freeze", *scope, *WHY)
    assert len(office.json("freeze", "lift", "--all")["lifted"]) == 2
    assert office.runs("freeze", "lift", "--all") == "nothing is frozen\n"


def test_the_account_is_the_author(office: Any) -> None:
    """It names whoever runs it when nobody is named."""
    code = "import getpass; print(getpass.getuser())"
    me = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert office.json("freeze", "--all", "--reason", "x")["freeze"]["by"] == me.stdout.strip()


def test_hostile_words(office: Any) -> None:
    """It keeps a reason as one line of visible characters, and prints no other."""
    hostile = "quiet\r\n\x1b]0;title\x07 now\u202e <b>@all</b> \udcff"
    office.runs("freeze", "--all", "--reason", hostile, "--by", "da\nve\x1b[2J")
    (freeze,) = office.does(kept)
    assert (freeze.reason, freeze.by) == ("quiet ]0;title now <b>@all</b>", "da ve [2J")
    told = office.runs("freeze", "list")
    assert told.count("\n") == 1
    assert told.strip().isprintable()


def test_credentials_are_not_kept(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It redacts what this environment holds as a secret, also from a reason."""
    monkeypatch.setenv("SOME_TOKEN", "hunter22hunter22")
    office.runs("freeze", "--all", "--reason", "since hunter22hunter22 leaked", "--by", "dave")
    (freeze,) = office.does(kept)
    assert "hunter22" not in freeze.reason


async def an_apply_that_runs(store: SqlStore) -> None:
    now = datetime.now(UTC)
    pull = PullRef(RepoRef("github", "acme/infra"), 7)
    run = Run(RunId("r-1"), pull, Ask(AskKind.APPLY, Login("ann"), "comment"), now)
    async with store.begin() as unit:
        await unit.runs.add(run)
        for number in (1, 2):
            project = ProjectKey(f"envs/{number}")
            job = Job(JobId(f"j-{number}"), run.id, project, JobKind.APPLY)
            await unit.runs.add_job(job)
            started = await unit.runs.start_job(job.id, "w", now + timedelta(hours=1))
            assert started
            await unit.plans.add(a_plan(started, pull, number))
            if number == 1:
                assert await unit.plans.intend(PlanId("p-1"), started, now)


def a_plan(job: Job, pull: PullRef, number: int) -> StoredPlan:
    commit = Sha("a" * 40)
    return StoredPlan(
        id=PlanId(f"p-{number}"),
        pull=pull,
        project=job.project,
        run_id=job.run_id,
        job_id=job.id,
        head=commit,
        base=commit,
        commit=commit,
        hash="h",
        inputs=Inputs("", "", "terraform 1.11.4"),
        summary=PlanSummary(Counts(create=1)),
        plan_file="f",
        plan_file_sha256="0",
        plan_json="j",
        state_is_lost=False,
        created_at=datetime.now(UTC),
    )


def test_what_runs_is_told(office: Any) -> None:
    """It tells of applies that began before, and of none that will see the freeze."""
    office.does(an_apply_that_runs)
    told = office.runs("freeze", "--all", *WHY)
    assert "has begun before, and goes on: envs/1 of github:acme/infra#7 (p-1)\n" in told
    assert "envs/2" not in told
    (running,) = office.json("freeze", "--all", *WHY)["running"]
    assert (running["dir"], running["plan"], running["actor"]) == ("envs/1", "p-1", "ann")


USAGE: dict[str, tuple[str, ...]] = {
    "nothing said": (),
    "no scope": (*WHY,),
    "two scopes": ("--all", "--repo", "acme/*", *WHY),
    "everything in an environment": ("--all", "--environment", "prod", *WHY),
    "no reason": ("--all",),
    "a reason without a word": ("--all", "--reason", " \u200b"),
    "a time without a zone": ("--all", *WHY, "--until", "2099-01-01T00:00"),
    "a time that is over": ("--all", *WHY, "--until", "2001-01-01T00:00Z"),
    "options before list": ("--all", "list"),
    "lift of nothing": ("lift",),
    "lift of one and all": ("lift", "f-1", "--all"),
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE.keys())
def test_wrong_command_lines(office: Any, arguments: tuple[str, ...]) -> None:
    """It exits 64, and freezes nothing."""
    assert office.runs("freeze", *arguments, exits=64) == ""
    assert office.said
    assert office.does(kept) == ()


REFUSALS: dict[str, tuple[tuple[str, ...], str]] = {
    "a pattern that leads outside": (("--repo", "../*", *WHY), "leads outside"),
    "an exclude": (("--repo", "!acme/*", *WHY), "knows no excludes"),
    "no pattern": (("--repo", "", *WHY), "it is empty"),
    "characters that no name has": (("--repo", "acme/\n*", *WHY), "no repository's name"),
    "a forge that is not known": (("--repo", "gitlab:acme/*", *WHY), "called gitlab; .*: github"),
    "a freeze that is not known": (("lift", "f-0", "--by", "dave"), "No freeze is called f-0"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusals(office: Any, arguments: tuple[str, ...], words: str) -> None:
    """It exits 1 with a sentence, and freezes nothing: a scope with a typing error is none."""
    assert office.runs("freeze", *arguments, exits=1) == ""
    assert re.search(words, office.said)
    assert office.does(kept) == ()


def test_no_database(office: Any) -> None:
    """It makes none: whoever froze nothing by mistake must hear of it."""
    office.database.unlink()
    office.runs("freeze", "--all", *WHY, exits=1)
    assert "There is no database" in office.said
    assert not office.database.exists()


async def older(store: SqlStore) -> None:
    async with store.transaction() as db:
        await db.run_sync(lambda connection: migrations.upgrade(connection, "r0005"))


async def newer(store: SqlStore) -> None:
    async with store.transaction() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))


@pytest.mark.parametrize(
    ("make", "words"),
    [(older, "not brought up to date"), (newer, "written by a newer prbot")],
    ids=["older", "newer"],
)
def test_another_version(office: Any, make: Callable[[SqlStore], Any], words: str) -> None:
    """It leaves the tables of another version as they are, and says so."""
    if make is older:
        office.database.unlink()
        Path(office.database).touch(0o600)
    office.does(make)
    office.runs("freeze", "--all", *WHY, exits=1)
    assert words in office.said
