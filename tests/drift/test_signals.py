"""What other programs are told after a check, row by row, and what a message holds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from listener import is_valid

from prbot.config.drift import Reaction
from prbot.drift.issue import Found, Section
from prbot.drift.signals import MOST, after_check, document, overdue, removed
from prbot.drift.state import Standing, Trace
from prbot.drift.verdict import ProjectVerdict
from prbot.model import ProjectKey, RepoRef, Sha
from prbot.plans.threeway import Verdict
from prbot.runs.run import Trouble

REPO, NET = RepoRef("gh", "acme/infra"), ProjectKey("net")
NIGHT = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
A = Found("x.q", "delay", Verdict.REVERTS, Reaction.ALERT, "drift.rules[0]", "9", "5")
B = replace(A, attribute="tags", verdict=Verdict.CONFLICT)
GONE = replace(A, attribute=None, verdict=Verdict.GONE)
REST = replace(A, verdict=Verdict.ADOPTS, action=Reaction.IGNORE)


def section(*found: Found, verdict: ProjectVerdict = ProjectVerdict.DRIFTED) -> Section:
    trouble = Trouble("Error: no access") if verdict is ProjectVerdict.ERROR else None
    return Section(REPO, NET, verdict, Sha("a" * 40), NIGHT, "prod", found, trouble)


CLEAN = section(verdict=ProjectVerdict.IN_SYNC)
IGNORED = replace(A, action=Reaction.IGNORE)
ROWS: dict[str, tuple[tuple[Found, ...], Section, list[str]]] = {
    "nothing, and nothing before": ((), CLEAN, []),
    "it drifts": ((), section(A), ["drift.new"]),
    "it drifts, and a rule ignores it": ((), section(IGNORED), ["drift.new"]),
    "what the code says by now is no drift": ((), section(REST), []),
    "the same again": ((A, B), section(B, A), []),
    "the same, and another rule decides": ((A,), section(IGNORED), []),
    "something else beside it": ((A,), section(A, B), ["drift.changed"]),
    "another value": ((A,), section(replace(A, live="7")), ["drift.changed"]),
    "something else instead": ((A,), section(GONE), ["drift.changed"]),
    "nothing any more": ((A,), CLEAN, ["drift.gone"]),
    "nothing but unapplied code": ((A,), section(verdict=ProjectVerdict.BEHIND), ["drift.gone"]),
    "drift beside unapplied code": ((), section(A, verdict=ProjectVerdict.MIXED), ["drift.new"]),
    "an error is no end": ((A,), section(verdict=ProjectVerdict.ERROR), []),
    "nor is what nobody can tell": ((A,), section(verdict=ProjectVerdict.UNKNOWN), []),
    "nor what a pull request hides": ((A,), section(verdict=ProjectVerdict.APPLIED_UNMERGED), []),
    "an error is no drift": ((), section(verdict=ProjectVerdict.ERROR), []),
}


def before(*found: Found, overdue_at: datetime | None = None) -> Standing:
    trace = Trace(section(*found).digests)
    return Standing(REPO, NET, 7, "prod", trace=trace, overdue_at=overdue_at)


@pytest.mark.parametrize("name", ROWS)
def test_after_a_check(name: str) -> None:
    """It tells what is new, what changed and what is gone, once, by whatever rule."""
    known, now, expected = ROWS[name]
    trace, signals = after_check(before(*known), now, baseline=False)
    assert [each.kind.value for each in signals] == expected
    again, repeated = after_check(replace(before(), trace=trace), now, baseline=False)
    assert (again, repeated) == (trace, ())


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (CLEAN, ["drift.caught-up"]),
        (section(A), ["drift.caught-up", "drift.new"]),
        (section(verdict=ProjectVerdict.ERROR), []),
    ],
)
def test_after_a_silence(now: Section, expected: list[str]) -> None:
    """It tells that the silence is over, unless the check failed as well."""
    _, signals = after_check(before(overdue_at=NIGHT), now, baseline=False)
    assert [each.kind.value for each in signals] == expected


def test_a_message() -> None:
    """It names everything, with what became of each, and holds no value."""
    live = replace(A, live="s3cret-live", wanted="s3cret-wanted")
    _, (signal,) = after_check(before(A, GONE), section(live, B), baseline=True)
    told = document(signal, "r-1-drift-changed")
    assert is_valid(json.loads(json.dumps(told)))
    assert "s3cret" not in json.dumps(told)
    assert json.loads(json.dumps(told)) == {
        "version": 1,
        "id": "r-1-drift-changed",
        "type": "drift.changed",
        "at": "2026-03-04T03:00:00+00:00",
        "project": {
            "forge": "gh",
            "repository": "acme/infra",
            "directory": "net",
            "workspace": "default",
            "environment": "prod",
        },
        "verdict": "drifted",
        "commit": "a" * 40,
        "baseline": True,
        "ignored": False,
        "attributes": [
            {
                "address": "x.q",
                "attribute": "delay",
                "verdict": "reverts",
                "action": "alert",
                "rule": "drift.rules[0]",
                "news": "altered",
            },
            {
                "address": "x.q",
                "attribute": "tags",
                "verdict": "conflict",
                "action": "alert",
                "rule": "drift.rules[0]",
                "news": "added",
            },
        ],
        "gone": ["x.q"],
        "left_out": 0,
        "last_success": "2026-03-04T03:00:00+00:00",
        "reason": "",
    }


def test_all_is_ignored() -> None:
    """It says so."""
    _, (signal,) = after_check(before(), section(IGNORED), baseline=False)
    assert document(signal, "x")["ignored"] is True
    _, (signal,) = after_check(before(), section(IGNORED, B), baseline=False)
    assert document(signal, "x")["ignored"] is False


def test_a_huge_message() -> None:
    """It has a bound, whatever drifted, and says how much is left out."""
    rows = [replace(A, address=f"x.{n}" + "é" * 10_000) for n in range(4000)]
    past = [replace(A, address=f"y.{n}") for n in range(300)]
    _, (signal,) = after_check(before(*past), section(*rows), baseline=False)
    told = document(signal, "x")
    assert is_valid(json.loads(json.dumps(told)))
    assert told["left_out"] == 4000 + 300 - 2 * MOST
    assert len(json.dumps(told)) < 512 * 1024


def test_overdue() -> None:
    """It says since when, and what is known of the cause, the widest first."""
    since = NIGHT - timedelta(days=3)
    failing = replace(
        before(), succeeded_at=since, section=section(verdict=ProjectVerdict.ERROR), held=""
    )
    told = document(overdue(failing, "", NIGHT), "x")
    assert is_valid(json.loads(json.dumps(told)))
    assert (told["type"], told["verdict"]) == ("drift.overdue", "error")
    assert (told["last_success"], told["reason"]) == (since.isoformat(), "Error: no access")
    assert overdue(replace(failing, held="held by 7"), "", NIGHT).reason == "held by 7"
    assert overdue(failing, "it is archived", NIGHT).reason == "it is archived"
    never = document(overdue(before(), "", NIGHT), "x")
    assert is_valid(json.loads(json.dumps(never)))
    assert (never["verdict"], never["commit"], never["last_success"]) == (None, None, None)


def test_removed() -> None:
    """It ends what others believe to drift, and says nothing of what they do not know."""
    assert removed(before(), NIGHT) is None
    signal = removed(before(A), NIGHT)
    assert signal is not None
    told = document(signal, "x")
    assert is_valid(json.loads(json.dumps(told)))
    assert (told["type"], told["gone"]) == ("drift.gone", ["x.q, delay"])
    assert told["reason"] == "It is no project of the default branch any more."


def test_removed_while_overdue() -> None:
    """It ends what others believe that nobody looks at, for no check will."""
    signal = removed(replace(before(), overdue_at=NIGHT - timedelta(days=1)), NIGHT)
    assert signal is not None
    told = document(signal, "x")
    assert is_valid(json.loads(json.dumps(told)))
    assert (told["type"], told["gone"], told["left_out"]) == ("drift.gone", [], 0)
