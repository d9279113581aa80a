"""What comes and goes: when it begins to flap, when it holds still, and what people hear of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prbot.config.drift import DriftSettings, Reaction
from prbot.drift.flapping import MOST, traced
from prbot.drift.issue import Found, Kept, Kind, News, Section, facts_of
from prbot.drift.sight import Sight, TellIssue
from prbot.drift.state import Answer, AnswerKind, IssueOf, Standing, Trace
from prbot.drift.tell import Changed, IssueBody, Over
from prbot.drift.telling import tell
from prbot.drift.verdict import ProjectVerdict
from prbot.model import Login, ProjectKey, RepoRef, Sha
from prbot.plans.threeway import Verdict

REPO, NET = RepoRef("gh", "acme/infra"), ProjectKey("net")
FIRST = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
A = Found("x.q", "delay", Verdict.REVERTS, Reaction.ALERT, None, "9", "5")
B = replace(A, attribute="tags")
NAME = "x.q, delay"
GROUP = json.dumps(["gh", "acme/infra", "net", "default"])


def section(*found: Found, night: int = 0, verdict: ProjectVerdict | None = None) -> Section:
    seen = verdict or (ProjectVerdict.DRIFTED if found else ProjectVerdict.IN_SYNC)
    return Section(REPO, NET, seen, Sha("a" * 40), FIRST + night * DAY, found=found)


NIGHTS: dict[str, tuple[str, str]] = {
    "it stays": ("dddddddd", "........"),
    "it comes, and is gone": ("d.......", "........"),
    "every second night": ("d.d.d.d.", "...fffff"),
    "an error tells nothing": ("deded.d.", "........"),
    "errors between": ("de.ed.ed", ".....fff"),
    "for a week it stays": ("d.d.ddddddddddddd", "...fffffff......."),
    "for a week it is away": ("d.d.............", "...ffffff......."),
    "one more change keeps it": ("d.d.......d...", "...ffffff....."),
    "twice in a fortnight": ("d......d......d", "..............."),
}
"""Of each night what was found (`d`: it drifts, `e`: an error), and whether it flaps then."""


@pytest.mark.parametrize("name", NIGHTS)
def test_nights(name: str) -> None:
    """It begins at four changes within a week, and ends at one."""
    found, expected = NIGHTS[name]
    trace, seen = Trace(), ""
    for night, what in enumerate(found):
        error = ProjectVerdict.ERROR if what == "e" else None
        now = section(*([A] if what == "d" else []), night=night, verdict=error)
        trace = traced(trace, now)
        seen += "f" if NAME in trace.flapping else "."
    assert seen == expected


def test_many() -> None:
    """It watches a bounded number, and forgets what changed long ago."""
    many = [replace(A, address=f"x.{number}") for number in range(5 * MOST)]
    trace = traced(Trace(), section(*many))
    assert len(trace.changes) == MOST
    assert traced(trace, section(*many, night=8)).changes == {}


def test_ignored() -> None:
    """It does not watch what a rule ignores."""
    ignored = replace(A, action=Reaction.IGNORE)
    trace = traced(Trace(), section(ignored))
    assert trace == Trace(drifted={ignored.name: ignored.digest})


# --- what people hear ------------------------------------------------------------------------

FLAPPING = Trace(
    here=frozenset([NAME]),
    changes={NAME: (FIRST, FIRST + DAY, FIRST + 2 * DAY, FIRST + 3 * DAY)},
    flapping=frozenset([NAME]),
)
CALM = replace(FLAPPING, flapping=frozenset())


def sight(now: Section, kept: Kept | None, *traces: Trace, snoozed: bool = False) -> Sight:
    """`traces` before the check and after it."""
    before, after = traces
    here = Standing(REPO, NET, checked_at=now.checked_at, section=now, trace=after)
    was = Standing(REPO, NET, checked_at=FIRST - DAY, trace=before)
    issues = () if kept is None else (IssueOf(REPO, Kind.DRIFT, GROUP, REPO, "m", kept, 7),)
    snooze = Answer(REPO, NET, AnswerKind.SNOOZE, Login("ann"), FIRST, FIRST + 90 * DAY)
    answers = (snooze,) if snoozed else ()
    on = DriftSettings(issues=True)
    return Sight(here, was, on, (here,), now.checked_at, issues, answers)


def kept(*found: Found, **changes: Any) -> Kept:
    known = Kept(open=True, facts=tuple(facts_of(section(*found))), since=FIRST)
    return replace(known, **changes)


def heard(steps: tuple[TellIssue, ...]) -> list[object]:
    """Of each issue whether it is opened or closed, and what is said below it."""
    return [(step.is_open, step.comment) for step in steps if step.text is not None]


def test_told_once() -> None:
    """It says below the issue that something flaps, when it begins, and in its text from then."""
    (begun,) = tell(sight(section(A), kept(A), CALM, FLAPPING))
    assert isinstance(begun.comment, Changed)
    (flap,) = begun.comment.flapping
    assert (flap.name, flap.times) == (f"gh:acme/infra net: {NAME}", 4)
    assert (begun.is_open, begun.comment.news) == (None, News())
    (later,) = tell(sight(section(A), kept(A), FLAPPING, FLAPPING))
    assert later.comment is None
    assert isinstance(later.text, IssueBody)
    assert later.text.flapping == (flap,)


def test_also_as_it_goes() -> None:
    """It says so also when it is away just then, and leaves the issue open."""
    (begun,) = tell(sight(section(), kept(A), CALM, FLAPPING))
    assert isinstance(begun.comment, Changed)
    assert (len(begun.comment.flapping), begun.is_open, begun.kept.open) == (1, None, True)


def test_no_ping_pong() -> None:
    """It says nothing while it comes and goes, beside something else or alone, and closes
    nothing, however often it was away."""
    assert heard(tell(sight(section(A, B), kept(B), FLAPPING, FLAPPING))) == [(None, None)]
    assert heard(tell(sight(section(B), kept(A, B), FLAPPING, FLAPPING))) == [(None, None)]
    away = tell(sight(section(), kept(A, clean=1), FLAPPING, FLAPPING))
    assert heard(away) == [(None, None)]
    assert away[0].kept == kept(A)


def test_other_news() -> None:
    """It tells what is new beside it, and only that."""
    (told,) = tell(sight(section(A, B), kept(), FLAPPING, FLAPPING))
    assert told.comment == Changed(News(added=("gh:acme/infra net: x.q, tags",)))


def test_closed_by_hand() -> None:
    """It leaves what somebody closed closed, while nothing but that is new."""
    left = kept(B, open=False, by_person=True)
    assert heard(tell(sight(section(A, B), left, FLAPPING, FLAPPING))) == []


def test_put_right_in_between() -> None:
    """It opens again what a correction had ended: the drift is back, and nobody else tells."""
    over = Kept(open=False, facts=())
    (again,) = tell(sight(section(A), over, CALM, FLAPPING))
    assert isinstance(again.comment, Changed)
    assert (again.is_open, again.comment.again, len(again.comment.flapping)) == (True, True, 1)
    assert again.comment.news == News(added=(f"gh:acme/infra net: {NAME}",))
    (later,) = tell(sight(section(A), over, FLAPPING, FLAPPING))
    assert later.is_open


def test_still_again() -> None:
    """It closes the issue as ever once it holds still."""
    (step,) = tell(sight(section(), kept(A, clean=1), FLAPPING, CALM))
    assert (step.is_open, step.comment) == (False, Over(verified=False, checks=2))


def test_snoozed() -> None:
    """It says nothing while nobody wants to hear."""
    assert heard(tell(sight(section(A), kept(A), CALM, FLAPPING, snoozed=True))) == [(None, None)]
    assert heard(tell(sight(section(), kept(A), CALM, FLAPPING, snoozed=True))) == [(None, None)]
