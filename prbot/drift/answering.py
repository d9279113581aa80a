"""What people say to an issue about drift, and what comes of it.

Only six commands count there, and only by whoever may apply where the project is. What is
refused says why; outsiders get no answer at all, as in pull requests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from prbot.config.drift import GroupBy, Proposal
from prbot.config.environments import Environments, Needs
from prbot.drift.incidents import Alike
from prbot.drift.issue import Kind, facts_of, group_of
from prbot.drift.state import Answer, AnswerKind, IssueOf, Standing
from prbot.errors.commands import NotOnIssues
from prbot.intake.commanded import Conversation
from prbot.intake.comment import Wrong, read
from prbot.intake.grammar import ON_ISSUES, Typed
from prbot.intake.written import written
from prbot.model import Ignored, IssueCommented, Login, Permission, Selector
from prbot.runs.asks import Listening
from prbot.runs.reasons import Reason, Reasons
from prbot.runs.requirements.asking import TOO_OLD
from prbot.runs.requirements.standing import not_before

LONGEST = timedelta(days=366)
"""For which drift is accepted or snoozed."""
PLANNED_FIRST = (
    "it is planned again first; then it is told below which pull request does it, or why none can."
)
UNREADABLE = Reason(
    "configuration",
    "the rules of the default branch cannot be read just now",
    "mend `prbot.yaml`, or say it again when the forge answers",
)
NOBODY_LOOKS = Reason(
    "drift",
    "this server does not look for drift at the moment",
    "whoever runs it can set `drift.enabled`",
)
LATE = Reason(
    "age",
    "it was found more than 30 minutes after it was said",
    "say it again, if you still want it",
)
UNLOCK = "unlock"
HERE = (*ON_ISSUES, UNLOCK)
MEANS_WHAT_STANDS = ("accept", "adopt", "revert")
"""These speak of what the issue shows."""
_CANNOT_LOOK = ("that nobody can look is no drift", "mend what keeps it from being checked")
_NO_DRIFT: dict[str, tuple[str, str]] = {
    Alike.UNAPPLIED: ("unapplied code is no drift", "apply it, or take the change back"),
    Alike.UPGRADE: (
        "this tells of several projects with one cause",
        "commit the lock file or pin the version; what is left has issues of its own then",
    ),
}
"""Of the kinds of issues that tell of a common cause: why nothing else can be said there."""
_HOURS = {"h": 1, "d": 24, "w": 168}


@dataclass(frozen=True)
class Said:
    """What somebody said to an issue: `typed`, or `wrong` is the one hint that it gets."""

    event: IssueCommented
    typed: Typed | None = None
    wrong: str = ""

    @property
    def command(self) -> str:
        """As they would type it, without the first word."""
        return "" if self.typed is None else written(self.typed).partition(" ")[2]


def heard(event: IssueCommented, listening: Listening) -> Said | Ignored:
    """Whether it is meant for us; whose issue it is, is another question."""
    if not listening.serves(event.repo):
        return Ignored("the repository is not served")
    if event.actor.is_bot or event.actor.login.lower() == listening.bot.lower():
        return Ignored("a bot's comment on an issue")
    found = read(event.body, listening.bot, listening.aliases, bare=False)
    match found:
        case Conversation():
            return Ignored(event.reason)
        case Wrong():
            return Said(event, wrong=found.message)
        case Typed(verb) if verb not in HERE or found.select != Selector():
            return Said(event, wrong=NotOnIssues(verb).reply)
    return Said(event, found)


@dataclass(frozen=True)
class Asker:
    """Who asks, and what they may do. `teams` has the members of each team that matters, None
    where they could not be learned."""

    login: Login
    permission: Permission
    teams: Mapping[str, frozenset[str] | None]


@dataclass(frozen=True)
class Server:
    """Whether it looks for drift, and can read what the default branch says of the project."""

    looks: bool
    reads: bool


@dataclass(frozen=True)
class Remember:
    """Keep what was answered."""

    answer: Answer


@dataclass(frozen=True)
class LookAgain:
    """Look at the project at once."""

    standing: Standing


@dataclass(frozen=True)
class Correct:
    """Put back (`revert`) at once what drifted in these projects, as the issue shows it."""

    issue: IssueOf
    how: str
    standings: tuple[Standing, ...]
    by: Login


@dataclass(frozen=True)
class Propose:
    """Keep the wish that a pull request corrects the project's drift: `shown` is what the issue
    shows of it. It is fulfilled, or refused, when the project was looked at again."""

    how: Proposal
    standing: Standing
    by: Login
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Say:
    """Answer below the issue: `said`, or else the reasons why not. `beside` names an answer that
    is not the only one."""

    said: str = ""
    reasons: Reasons = ()
    beside: str = ""


@dataclass(frozen=True)
class Unlock:
    """Let go of what interrupted corrections of these projects hold."""

    standings: tuple[Standing, ...]


AnswerStep = Remember | LookAgain | Correct | Propose | Unlock | Say


def teams_of(environments: Environments, standings: Iterable[Standing]) -> frozenset[str]:
    """Those whose members have to be known."""
    needs = [_needs(environments, each) for each in standings]
    commands = ("apply", UNLOCK)
    lists = (who for each in needs for one in commands for who in each.allowed.get(one, ()))
    return frozenset(name for who in lists for name in who if "/" in name)


def told_of(issue: IssueOf, standings: Iterable[Standing]) -> tuple[Standing, ...]:
    """The projects that the issue told of last."""
    told = {json.loads(fact)[0] for fact in issue.kept.facts}
    return tuple(each for each in standings if each.key in told)


def in_group(issue: IssueOf, standing: Standing) -> bool:
    """Whether it would be told there, also while it has nothing to tell."""
    where = (standing.repo, standing.project, standing.environment)
    return any(group_of(*where, by) == issue.group for by in GroupBy)


def answer_to(
    said: Said,
    issue: IssueOf,
    standings: Sequence[Standing],
    environments: Environments,
    asker: Asker,
    now: datetime,
) -> tuple[AnswerStep, ...]:
    """In the order in which it is done; nothing for outsiders. `standings` are those it told of;
    for `unlock` those that corrections hold, whatever is told by now."""
    if asker.permission is Permission.NONE:
        return ()
    if said.typed is None:
        return (Say(said.wrong),)
    needs = [_needs(environments, each) for each in standings]
    reasons = (
        *_permitted(asker, needs, UNLOCK if said.typed.verb == UNLOCK else "apply"),
        *_sensible(said.typed, issue, standings, now),
        *_seen(said, standings),
    )
    if reasons:
        return (Say(reasons=reasons),)
    if said.typed.verb == "revert":
        return tuple(_put_back(issue, standings, needs, asker.login))
    return _done(said.typed, issue, standings, asker.login, now)


def _put_back(
    issue: IssueOf, standings: Sequence[Standing], needs: Sequence[Needs], by: Login
) -> Iterator[AnswerStep]:
    """At once, or by a pull request where people approve what is applied."""
    both = tuple(zip(standings, needs, strict=True))
    at_once = tuple(standing for standing, each in both if not each.approvals)
    if at_once:
        yield Correct(issue, "revert", at_once, by)
    approved = tuple(standing for standing, each in both if each.approvals)
    yield from (Propose(Proposal.REVERT, each, by, shown(each)) for each in approved)
    yield from map(LookAgain, approved)
    if approved:
        yield Say(PLANNED_FIRST, beside="by pull request")


def unless_hindered(
    said: Said, steps: tuple[AnswerStep, ...], server: Server, now: datetime
) -> tuple[AnswerStep, ...]:
    """These steps, or why none is done now. Nothing is changed long after somebody wanted it,
    whether the reconciler found the comment or its webhook was late."""
    if not steps:
        return ()
    if _verb(said) not in ("", "recheck") and now - said.event.created_at > TOO_OLD:
        return (Say(reasons=(LATE,)),)
    if not server.reads:
        return (Say(reasons=(UNREADABLE,)),)
    waits = any(isinstance(step, Propose | Correct) for step in steps)
    return (Say(reasons=(NOBODY_LOOKS,)),) if waits and not server.looks else steps


def _verb(said: Said) -> str:
    return "" if said.typed is None else said.typed.verb


def _needs(environments: Environments, standing: Standing) -> Needs:
    return environments.of(standing.project.dir, standing.project.workspace)


def _permitted(asker: Asker, needs: Sequence[Needs], command: str) -> Reasons:
    if not asker.permission.can_write:
        return (
            Reason("permission", "it needs write access", "somebody who can write asks for it"),
        )
    lists = {who for each in needs for who in each.allowed.get(command, ())}
    missing = sorted(who for who in lists if not _is_in(asker, who))
    return tuple(
        Reason(
            "permission",
            f"only {' or '.join(f'`{name}`' for name in who)} may {command} here",
            "one of them says it",
        )
        for who in missing
    )


def _is_in(asker: Asker, who: Sequence[str]) -> bool:
    login = asker.login.lower()
    teams = (asker.teams.get(name) or frozenset() for name in who if "/" in name)
    return login in {name.lower() for name in who} or any(login in members for members in teams)


def _sensible(
    typed: Typed, issue: IssueOf, standings: Sequence[Standing], now: datetime
) -> Reasons:
    if typed.verb == UNLOCK and not standings:
        return (
            Reason("lock", "no interrupted correction holds anything", "there is nothing to do"),
        )
    if not standings or not (issue.kept.facts or typed.verb == UNLOCK):
        return (Reason("drift", "nothing is told here at the moment", "there is nothing to do"),)
    if issue.kind != Kind.DRIFT and typed.verb not in ("recheck", "snooze"):
        why, way = _NO_DRIFT.get(issue.kind, _CANNOT_LOOK)
        return (Reason("drift", f"{why}: only `recheck` and `snooze` help", way),)
    until = until_of(typed, now)
    if until is not None and not now < until <= now + LONGEST:
        return (Reason("until", "the day is over, or more than a year away", "name another"),)
    return ()


def _seen(said: Said, standings: Iterable[Standing]) -> Reasons:
    """Nobody means what was found after they said it: webhooks come late."""
    if said.typed is None or said.typed.verb not in MEANS_WHAT_STANDS:
        return ()
    moment = said.event.created_at
    checked = (each.checked_at for each in standings if each.checked_at is not None)
    if all(not_before(moment, at) for at in checked):
        return ()
    return (Reason("shown", "it was looked at again since you said it", "read it, then repeat it"),)


def until_of(typed: Typed, now: datetime) -> datetime | None:
    """When it ends: after the day that was named, in UTC, or after so much time."""
    flags = dict(typed.flags)
    if typed.verb == "accept":
        day = datetime.fromisoformat(str(flags["until"])).date()
        last = day == date.max  # after which the calendar has no day
        return datetime.combine(day, time(), UTC) + timedelta(days=0 if last else 1)
    if typed.verb == "snooze":
        given = str(flags["for"])
        return now + timedelta(hours=int(given[:-1]) * _HOURS[given[-1]])
    return None


def _done(
    typed: Typed, issue: IssueOf, standings: Sequence[Standing], by: Login, now: datetime
) -> tuple[AnswerStep, ...]:
    again = tuple(LookAgain(each) for each in standings)
    if typed.verb == "recheck":
        return (*again, Say("it is looked at again now; what was found stands above then."))
    if typed.verb == "adopt":
        asked = tuple(Propose(Proposal.ADOPT, each, by, shown(each)) for each in standings)
        return (*asked, *again, Say(PLANNED_FIRST))
    until = until_of(typed, now)
    if until is None:
        return (Unlock(tuple(standings)),)
    kind, reason = AnswerKind(typed.verb), str(dict(typed.flags).get("reason", ""))
    kept = tuple(
        Remember(Answer(each.repo, each.project, kind, by, now, until, reason, shown(each)))
        for each in standings
    )
    if typed.verb == "snooze":
        return (*kept, Say(f"nobody is told of changes until `{until:%Y-%m-%d %H:%M} UTC`."))
    day = dict(typed.flags)["until"]
    told = f"what is live now stays as it is until `{day}`; nothing is told of it."
    return (*kept, *again, Say(told))


def shown(standing: Standing) -> tuple[str, ...]:
    """What the issue shows of the project: what the newest check found, also while it is quiet."""
    return () if standing.section is None else tuple(facts_of(standing.section))
