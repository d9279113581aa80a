"""What issues hold, which there are, and what becomes of one check after check."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prbot.config.drift import GroupBy, Reaction
from prbot.drift.issue import (
    DriftIssue,
    Found,
    Kept,
    Kind,
    Move,
    News,
    Section,
    by_hand,
    follow,
    issues_of,
    marker,
    news,
    within,
)
from prbot.drift.verdict import ProjectVerdict
from prbot.model import ProjectKey, RepoRef, Sha
from prbot.plans.threeway import Verdict
from prbot.runs.run import Trouble

NOW = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
QUEUE = Found("aws_sqs_queue.q", "delay_seconds", Verdict.REVERTS, Reaction.ALERT, None, "5", "0")
TAGS = Found("aws_sqs_queue.q", "tags", Verdict.CONFLICT, Reaction.AUTO, "drift.rules[0]")
QUIET = replace(QUEUE, action=Reaction.IGNORE)
GONE = Found("aws_ssm_parameter.p", None, Verdict.GONE, Reaction.ALERT)


def section(*found: Found, at: str = "net", **changes: Any) -> Section:
    made = Section(
        repo=RepoRef("gh", "acme/infra"),
        project=ProjectKey(at),
        verdict=ProjectVerdict.DRIFTED,
        commit=Sha("a" * 40),
        checked_at=NOW,
        found=found,
    )
    return replace(made, **changes)


def issue(*sections: Section) -> DriftIssue:
    (made,) = issues_of(sections, GroupBy.REPOSITORY)
    return made


BROKEN = section(verdict=ProjectVerdict.ERROR, trouble=Trouble("no credentials"))
KINDS: dict[str, tuple[Section, Kind | None]] = {
    "drift": (section(QUEUE), Kind.DRIFT),
    "drift and unapplied code": (section(QUEUE, verdict=ProjectVerdict.MIXED), Kind.DRIFT),
    "drift that no attribute tells of": (section(), Kind.DRIFT),
    "all of it ignored": (section(QUIET), None),
    "some of it ignored": (section(QUIET, GONE), Kind.DRIFT),
    "it cannot be planned": (BROKEN, Kind.FAILURE),
    "a failing check block": (section(verdict=ProjectVerdict.CHECK_FAILED), Kind.FAILURE),
    "unapplied code": (section(verdict=ProjectVerdict.BEHIND), None),
    "an apply that is not merged": (section(verdict=ProjectVerdict.APPLIED_UNMERGED), None),
    "in sync": (section(verdict=ProjectVerdict.IN_SYNC), None),
    "nobody can tell": (section(verdict=ProjectVerdict.UNKNOWN), None),
}


@pytest.mark.parametrize(("section", "kind"), KINDS.values(), ids=KINDS.keys())
def test_what_is_an_issue(section: Section, kind: Kind | None) -> None:
    """It opens issues for drift that somebody is to see, and others for failures."""
    assert section.kind is kind
    assert len(issues_of([section], GroupBy.PROJECT)) == (kind is not None)


ELSEWHERE = replace(section(QUEUE), repo=RepoRef("gl", "acme/infra"))
SPREAD = (
    section(QUEUE, at="b", environment="prod"),
    section(QUEUE, at="a", environment="prod"),
    section(QUEUE, at="c"),
    ELSEWHERE,
    BROKEN,
)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (GroupBy.PROJECT, ["a", "b", "c", "net", "net"]),
        (GroupBy.ENVIRONMENT, ["a b", "c", "net", "net"]),
        (GroupBy.REPOSITORY, ["a b c", "net", "net"]),
    ],
)
def test_groups(by: GroupBy, expected: list[str]) -> None:
    """It puts together what belongs together, repositories and failures apart, in order."""
    found = issues_of(SPREAD, by)
    told = [" ".join(s.project.dir for s in each.sections) for each in found]
    assert sorted(told) == sorted(expected)
    assert len({(each.kind, each.group) for each in found}) == len(found)


def test_markers_hold_no_names() -> None:
    """It has one marker for each issue, that no name can break out of or forge."""
    odd = issues_of([section(QUEUE, at="--><script>")], GroupBy.PROJECT)[0]
    usual = issue(section(QUEUE))
    found = {marker("m", each.kind, each.group) for each in (odd, usual)}
    found.add(marker("m", Kind.FAILURE, usual.group))
    assert len(found) == 3
    assert all(set(each) <= set("abcdefghijklmnopqrstuvwxyz0123456789:") for each in found)


SAME = {
    "looked at later": section(QUEUE, checked_at=NOW + timedelta(days=1)),
    "at another commit": section(QUEUE, commit=Sha("b" * 40)),
    "something ignored beside it": section(QUEUE, replace(TAGS, action=Reaction.IGNORE)),
    "another rule decides": section(replace(QUEUE, rule="drift.rules[3]", action=Reaction.AUTO)),
}
OTHER = {
    "another live value": section(replace(QUEUE, live="6")),
    "another attribute": section(replace(QUEUE, attribute="tags")),
    "one more": section(QUEUE, TAGS),
    "the object is gone": section(replace(QUEUE, attribute=None, verdict=Verdict.GONE)),
    "in another project": section(QUEUE, at="dns"),
    "in another workspace": section(QUEUE, project=ProjectKey("net", "prod")),
}


@pytest.mark.parametrize("now", SAME.values(), ids=SAME.keys())
def test_no_news(now: Section) -> None:
    """It has one fingerprint for what people would read as the same."""
    assert issue(now).fingerprint == issue(section(QUEUE)).fingerprint


@pytest.mark.parametrize("now", OTHER.values(), ids=OTHER.keys())
def test_other_fingerprints(now: Section) -> None:
    """It has another fingerprint for everything that people should hear of."""
    assert issue(now).fingerprint != issue(section(QUEUE)).fingerprint


def test_news() -> None:
    """It names what came, what is gone and what has another value."""
    before = issue(section(QUEUE, GONE)).facts
    now = issue(section(replace(QUEUE, live="6"), TAGS)).facts
    where = "gh:acme/infra net"
    assert news(before, now) == News(
        added=(f"{where}: aws_sqs_queue.q, tags",),
        gone=(f"{where}: aws_ssm_parameter.p",),
        altered=(f"{where}: aws_sqs_queue.q, delay_seconds",),
    )
    assert news(before, before) == News()


def test_an_errors_news() -> None:
    """It tells another error as one that came and one that is gone."""
    other = replace(BROKEN, trouble=Trouble("no backend"))
    told = news(issue(BROKEN).facts, issue(other).facts)
    assert told == News(
        added=("gh:acme/infra net: no backend",), gone=("gh:acme/infra net: no credentials",)
    )


def test_overflow() -> None:
    """It gives no more than so many an issue of their own; who has one keeps it."""
    four = issues_of([section(QUEUE, at=name) for name in "abcd"], GroupBy.PROJECT)
    own, rest = within(four, [four[3].group], 2)
    assert [each.sections[0].project.dir for each in own] == ["d", "a"]
    assert [each.sections[0].project.dir for each in rest] == ["b", "c"]


DRIFT, CHANGED = issue(section(QUEUE)), issue(section(QUEUE, TAGS))
OPEN = Kept(open=True, facts=DRIFT.facts)
CLOSED = Kept(open=False, facts=(), clean=2)
BY_HAND = Kept(open=False, facts=DRIFT.facts, by_person=True)

MOVES: dict[str, tuple[Kept | None, DriftIssue | None, bool, Move, Kept | None]] = {
    "nothing, and there is none": (None, None, False, Move.NONE, None),
    "nothing, and it is closed": (CLOSED, None, False, Move.NONE, CLOSED),
    "the first drift": (None, DRIFT, False, Move.OPEN, OPEN),
    "the same drift": (OPEN, DRIFT, False, Move.EDIT, OPEN),
    "the same drift after a clean check": (replace(OPEN, clean=1), DRIFT, False, Move.EDIT, OPEN),
    "other drift": (OPEN, CHANGED, False, Move.TELL, Kept(open=True, facts=CHANGED.facts)),
    "a clean check": (OPEN, None, False, Move.EDIT, replace(OPEN, clean=1)),
    "a second clean check": (replace(OPEN, clean=1), None, False, Move.CLOSE, CLOSED),
    "a verified apply": (
        OPEN,
        None,
        True,
        Move.CLOSE,
        Kept(open=False, facts=(), clean=1),
    ),
    "drift again": (CLOSED, DRIFT, False, Move.REOPEN, OPEN),
    "closed by hand, the same drift": (BY_HAND, DRIFT, False, Move.NONE, BY_HAND),
    "closed by hand, other drift": (
        BY_HAND,
        CHANGED,
        False,
        Move.REOPEN,
        Kept(open=True, facts=CHANGED.facts),
    ),
    "closed by hand, and nothing": (
        BY_HAND,
        None,
        False,
        Move.NONE,
        replace(BY_HAND, clean=1),
    ),
    "closed by hand, and nothing twice: it is over": (
        replace(BY_HAND, clean=1),
        None,
        False,
        Move.NONE,
        CLOSED,
    ),
}


@pytest.mark.parametrize(
    ("kept", "is_open", "after"),
    [
        (OPEN, False, replace(OPEN, open=False, by_person=True)),
        (replace(OPEN, clean=1), False, replace(OPEN, open=False, by_person=True)),
        (OPEN, True, OPEN),
        (BY_HAND, True, replace(BY_HAND, open=True, by_person=False)),
        (BY_HAND, False, BY_HAND),
        (CLOSED, False, CLOSED),
        (CLOSED, True, replace(CLOSED, open=True, clean=0)),
    ],
)
def test_by_hand(kept: Kept, is_open: bool, after: Kept) -> None:
    """It is a person's doing where the issue does not stand as it was left."""
    assert by_hand(kept, is_open) == after


@pytest.mark.parametrize(
    ("kept", "issue", "verified", "move", "after"), MOVES.values(), ids=MOVES.keys()
)
def test_what_becomes_of_it(
    kept: Kept | None, issue: DriftIssue | None, verified: bool, move: Move, after: Kept | None
) -> None:
    """It is one issue for ever, and people hear of it when there is news."""
    assert follow(kept, issue, verified) == (move, after)
