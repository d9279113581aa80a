"""`prbot journal`: what it prints of a journal, however long and whatever stands in it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prbot.adapters.store import SqlStore
from prbot.model import Login, PlanId, PullRef, RepoRef, Sha
from prbot.runs.journal import JournalEntry

PULL = PullRef(RepoRef("github", "acme/infra"), 7)
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
APPLY = JournalEntry(
    NOW,
    PULL,
    Login("ann"),
    "j-1",
    "apply decided",
    "envs/prod",
    Sha("abcdef0" + "0" * 33),
    PlanId("p-3e91c0a2"),
    (Login("bob"), Login("cyd")),
)
EXPIRY = JournalEntry(NOW + timedelta(days=1), PULL, None, "p-1", "plan expired")
FREEZE = JournalEntry(
    NOW + timedelta(days=2), None, Login("dave"), "f-1", "freeze declared", "everything is frozen"
)
KEYS = [
    "number",
    "at",
    "forge",
    "repo",
    "pull",
    "actor",
    "subject",
    "action",
    "detail",
    "commit",
    "plan",
    "approvals",
]


def written(office: Any, *entries: JournalEntry) -> None:
    async def write(store: SqlStore) -> None:
        async with store.begin() as unit:
            for entry in entries:
                await unit.journal.write(entry)

    office.does(write)


def lines(office: Any, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in office.runs("journal", *arguments, "--json").splitlines()]


def test_json_lines(office: Any) -> None:
    """It prints a document a line, each with every key, oldest first."""
    written(office, APPLY, FREEZE)
    apply, freeze = lines(office)
    assert list(apply) == list(freeze) == KEYS
    assert apply == {
        "number": 1,
        "at": "2026-03-04T10:00:00+00:00",
        "forge": "github",
        "repo": "acme/infra",
        "pull": 7,
        "actor": "ann",
        "subject": "j-1",
        "action": "apply decided",
        "detail": "envs/prod",
        "commit": "abcdef0" + "0" * 33,
        "plan": "p-3e91c0a2",
        "approvals": ["bob", "cyd"],
    }
    empty = {key: value for key, value in freeze.items() if value in (None, [])}
    assert empty == dict.fromkeys(("forge", "repo", "pull", "commit", "plan")) | {"approvals": []}


def test_table(office: Any) -> None:
    """It prints a row a line: when, who, where, what, and what it was about."""
    written(office, APPLY, EXPIRY, FREEZE)
    rows = [re.split(r"  +", row) for row in office.runs("journal").splitlines()]
    assert rows == [
        [
            "2026-03-04 10:00:00",
            "ann",
            "acme/infra#7",
            "apply decided",
            "p-3e91c0a2",
            "at abcdef0",
            "approved by bob, cyd",
            "envs/prod",
        ],
        ["2026-03-05 10:00:00", "prbot", "acme/infra#7", "plan expired", "p-1"],
        [
            "2026-03-06 10:00:00",
            "dave",
            "-",
            "freeze declared",
            "f-1",
            "everything is frozen",
        ],
    ]


def test_where(office: Any) -> None:
    """It names a merge request as people of GitLab do, and what is in no pull request by its
    repository alone."""
    office.serves_gitlab()
    lab, old = RepoRef("lab", "acme/infra"), RepoRef("gone", "acme/infra")
    for place in (PullRef(lab, 7), PullRef(lab, -3), PullRef(old, 7)):
        written(office, replace(APPLY, pull=place))
    rows = [re.split(r"  +", row)[2] for row in office.runs("journal").splitlines()]
    assert rows == ["acme/infra!7", "acme/infra", "acme/infra#7"]
    assert [line["pull"] for line in lines(office)] == [7, None, 7]


FILTERS: dict[str, tuple[tuple[str, ...], list[int]]] = {
    "a repository": (("--repo", "acme/infra"), [1, 2]),
    "a repository of a forge": (("--repo", "github:acme/infra"), [1, 2]),
    "a repository of another forge": (("--repo", "gitlab:acme/infra"), []),
    "a pull request": (("--repo", "acme/infra", "--pull", "8"), []),
    "somebody": (("--actor", "dave"), [3]),
    "an action": (("--action", "apply"), [1]),
    "a plan": (("--plan", "p-1"), [2]),
    "from a time on": (("--since", "2026-03-05T11:00+01:00"), [2, 3]),
    "before a time": (("--until", "2026-03-05T10:00Z"), [1]),
    "from a span ago on": (("--since", "1m"), []),
    "no such characters": (("--actor", "\udcff"), []),
}


@pytest.mark.parametrize(("arguments", "expected"), FILTERS.values(), ids=FILTERS.keys())
def test_filters(office: Any, arguments: tuple[str, ...], expected: list[int]) -> None:
    """It prints the lines that were asked for; none is no failure."""
    written(office, APPLY, EXPIRY, FREEZE)
    assert [line["number"] for line in lines(office, *arguments)] == expected


def test_a_long_journal(office: Any) -> None:
    """It prints more than a page, each line once and in order."""
    written(office, *(replace(APPLY, subject=f"j-{n}") for n in range(1_200)))
    assert [line["subject"] for line in lines(office)] == [f"j-{n}" for n in range(1_200)]
    assert office.runs("journal").count("\n") == 1_200


def test_hostile_words(office: Any) -> None:
    """It prints no control characters, and no more lines than there are."""
    hostile = 'a\nb\x1b[2J\u202e"},{"\u2028c'
    odd = replace(APPLY, detail=hostile, action=hostile, actor=Login("x\r\ny\x9b"))
    written(office, odd)
    row = office.runs("journal")
    assert row.count("\n") == 1
    assert row.strip().isprintable()
    (line,) = lines(office)
    assert (line["detail"], line["actor"]) == (hostile, "x\r\ny\x9b")
    assert office.runs("journal", "--json").isascii()


def test_secrets(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints no credential of this environment, should one ever have been written."""
    written(office, replace(APPLY, detail="since hunter22hunter22 leaked"))
    monkeypatch.setenv("SOME_TOKEN", "hunter22hunter22")
    assert "hunter22" not in office.runs("journal") + office.runs("journal", "--json")


def test_a_time_without_a_zone(office: Any) -> None:
    """It exits 64."""
    office.runs("journal", "--since", "2026-03-04", exits=64)
    assert "no time zone" in office.said


def test_no_database(office: Any) -> None:
    """It exits 1, and makes none."""
    office.database.unlink()
    office.runs("journal", exits=1)
    assert "There is no database" in office.said
