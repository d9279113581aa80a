"""What people say to an issue about drift, row by row."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prbot.config.drift import Proposal, Reaction
from prbot.config.environments import EVERYWHERE_ALIKE, EnvironmentEntry, Environments, Needs
from prbot.drift.answering import (
    PLANNED_FIRST,
    Asker,
    Correct,
    LookAgain,
    Propose,
    Remember,
    Said,
    Say,
    Server,
    Unlock,
    answer_to,
    heard,
    in_group,
    teams_of,
    told_of,
    unless_hindered,
)
from prbot.drift.incidents import Alike
from prbot.drift.issue import Found, Kept, Kind, Section, facts_of
from prbot.drift.state import AnswerKind, IssueOf, Standing
from prbot.drift.verdict import ProjectVerdict
from prbot.model import (
    Actor,
    Ignored,
    IssueCommented,
    Login,
    Permission,
    ProjectKey,
    RepoRef,
    Sha,
)
from prbot.plans.threeway import Verdict
from prbot.runs.asks import Listening

REPO = RepoRef("gh", "acme/infra")
NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
BOT = Login("prbot[bot]")
QUEUE = Found("aws_sqs_queue.q", "delay_seconds", Verdict.REVERTS, Reaction.ALERT, None, "9", "5")
NET = Section(REPO, ProjectKey("net"), ProjectVerdict.DRIFTED, Sha("a" * 40), NOW, found=(QUEUE,))
STANDING = Standing(REPO, ProjectKey("net"), section=NET)
FACTS = tuple(facts_of(NET))
ISSUE = IssueOf(REPO, Kind.DRIFT, "g", REPO, "m", Kept(open=True, facts=FACTS), 7)
FREE = Environments(others=Needs(approvals=()))
SRE = Environments(
    entries=(
        (EnvironmentEntry(match=("net",)), Needs("prod", allowed={"apply": (("@acme/sre",),)})),
    )
)


def comment(body: str, by: str = "ann", is_bot: bool = False) -> IssueCommented:
    return IssueCommented(REPO, 7, 99, body, Actor(Login(by), is_bot), NOW)


def listen(body: str, serves: bool = True, by: str = "ann", is_bot: bool = False) -> Said | Ignored:
    listening = Listening(lambda repo: serves, lambda *branches: True, BOT, ("atlantis",))
    return heard(comment(body, by, is_bot), listening)


def said(body: str) -> Said:
    found = listen(body)
    assert isinstance(found, Said)
    return found


HEARD: dict[str, tuple[str, dict[str, Any], str]] = {
    "conversation": ("revert this, please", {}, "comment on an issue"),
    "a bare command": ("plan", {}, "comment on an issue"),
    "our own comment": ("prbot revert", {"by": "PRBOT[bot]"}, "a bot's comment on an issue"),
    "a bot's": ("prbot revert", {"is_bot": True}, "a bot's comment on an issue"),
    "elsewhere": ("prbot revert", {"serves": False}, "the repository is not served"),
}


@pytest.mark.parametrize("name", HEARD)
def test_not_meant_for_us(name: str) -> None:
    body, how, reason = HEARD[name]
    assert listen(body, **how) == Ignored(reason)


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("prbot revert", "revert"),
        ("@prbot ADOPT", "adopt"),
        ("atlantis recheck", "recheck"),
        ("/prbot snooze 7d", "snooze 7d"),
        ("prbot accept vendor asked until 2026-04-01", "accept 'vendor asked' until 2026-04-01"),
    ],
)
def test_the_one_grammar(body: str, command: str) -> None:
    assert said(body).command == command


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("prbot apply", "`apply` is said in a pull request"),
        ("prbot snooze", "a time"),
        ("prbot revrt", "revert"),
        ("prbot revert\nand more", "line"),
        ("prbot revert -d net", "option"),
        ("prbot unlock -d net", "without options"),
    ],
)
def test_hints(body: str, hint: str) -> None:
    """It hints once at what was meant for us and is wrong."""
    (told,) = asked(body)
    assert isinstance(told, Say)
    assert hint in told.said


def asked(
    body: str,
    permission: Permission = Permission.WRITE,
    environments: Environments = EVERYWHERE_ALIKE,
    issue: IssueOf = ISSUE,
    teams: dict[str, frozenset[str] | None] | None = None,
) -> tuple[object, ...]:
    asker = Asker(Login("Ann"), permission, teams or {})
    mine = told_of(issue, [STANDING])
    return answer_to(said(body), issue, mine, environments, asker, NOW)


def test_done() -> None:
    """It keeps, looks again, or hands over; and says so."""
    assert asked("prbot recheck")[0] == LookAgain(STANDING)
    accepted, again, _ = asked("prbot accept vendor asked until 2026-03-31")
    assert isinstance(accepted, Remember)
    assert isinstance(again, LookAgain)
    kept = accepted.answer
    assert (kept.kind, kept.reason, kept.facts) == (AnswerKind.ACCEPT, "vendor asked", FACTS)
    assert kept.until == datetime(2026, 4, 1, tzinfo=UTC)
    snoozed, told = asked("prbot snooze 2w")
    assert isinstance(snoozed, Remember)
    assert isinstance(told, Say)
    assert snoozed.answer.until == NOW + timedelta(days=14)
    assert told.said == "nobody is told of changes until `2026-03-18 09:00 UTC`."
    (step,) = asked("prbot revert", environments=FREE)
    assert step == Correct(ISSUE, "revert", (STANDING,), Login("Ann"))
    for command, how in (("adopt", Proposal.ADOPT), ("revert", Proposal.REVERT)):
        wish, again, told = asked(f"prbot {command}")
        assert wish == Propose(how, STANDING, Login("Ann"), FACTS)
        assert again == LookAgain(STANDING)
        assert isinstance(told, Say)
        assert told.said == PLANNED_FIRST


def test_unlocked_whatever_is_told() -> None:
    """It lets go of what is held also where the drift was accepted, or went, meanwhile."""
    quiet, asker = replace(ISSUE, kept=Kept(False, ())), Asker(Login("Ann"), Permission.WRITE, {})
    for issue in (ISSUE, quiet):
        steps = answer_to(said("prbot unlock"), issue, (STANDING,), FREE, asker, NOW)
        assert steps == (Unlock((STANDING,)),)
    (told,) = answer_to(said("prbot unlock"), quiet, (), FREE, asker, NOW)
    assert isinstance(told, Say)
    assert [reason.requirement for reason in told.reasons] == ["lock"]


def test_of_its_group() -> None:
    """It means the issue's own projects, by whatever they are grouped."""
    where = ["gh", "acme/infra"]
    for group in ([*where, "net", "default"], [*where, None], where):
        assert in_group(replace(ISSUE, group=json.dumps(group)), STANDING)
    for group in ([*where, "app", "default"], [*where, "prod"], ["gh", "acme/other"]):
        assert not in_group(replace(ISSUE, group=json.dumps(group)), STANDING)


