"""Whom to tell what after a check, row by row."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prbot.config.drift import DriftSettings, GroupBy, Reaction
from prbot.drift.causes import Unapplied, Upgrade
from prbot.drift.incidents import Alike
from prbot.drift.issue import Found, Kept, Kind, Section, facts_of
from prbot.drift.schedule import Reach
from prbot.drift.sight import Sight, TellIssue
from prbot.drift.state import Answer, AnswerKind, Correction, IssueOf, Standing
from prbot.drift.tell import BASELINE, OVERFLOW, Changed, Over
from prbot.drift.telling import baseline, tell
from prbot.drift.verdict import ProjectVerdict
from prbot.model import Login, ProjectKey, RepoRef, RunId, Sha
from prbot.plans.threeway import Verdict
from prbot.runs.run import Trouble

REPO = RepoRef("gh", "acme/infra")
NIGHT = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SINCE = NIGHT - 3 * DAY
ON = DriftSettings(issues=True)
QUEUE = Found("aws_sqs_queue.q", "delay_seconds", Verdict.REVERTS, Reaction.ALERT, None, "9", "5")
TAGS = replace(QUEUE, attribute="tags")


def section(*found: Found, at: str = "net", **changes: Any) -> Section:
    made = Section(REPO, ProjectKey(at), ProjectVerdict.DRIFTED, Sha("a" * 40), NIGHT, found=found)
    return replace(made, **changes)


CLEAN = section(verdict=ProjectVerdict.IN_SYNC)
DRIFTED = section(QUEUE)
BROKEN = section(verdict=ProjectVerdict.ERROR, trouble=Trouble("Error: no credentials"))


def standing(
    found: Section | None, checked: datetime | None = NIGHT, at: str = "net", held: str = ""
) -> Standing:
    return Standing(REPO, ProjectKey(at), checked_at=checked, section=found, held=held)


def group(at: str = "net") -> str:
    return json.dumps(["gh", "acme/infra", at, "default"])


def issue(kind: str = Kind.DRIFT, name: str = "", **kept: Any) -> IssueOf:
    known = Kept(open=True, facts=tuple(facts_of(DRIFTED)), since=SINCE)
    return IssueOf(
        REPO,
        kind,
        name or group(),
        REPO,
        "m",
        replace(known, **kept),
    )


def answer(kind: AnswerKind, *found: Found) -> Answer:
    facts = tuple(facts_of(section(*found)))
    by, until = Login("ann"), NIGHT + 7 * DAY
    return Answer(REPO, ProjectKey("net"), kind, by, SINCE, until, "agreed", facts)


def sight(
    now: Section,
    before: Section | None = None,
    others: tuple[Standing, ...] = (),
    **more: Any,
) -> Sight:
    here = standing(now)
    was = standing(before, NIGHT - DAY if before else None)
    settings = more.pop("settings", ON)
    return Sight(here, was, settings, (here, *others), NIGHT, **more)


def seen(steps: tuple[TellIssue, ...]) -> list[tuple[str, bool | None, str]]:
    return [(one.kind, one.is_open, type(one.comment).__name__) for one in steps if one.text]


LATER = (standing(None, None, "later"),)
PROVED = (Correction("c", REPO, ProjectKey("net"), "revert", NIGHT, outcome="proven"),)
FAILED = issue(Kind.FAILURE, facts=tuple(facts_of(BROKEN)))
BROKEN_B = replace(BROKEN, project=ProjectKey("b"))
ALIKE = tuple(standing(replace(BROKEN, project=ProjectKey(at)), at=at) for at in "abcd")
MORE_ALIKE = (standing(replace(BROKEN, project=ProjectKey("e")), at="e"),)
LEFT = {"open": False, "by_person": True}


def failures(*projects: str) -> tuple[str, ...]:
    told = (facts_of(replace(BROKEN, project=ProjectKey(at))) for at in projects)
    return tuple(sorted(fact for facts in told for fact in facts))


AWS = "registry.terraform.io/hashicorp/aws"
LOST = section(
    at="d",
    verdict=ProjectVerdict.ERROR,
    trouble=Trouble("Error: timeout"),
    cause=Upgrade(AWS, "5.2.0", "5.1.0"),
)
OVER = {"open": False, "facts": ()}


def upgraded(*found: Found, at: str = "net") -> Section:
    return section(*found, at=at, cause=Upgrade(AWS, "5.2.0", "5.1.0"))


UPGRADED = upgraded(QUEUE)


def since_then(*projects: str) -> tuple[Standing, ...]:
    return tuple(standing(upgraded(QUEUE, at=at), at=at) for at in projects)


def behind(at: str) -> Section:
    return section(at=at, verdict=ProjectVerdict.BEHIND, cause=Unapplied(Sha("b" * 40), 7))


def waiting(*projects: str) -> tuple[Standing, ...]:
    return tuple(standing(behind(at), at=at) for at in projects)


def quiet(at: str) -> Answer:
    return replace(answer(AnswerKind.SNOOZE), project=ProjectKey(at))


QUIET_B = quiet("b")
LEFT_DRIFT = issue(name=group("b"), facts=tuple(facts_of(upgraded(QUEUE, at="b"))), **LEFT)


def upgrade(*projects: str, **kept: Any) -> IssueOf:
    told = tuple(sorted(f for at in projects for f in facts_of(upgraded(QUEUE, at=at))))
    name = json.dumps(["gh", "acme/infra", Alike.UPGRADE, AWS, "5.2.0"])
    return issue(Alike.UPGRADE, name, facts=told, **kept)


def unapplied(*projects: str) -> IssueOf:
    told = tuple(sorted(json.dumps([f"gh:acme/infra {at}", "7"]) for at in projects))
    name = json.dumps(["gh", "acme/infra", Alike.UNAPPLIED, "7"])
    return issue(Alike.UNAPPLIED, name, facts=told)


CAUSE = json.dumps(["gh", "acme/infra", Alike.FAILURE, "error: no credentials"])
LEFT_INCIDENT = issue(Alike.FAILURE, CAUSE, facts=failures(*"abcd", "net"), **LEFT)
LEFT_FAILURE = issue(Kind.FAILURE, group("b"), facts=failures("b"), **LEFT)
INDEX = json.dumps(["gh", "acme/infra"])
FAILING = issue(Alike.FAILURE, CAUSE, facts=failures(*"abcd", "net"))
OTHERWISE = replace(BROKEN, trouble=Trouble("Error: no disk"))
LEFT_INDEX = issue(OVERFLOW, INDEX, **LEFT)
REPOSITORY = DriftSettings(issues=True, group_by=GroupBy.REPOSITORY)
REACH = Reach(7, 1, never=0, oldest=NIGHT, awaited=6)


def lost(at: str) -> Section:
    return replace(LOST, project=ProjectKey(at))


def in_the_dark(*projects: str) -> tuple[Standing, ...]:
    return tuple(standing(lost(at), at=at) for at in projects)


def in_prod(found: Section) -> Standing:
    there = standing(replace(found, environment="prod"), at=found.project.dir)
    return replace(there, environment="prod")


UPGRADED_B = upgraded(QUEUE, at="b")


def own_issue(at: str) -> IssueOf:
    return issue(name=group(at), facts=tuple(facts_of(upgraded(QUEUE, at=at))))


ROWS: dict[str, tuple[Sight, list[tuple[str, bool | None, str]]]] = {
    "drift is told": (sight(DRIFTED), [("drift", True, "NoneType")]),
    "also before the sweep is through": (
        sight(DRIFTED, others=LATER),
        [("drift", True, "NoneType")],
    ),
    "nothing to tell": (sight(CLEAN), []),
    "the same again: only edited": (
        sight(DRIFTED, DRIFTED, issues=(issue(),)),
        [("drift", None, "NoneType")],
    ),
    "another attribute: one comment": (
        sight(section(QUEUE, TAGS), DRIFTED, issues=(issue(),)),
        [("drift", True, "Changed")],
    ),
    "gone for the first time": (sight(CLEAN, DRIFTED, issues=(issue(),)), []),
    "gone twice": (sight(CLEAN, CLEAN, issues=(issue(clean=1),)), [("drift", False, "Over")]),
    "proven by a correction": (
        sight(CLEAN, DRIFTED, issues=(issue(),), corrections=PROVED),
        [("drift", False, "Over")],
    ),
    "drifted again: the same issue": (
        sight(DRIFTED, CLEAN, issues=(issue(open=False, facts=()),)),
        [("drift", True, "Changed")],
    ),
    "ignored by rule": (sight(section(replace(QUEUE, action=Reaction.IGNORE))), []),
    "accepted as it is": (
        sight(DRIFTED, DRIFTED, issues=(issue(),), answers=(answer(AnswerKind.ACCEPT, QUEUE),)),
        [("drift", False, "NoneType")],
    ),
    "accepted, and more of it": (
        sight(
            section(QUEUE, TAGS),
            DRIFTED,
            issues=(issue(open=False, facts=()),),
            answers=(answer(AnswerKind.ACCEPT, QUEUE),),
        ),
        [("drift", True, "Changed")],
    ),
    "snoozed: edited, not told": (
        sight(
            section(QUEUE, TAGS),
            DRIFTED,
            issues=(issue(),),
            answers=(answer(AnswerKind.SNOOZE),),
        ),
        [("drift", None, "NoneType")],
    ),
    "snoozed: not opened again": (
        sight(DRIFTED, issues=(issue(open=False),), answers=(answer(AnswerKind.SNOOZE),)),
        [],
    ),
    "a failure waits for the sweep": (sight(BROKEN, CLEAN, others=LATER), []),
    "a failure that nobody else shares": (sight(BROKEN, CLEAN), [("failure", True, "NoneType")]),
    "a failure for the second time": (
        sight(BROKEN, BROKEN, others=LATER),
        [("failure", True, "NoneType")],
    ),
    "a failure leaves the drift's issue as it is": (
        sight(BROKEN, DRIFTED, issues=(issue(),), others=LATER),
        [],
    ),
    "one who is held is not waited for": (
        sight(BROKEN, others=(standing(None, None, "held", held="by pull request 3"),)),
        [("failure", True, "NoneType")],
    ),
    "a failure that waited is told when the sweep is through": (
        sight(CLEAN, others=(standing(replace(BROKEN, project=ProjectKey("b")), at="b"),)),
        [("failure", True, "NoneType")],
    ),
    "five alike": (
        sight(
            BROKEN,
            others=tuple(standing(replace(BROKEN, project=ProjectKey(at)), at=at) for at in "abcd"),
            issues=(FAILED,),
        ),
        [("incident", True, "NoneType"), ("failure", False, "Joined")],
    ),
    "an incident is over": (
        sight(CLEAN, issues=(issue(Alike.FAILURE, "[]"),)),
        [("incident", False, "NoneType")],
    ),
    "an incident that somebody closed": (
        sight(BROKEN, others=ALIKE, issues=(LEFT_INCIDENT,)),
        [],
    ),
    "an incident that somebody closed, and more": (
        sight(BROKEN, others=(*ALIKE, *MORE_ALIKE), issues=(LEFT_INCIDENT,)),
        [("incident", True, "NoneType")],
    ),
    "a failure that somebody closed, as the sweep ends": (
        sight(CLEAN, others=(standing(BROKEN_B, at="b"),), issues=(LEFT_FAILURE,)),
        [],
    ),
    "an index that somebody closed": (
        sight(
            DRIFTED,
            others=(standing(section(QUEUE, at="b"), at="b"),),
            issues=(issue(name=group("b")), LEFT_INDEX),
            settings=DriftSettings(issues=True, max_issues=1),
        ),
        [],
    ),
    "a project that is no more": (
        sight(CLEAN, issues=(issue(name=group("old")),)),
        [("drift", False, "NoneType")],
    ),
    "drift that began with a version waits for the sweep": (sight(UPGRADED, others=LATER), []),
    "and where its own issue is closed": (
        sight(UPGRADED, others=LATER, issues=(issue(open=False, facts=()),)),
        [],
    ),
    "but no longer than until it is found again": (
        sight(UPGRADED, UPGRADED, others=LATER),
        [("drift", True, "NoneType")],
    ),
    "nor where its own issue is open": (
        sight(UPGRADED, others=LATER, issues=(issue(),)),
        [("drift", None, "NoneType")],
    ),
    "nor where a rule corrects it": (
        sight(upgraded(replace(QUEUE, action=Reaction.AUTO)), others=LATER),
        [("drift", True, "NoneType")],
    ),
    "alone, it is told when the sweep is through": (
        sight(CLEAN, others=since_then("b")),
        [("drift", True, "NoneType")],
    ),
    "as the same issue again": (
        sight(CLEAN, others=since_then("b"), issues=(issue(name=group("b"), **OVER),)),
        [("drift", True, "Changed")],
    ),
    "unless somebody closed it": (
        sight(CLEAN, others=since_then("b"), issues=(LEFT_DRIFT,)),
        [],
    ),
    "or snoozed it": (sight(CLEAN, others=since_then("b"), answers=(QUIET_B,)), []),
    "five since a version": (
        sight(UPGRADED, others=since_then(*"abcd")),
        [("upgrade", True, "NoneType")],
    ),
    "five, and one of them cannot be checked": (
        sight(UPGRADED, others=(*since_then(*"abc"), standing(LOST, at="d"))),
        [("failure", True, "NoneType"), ("upgrade", True, "NoneType")],
    ),
    "five, and nobody wants to hear of any": (
        sight(UPGRADED, others=since_then(*"abcd"), answers=tuple(map(quiet, (*"abcd", "net")))),
        [],
    ),
    "one that joins is news, and opens what was closed unheard": (
        sight(UPGRADED, others=since_then(*"abcd"), issues=(upgrade(*"abcd"),)),
        [("upgrade", True, "Changed")],
    ),
    "the same is written once a sweep": (
        sight(UPGRADED, UPGRADED, others=since_then(*"abcd"), issues=(upgrade(*"abcd", "net"),)),
        [("upgrade", None, "NoneType")],
    ),
    "and not by every look that somebody asks for": (
        sight(
            UPGRADED,
            UPGRADED,
            others=since_then(*"abcd"),
            issues=(upgrade(*"abcd", "net", written=NIGHT),),
        ),
        [],
    ),
    "one that leaves is none": (
        sight(UPGRADED, others=since_then(*"abcd"), issues=(upgrade(*"abcde", "net"),)),
        [("upgrade", None, "NoneType")],
    ),
    "nor is it where somebody closed it": (
        sight(UPGRADED, others=since_then(*"abcd"), issues=(upgrade(*"abcde", "net", **LEFT),)),
        [],
    ),
    "closed by somebody, and one is put right": (
        sight(
            CLEAN, UPGRADED, others=since_then(*"abcd"), issues=(upgrade(*"abcd", "net", **LEFT),)
        ),
        [],
    ),
    "closed by somebody, and one drifts further": (
        sight(
            upgraded(QUEUE, TAGS),
            UPGRADED,
            others=since_then(*"abc"),
            issues=(upgrade(*"abcd", "net", **LEFT),),
        ),
        [("drift", True, "NoneType")],
    ),
    "closed by somebody, and it takes nobody's place": (
        sight(
            DRIFTED,
            CLEAN,
            others=since_then(*"abcd"),
            issues=(upgrade(*"abcde", **LEFT),),
            settings=DriftSettings(issues=True, max_issues=1),
        ),
        [("drift", True, "NoneType")],
    ),
    "looked at again, by day, and others are still to come": (
        sight(
            CLEAN,
            UPGRADED,
            others=tuple(replace(each, asked_at=NIGHT) for each in since_then(*"abcd")),
            issues=(upgrade(*"abcd", "net", written=NIGHT),),
        ),
        [],
    ),
    "or on their way": (
        sight(
            CLEAN,
            UPGRADED,
            others=tuple(replace(each, run=RunId("r")) for each in since_then(*"abcd")),
            issues=(upgrade(*"abcd", "net", written=NIGHT),),
        ),
        [],
    ),
    "four are left": (
        sight(UPGRADED, others=since_then(*"abc"), issues=(upgrade(*"abcd", "net"),)),
        [("drift", True, "NoneType")] * 4 + [("upgrade", False, "NoneType")],
    ),
    "behind is silent": (sight(behind("net"), others=waiting(*"abc")), []),
    "five wait for one change": (
        sight(behind("net"), others=waiting(*"abcd")),
        [("unapplied", True, "NoneType")],
    ),
    "six do": (
        sight(behind("net"), others=waiting(*"abcde"), issues=(unapplied(*"abcd", "net"),)),
        [("unapplied", True, "NoneType")],
    ),
    "before the end, five wait for the first time": (
        sight(behind("net"), CLEAN, others=waiting(*"abcd"), reach=REACH),
        [],
    ),
    "before the end, five wait again": (
        sight(behind("net"), behind("net"), others=waiting(*"abcd"), reach=REACH),
        [("unapplied", True, "NoneType")],
    ),
    "before the end, who waits does not end": (
        sight(CLEAN, CLEAN, others=waiting(*"abcde"), issues=(unapplied(*"abcde"),), reach=REACH),
        [],
    ),
    "before the end, nothing is left": (
        sight(CLEAN, UPGRADED, issues=(upgrade(*"abcd", "net"),), reach=REACH),
        [("upgrade", False, "NoneType")],
    ),
    "before the end, who was told with others waits for those that may join": (
        sight(
            UPGRADED,
            UPGRADED,
            others=since_then(*"abc"),
            issues=(upgrade(*"abcd", "net"),),
            reach=REACH,
        ),
        [],
    ),
    "before the end, found again after an error": (
        sight(UPGRADED, replace(LOST, project=ProjectKey("net")), reach=REACH),
        [("drift", True, "NoneType")],
    ),
    "before the end, what joins is told once a night": (
        sight(
            UPGRADED,
            UPGRADED,
            others=since_then(*"abcdefgh"),
            issues=(upgrade(*"abcdefg", "net", written=NIGHT),),
            reach=REACH,
        ),
        [],
    ),
    "and was not yet": (
        sight(
            UPGRADED,
            UPGRADED,
            others=since_then(*"abcdefgh"),
            issues=(upgrade(*"abcdefg", "net", written=NIGHT - DAY),),
            reach=REACH,
        ),
        [("upgrade", True, "Changed")],
    ),
    "before the end, four are left of what was written two nights ago": (
        sight(
            CLEAN,
            UPGRADED,
            others=since_then(*"abcd"),
            issues=(upgrade(*"abcd", "net", written=NIGHT - 2 * DAY),),
            reach=REACH,
        ),
        [("upgrade", False, "NoneType")],
    ),
    "before the end, who failed with others waits for those that may join": (
        sight(BROKEN, BROKEN, others=ALIKE[:3], issues=(FAILING,), reach=REACH),
        [],
    ),
    "nor is a failure of another kind told that was told with others": (
        sight(OTHERWISE, BROKEN, others=ALIKE[:3], issues=(FAILING,), reach=REACH),
        [],
    ),
    "a failure that is told alone is not closed for an incident that is not": (
        sight(BROKEN, BROKEN, others=ALIKE, issues=(LEFT_INCIDENT, FAILED)),
        [],
    ),
    "an issue of its own that somebody closed joins nothing": (
        sight(
            UPGRADED,
            UPGRADED,
            others=since_then(*"abcde"),
            issues=(upgrade(*"abcde", written=NIGHT), issue(**LEFT)),
        ),
        [],
    ),
    "none of five can be checked": (
        sight(
            lost("net"), UPGRADED, others=in_the_dark(*"abcd"), issues=(upgrade(*"abcd", "net"),)
        ),
        [("incident", True, "NoneType")],
    ),
    "who has an issue of their own is not lost to one of many": (
        sight(UPGRADED, CLEAN, others=in_the_dark(*"abcd"), issues=tuple(map(own_issue, "abcd"))),
        [("drift", True, "NoneType")] + [("failure", True, "NoneType")] * 4,
    ),
    "a repository's issue takes nothing from one of many": (
        sight(
            section(TAGS),
            section(TAGS),
            others=since_then(*"abcde"),
            issues=(issue(name=INDEX, facts=tuple(facts_of(section(TAGS)))), upgrade(*"abcde")),
            settings=REPOSITORY,
        ),
        [("drift", None, "NoneType"), ("upgrade", None, "NoneType")],
    ),
    "who snoozed one of an environment did not snooze the others": (
        sight(
            CLEAN,
            others=(in_prod(replace(CLEAN, project=ProjectKey("a"))), in_prod(UPGRADED_B)),
            answers=(quiet("a"),),
            settings=DriftSettings(issues=True, group_by=GroupBy.ENVIRONMENT),
        ),
        [("drift", True, "NoneType")],
    ),
    "no issues before they are wanted": (sight(DRIFTED, settings=DriftSettings()), []),
    "no baseline wanted": (
        sight(DRIFTED, settings=DriftSettings(baseline=False)),
        [("drift", True, "NoneType")],
    ),
    "more than are opened": (
        sight(
            DRIFTED,
            others=(standing(section(QUEUE, at="b"), at="b"),),
            issues=(issue(name=group("b")),),
            settings=DriftSettings(issues=True, max_issues=1),
        ),
        [("overflow", True, "NoneType")],
    ),
    "no more than are opened": (
        sight(CLEAN, issues=(issue(OVERFLOW, json.dumps(["gh", "acme/infra"])),)),
        [("overflow", False, "NoneType")],
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_who_is_told(name: str) -> None:
    given, expected = ROWS[name]
    assert seen(tell(given)) == expected


def test_what_was_closed_is_forgotten_once_it_is_over() -> None:
    """It tells it anew when it comes back, as it does with an issue of one project."""
    left = upgrade(*"abcd", "net", **LEFT)
    (step,) = tell(sight(CLEAN, CLEAN, issues=(left,)))
    assert (step.text, step.kept) == (None, replace(left.kept, facts=()))
    forgotten = replace(left, kept=step.kept)
    assert tell(sight(CLEAN, CLEAN, issues=(forgotten,))) == ()
    back = sight(UPGRADED, CLEAN, others=since_then(*"abcd"), issues=(forgotten,))
    assert seen(tell(back)) == [("upgrade", True, "NoneType")]


def test_who_was_put_right_is_forgotten() -> None:
    """It remembers what somebody closed only of projects in which it goes on; nothing of it where
    it is told anew."""
    left = upgrade(*"abcd", "net", **LEFT)
    (step,) = tell(sight(CLEAN, UPGRADED, others=since_then("a"), issues=(left,)))
    assert (step.text, step.kept.facts) == (None, tuple(facts_of(upgraded(QUEUE, at="a"))))
    many = upgrade(*"abcde", "net", **LEFT)
    (step,) = tell(sight(CLEAN, UPGRADED, others=since_then(*"abcde"), issues=(many,)))
    assert (step.text, step.kept.facts) == (None, upgrade(*"abcde").kept.facts)
    anew = sight(UPGRADED, CLEAN, others=since_then(*"bcde"), issues=(left,))
    (told,) = tell(anew)
    assert (told.is_open, told.kept.open) == (True, True)


def test_what_is_kept() -> None:
    """It keeps what was told and since when; what is not told while it is quiet is news later."""
    (first,) = tell(sight(DRIFTED))
    assert first.kept == Kept(open=True, facts=tuple(facts_of(DRIFTED)), since=NIGHT)
    (again,) = tell(sight(DRIFTED, DRIFTED, issues=(issue(),)))
    assert again.kept.since == SINCE
    quiet = (answer(AnswerKind.SNOOZE),)
    (edited,) = tell(sight(section(QUEUE, TAGS), DRIFTED, issues=(issue(),), answers=quiet))
    assert edited.kept.facts == tuple(facts_of(DRIFTED))
    (counted,) = tell(sight(CLEAN, DRIFTED, issues=(issue(),)))
    assert (counted.kept.clean, counted.text) == (1, None)


@pytest.mark.parametrize("verdict", ["error", "unknown", "applied-unmerged"])
def test_not_known_is_not_clean(verdict: str) -> None:
    """It counts no check as clean that could not have found drift."""
    blind = replace(BROKEN, verdict=ProjectVerdict(verdict))
    assert tell(sight(blind, DRIFTED, issues=(issue(),), others=LATER)) == ()


def test_clean_checks_of_others_do_not_count() -> None:
    """It closes a repository's issue by checks of what it told of, not of all else there is."""
    everything = json.dumps(["gh", "acme/infra"])
    told = issue(name=everything, facts=tuple(facts_of(section(QUEUE, at="other"))))
    by = DriftSettings(issues=True, group_by=GroupBy.REPOSITORY)
    others = (standing(replace(CLEAN, project=ProjectKey("other")), at="other"),)
    assert tell(sight(CLEAN, issues=(told,), settings=by, others=others)) == ()


def test_baseline() -> None:
    """It is one report, and none where issues are opened at once."""
    (report,) = baseline(sight(DRIFTED, settings=DriftSettings()))
    assert (report.kind, report.is_open) == (BASELINE, True)
    assert baseline(sight(DRIFTED)) == ()
    assert baseline(sight(DRIFTED, settings=DriftSettings(baseline=False))) == ()


def test_comments_say_what_is_new() -> None:
    (told,) = tell(sight(section(QUEUE, TAGS), DRIFTED, issues=(issue(),)))
    assert isinstance(told.comment, Changed)
    assert told.comment.news.added == ("gh:acme/infra net: aws_sqs_queue.q, tags",)
    (over,) = tell(sight(CLEAN, CLEAN, issues=(issue(clean=1),)))
    assert over.comment == Over(verified=False, checks=2)