def test_some_need_approval() -> None:
    """It parts the projects of one issue by whether people approve what is applied there."""
    other = replace(NET, project=ProjectKey("app"))
    both = (STANDING, replace(STANDING, project=other.project, section=other))
    facts = (*FACTS, *facts_of(other))
    issue = replace(ISSUE, kept=replace(ISSUE.kept, facts=facts))
    entry = EnvironmentEntry(match=("app",))
    mixed = Environments(entries=((entry, Needs("free", approvals=())),))
    asker = Asker(Login("Ann"), Permission.WRITE, {})
    steps = answer_to(said("prbot revert"), issue, both, mixed, asker, NOW)
    assert [s.standings for s in steps if isinstance(s, Correct)] == [(both[1],)]
    assert [s.standing for s in steps if isinstance(s, Propose)] == [STANDING]
    assert [s.standing for s in steps if isinstance(s, LookAgain)] == [STANDING]


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "cannot write": ({"permission": Permission.READ}, "prbot revert", "permission"),
    "not in the team": ({"environments": SRE}, "prbot revert", "permission"),
    "a team that nobody can see": (
        {"environments": SRE, "teams": {"@acme/sre": None}},
        "prbot accept it until 2026-04-01",
        "permission",
    ),
    "a day that is over": ({}, "prbot accept it until 2026-03-03", "until"),
    "for ever": ({}, "prbot accept it until 2036-03-03", "until"),
    "until the end of the calendar": ({}, "prbot accept it until 9999-12-31", "until"),
    "longer than a year": ({}, "prbot snooze 99w", "until"),
    "nothing told": ({"issue": replace(ISSUE, kept=Kept(False, ()))}, "prbot revert", "drift"),
    "a failure is no drift": (
        {"issue": replace(ISSUE, kind=Kind.FAILURE)},
        "prbot adopt",
        "drift",
    ),
    "unapplied code is no drift": (
        {"issue": replace(ISSUE, kind=Alike.UNAPPLIED)},
        "prbot revert",
        "drift",
    ),
    "one cause of several projects": (
        {"issue": replace(ISSUE, kind=Alike.UPGRADE)},
        "prbot accept it until 2026-03-31",
        "drift",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """It does nothing then, and names what is missing."""
    how, body, requirement = REFUSED[name]
    (told,) = asked(body, **how)
    assert isinstance(told, Say)
    assert [reason.requirement for reason in told.reasons] == [requirement]


def test_of_the_team() -> None:
    """It lets members of the environment's team, whatever the case of their names."""
    assert teams_of(SRE, [STANDING]) == {"@acme/sre"}
    members: dict[str, frozenset[str] | None] = {"@acme/sre": frozenset({"ann"})}
    (step, *_) = asked("prbot revert", environments=SRE, teams=members)
    assert isinstance(step, Propose)


def test_outsiders() -> None:
    """It does not answer them at all."""
    assert asked("prbot revert", permission=Permission.NONE) == ()


@pytest.mark.parametrize("kind", [Kind.FAILURE, *Alike])
def test_it_can_be_looked_at_again(kind: str) -> None:
    """Also what is no drift, and what is told with others."""
    (again, _) = asked("prbot recheck", issue=replace(ISSUE, kind=kind))
    assert again == LookAgain(STANDING)


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ("prbot revert", True),
        ("prbot adopt", True),
        ("prbot accept vendor asked until 2026-03-31", True),
        ("prbot snooze 7d", False),
        ("prbot recheck", False),
    ],
)
def test_what_was_found_since(body: str, refused: bool) -> None:
    """It does nothing about what nobody had read when they said it: the webhook came late."""
    asker = Asker(Login("Ann"), Permission.WRITE, {})
    for second, late in ((0, False), (1, refused)):
        seen = replace(STANDING, checked_at=NOW + timedelta(seconds=second, microseconds=900))
        first, *_ = answer_to(said(body), ISSUE, (seen,), FREE, asker, NOW)
        reasons = first.reasons if isinstance(first, Say) else ()
        assert [reason.requirement for reason in reasons] == ["shown"] * late


@pytest.mark.parametrize(("milliseconds", "late"), [(499, False), (500, False), (501, True)])
def test_what_was_found_in_the_same_second(milliseconds: int, late: bool) -> None:
    """It takes milliseconds for what they are, where the forge tells them."""
    heard = said("prbot revert")
    at = replace(heard.event, created_at=NOW.replace(microsecond=500_000))
    seen = replace(STANDING, checked_at=NOW.replace(microsecond=milliseconds * 1000 + 900))
    asker = Asker(Login("Ann"), Permission.WRITE, {})
    first, *_ = answer_to(replace(heard, event=at), ISSUE, (seen,), FREE, asker, NOW)
    reasons = first.reasons if isinstance(first, Say) else ()
    assert [reason.requirement for reason in reasons] == ["shown"] * late


LATER = NOW + timedelta(minutes=31)
HINDERED: dict[str, tuple[str, Server, datetime, str | None]] = {
    "nothing hinders it": ("prbot revert", Server(True, True), NOW, None),
    "half an hour later": ("prbot revert", Server(True, True), NOW + timedelta(minutes=30), None),
    "too late": ("prbot snooze 7d", Server(True, True), LATER, "age"),
    "looking is fine however late": ("prbot recheck", Server(True, True), LATER, None),
    "so is a hint": ("prbot snooze", Server(True, True), LATER, None),
    "the branch cannot be read": ("prbot snooze 7d", Server(True, False), NOW, "configuration"),
    "nobody looks, so nobody puts back": ("prbot revert", Server(False, True), NOW, "drift"),
    "nor adopts": ("prbot adopt", Server(False, True), NOW, "drift"),
    "but what is live can be accepted": ("prbot snooze 7d", Server(False, True), NOW, None),
    "all of it": ("prbot revert", Server(False, False), LATER, "age"),
}


@pytest.mark.parametrize(("body", "server", "now", "why"), HINDERED.values(), ids=HINDERED)
def test_hindered(body: str, server: Server, now: datetime, why: str | None) -> None:
    """It says why nothing is done now, once, and nothing at all to outsiders."""
    steps = asked(body)
    told = unless_hindered(said(body), steps, server, now)
    if why is None:
        assert told == steps
    else:
        (refused,) = told
        assert isinstance(refused, Say)
        assert [reason.requirement for reason in refused.reasons] == [why]
    assert unless_hindered(said(body), (), server, now) == ()
