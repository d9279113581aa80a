"""Whom to tell what after a check: which issues are written, closed and opened again.

A function of what is known, so that it can be read as a table. Failures wait until the night's
sweep is through, or a second check failed as well: only then it can be told whether one cause
stands behind many of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from prbot.config.drift import DriftSettings, Reaction
from prbot.drift.flapping import Flap, flaps_of, names_of, steadied, steady
from prbot.drift.incidents import Incident, cause, incidents
from prbot.drift.issue import (
    CLEAN_CHECKS,
    DriftIssue,
    Found,
    Kept,
    Kind,
    Move,
    News,
    Section,
    facts_of,
    follow,
    group_of,
    issues_of,
    news,
    within,
)
from prbot.drift.schedule import Reach, coverage, last_night, reach_words
from prbot.drift.state import Answer, AnswerKind, Correction, IssueOf, Standing
from prbot.drift.tell import (
    BASELINE,
    INCIDENT,
    OVERFLOW,
    Acceptance,
    BaselineBody,
    Changed,
    EndedBody,
    IncidentBody,
    IssueBody,
    IssueText,
    Joined,
    Over,
    OverflowBody,
)
from prbot.drift.verdict import ProjectVerdict
from prbot.model import RepoRef

PROVEN = "proven"
"""The outcome of a correction that a plan afterwards confirmed."""


@dataclass(frozen=True)
class TellIssue:
    """Write the issue and keep what is known of it. `text` None: it is only kept. `is_open`
    None: what there is stays open or closed, as somebody left it."""

    repo: RepoRef
    kind: str
    group: str
    kept: Kept
    text: IssueText | None = None
    is_open: bool | None = None
    comment: Changed | Over | Joined | None = None


@dataclass(frozen=True)
class Sight:
    """All that is known of the repository, once the check of `checked` has ended; as in `Known`."""

    checked: Standing
    before: Standing
    settings: DriftSettings
    standings: tuple[Standing, ...]
    now: datetime
    issues: tuple[IssueOf, ...] = ()
    answers: tuple[Answer, ...] = ()
    corrections: tuple[Correction, ...] = ()
    reach: Reach | None = None

    @property
    def repo(self) -> RepoRef:
        return self.checked.repo

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """What the newest check of each project found, as people answered to it."""
        found = (each.section for each in self.standings)
        return tuple(answered(each, self.answers, self.now) for each in found if each is not None)

    @cached_property
    def apart(self) -> tuple[tuple[Incident, ...], tuple[Section, ...]]:
        return incidents(self.sections)

    @cached_property
    def wanted(self) -> dict[tuple[Kind, str], DriftIssue]:
        """The issues there are to tell, those of incidents aside."""
        made = issues_of(self.apart[1], self.settings.group_by)
        return {(issue.kind, issue.group): issue for issue in made}

    @cached_property
    def known(self) -> dict[tuple[str, str], Kept]:
        return {(issue.kind, issue.group): issue.kept for issue in self.issues}

    @cached_property
    def swept(self) -> bool:
        """Whether every project was looked at since the window opened last; who is held by
        somebody is not waited for."""
        if self.reach is not None:
            return not self.reach.awaited
        since = last_night(self.settings.night, self.now).begin
        return all(
            each.held or (each.checked_at is not None and each.checked_at >= since)
            for each in self.standings
        )

    @property
    def coverage(self) -> str:
        if self.reach is not None:
            return reach_words(self.reach, self.now)
        return coverage([each.watched for each in self.standings], self.settings.night, self.now)

    def group(self, standing: Standing) -> str:
        by = self.settings.group_by
        return group_of(standing.repo, standing.project, standing.environment, by)

    def flapping(self, kind: str, group: str) -> tuple[Flap, ...]:
        """What comes and goes of what an issue of this kind tells."""
        mine = (each for each in self.standings if self.group(each) == group)
        return tuple(f for each in mine for f in flaps_of(each)) if kind == Kind.DRIFT else ()

    def began(self, kind: str) -> tuple[Flap, ...]:
        """Of these, what does so since the check that has just ended."""
        before = names_of(flaps_of(self.before))
        now = flaps_of(self.checked) if kind == Kind.DRIFT else ()
        return tuple(flap for flap in now if flap.name not in before)

    @cached_property
    def groups(self) -> frozenset[str]:
        return frozenset(map(self.group, self.standings))


def tell(sight: Sight) -> tuple[TellIssue, ...]:
    """In the order in which it is written; nothing while there is only the baseline."""
    if not (sight.settings.issues or not sight.settings.baseline):
        return ()
    steps = [*_own(sight)]
    if sight.swept:
        steps += [*_untold(sight), *_incidents(sight), *_overflow(sight), *_left(sight)]
    return tuple(steps)


def baseline(sight: Sight) -> tuple[TellIssue, ...]:
    """The one report of the first complete sweep, where no issues are opened yet."""
    if sight.settings.issues or not sight.settings.baseline:
        return ()
    body = BaselineBody(sight.sections, sight.coverage)
    kept = Kept(open=True, facts=(), since=sight.now)
    return (TellIssue(sight.repo, BASELINE, _of_repo(sight), kept, body, True),)


def answered(section: Section, answers: Iterable[Answer], now: datetime) -> Section:
    """What somebody accepted, as it was then, is left as it is until the day they named."""
    facts: dict[str, Answer] = {}
    found = list(section.found)
    for answer in answers:
        same = answer.repo == section.repo and answer.project == section.project
        if same and answer.kind is AnswerKind.ACCEPT and now < answer.until:
            facts |= dict.fromkeys(answer.facts, answer)
    for at, one in enumerate(found):
        told = [facts[fact] for fact in facts_of(replace(section, found=(one,))) if fact in facts]
        if told:
            found[at] = _accepted(one, told[-1])
    return replace(section, found=tuple(found)) if section.kind is Kind.DRIFT else section


def _accepted(one: Found, answer: Answer) -> Found:
    until = f"accepted until {answer.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    why = f"{answer.reason} ({answer.by})"
    return replace(one, action=Reaction.IGNORE, rule=until, reason=why)


# --- the issue of the project that was checked -----------------------------------------------


def _own(sight: Sight) -> Iterator[TellIssue]:
    group = sight.group(sight.checked)
    for kind in Kind:
        issue, kept = sight.wanted.get((kind, group)), sight.known.get((kind, group))
        if issue is not None and kept is None and not _may_begin(sight, issue):
            continue
        yield from _follow(sight, kind, group, issue, kept)


def _may_begin(sight: Sight, issue: DriftIssue) -> bool:
    """Whether it has an issue of its own now: there is room, and it stands alone."""
    mine, _ = within(tuple(sight.wanted.values()), _open_groups(sight), sight.settings.max_issues)
    if issue not in mine:
        return False
    earlier = sight.before.section
    again = earlier is not None and earlier.kind is Kind.FAILURE
    return issue.kind is Kind.DRIFT or sight.swept or again


def _open_groups(sight: Sight) -> frozenset[str]:
    return frozenset(
        issue.group for issue in sight.issues if issue.kept.open and issue.kind in set(Kind)
    )


def _follow(
    sight: Sight, kind: Kind, group: str, issue: DriftIssue | None, kept: Kept | None
) -> Iterator[TellIssue]:
    quiet = _snoozed(sight, sight.checked)
    if issue is None:
        if kept is not None and _concerned(kept, sight.checked) and _tells(kind, sight.checked):
            yield from _gone(sight, kind, group, kept)
        return
    move, after = follow(kept, issue)
    flapping = names_of(sight.flapping(kind, group))
    move = steadied(move, kept, after, flapping)
    told = any(section.project == sight.checked.project for section in issue.sections)
    if after is None or move is Move.NONE or (move is Move.EDIT and not told):
        return
    if quiet and move is not Move.EDIT:
        if kept is None or move is not Move.TELL:
            return
        move, after = Move.EDIT, kept  # what is new is told when the time is over
    goes_on = kept is not None and kept.open and kept.since is not None
    since = kept.since if goes_on and kept is not None and kept.since else sight.now
    after = replace(after, since=since)
    comment, began = None, () if quiet else sight.began(kind)
    if move in (Move.TELL, Move.REOPEN):
        new, again = news(kept.facts if kept else (), after.facts), move is Move.REOPEN
        comment = Changed(new if again else steady(new, flapping), again, began)
    elif move is Move.EDIT and began:
        comment = Changed(News(), flapping=began)
    is_open = None if move is Move.EDIT else True
    body = _body(sight, issue, since)
    yield TellIssue(sight.repo, kind, group, after, body, is_open, comment)


def _gone(sight: Sight, kind: Kind, group: str, kept: Kept) -> Iterator[TellIssue]:
    """Nothing is left to tell: after two checks it is over, at once where it is proven or was
    accepted; and not while it comes and goes."""
    here = sight.checked
    proven = any(each.project == here.project and each.outcome == PROVEN for each in _late(sight))
    accepted = any(_holds(each, here, AnswerKind.ACCEPT, sight.now) for each in sight.answers)
    if kept.open and sight.flapping(kind, group) and not (proven or accepted):
        body, began = _closing(sight, kind, group, kept), sight.began(kind)
        said = Changed(News(), flapping=began) if began and not _snoozed(sight, here) else None
        yield TellIssue(sight.repo, kind, group, replace(kept, clean=0), body, None, said)
        return
    move, after = follow(kept, None, proven or accepted)
    if after is None or after == kept:
        return
    after = replace(after, since=kept.since)
    if move is not Move.CLOSE:
        yield TellIssue(sight.repo, kind, group, after)
        return
    body = _closing(sight, kind, group, kept)
    comment = None if accepted and not proven else Over(proven, CLEAN_CHECKS)
    yield TellIssue(sight.repo, kind, group, after, body, False, comment)


def _tells(kind: Kind, standing: Standing) -> bool:
    """Whether the check could have found it: an error is never a clean check, and what a pull
    request applied hides what drifted."""
    blind = {ProjectVerdict.ERROR, ProjectVerdict.UNKNOWN}
    hidden = blind | {ProjectVerdict.APPLIED_UNMERGED} if kind is Kind.DRIFT else blind
    return standing.section is not None and standing.section.verdict not in hidden


def _late(sight: Sight) -> Iterator[Correction]:
    """Corrections that were begun after the drift was last told of."""
    since = sight.before.checked_at
    return (each for each in sight.corrections if since is None or each.at >= since)


def _closing(sight: Sight, kind: Kind, group: str, kept: Kept) -> IssueBody:
    """What stands in an issue that is over: the projects as they are now."""
    mine = {each.project for each in sight.standings if sight.group(each) == group}
    sections = tuple(each for each in sight.sections if each.project in mine)
    return _body(sight, DriftIssue(kind, group, sections), kept.since or sight.now)


def _body(sight: Sight, issue: DriftIssue, since: datetime) -> IssueBody:
    snoozed = _snoozed(sight, sight.checked)
    accepted = [a for a in sight.answers if _holds(a, sight.checked, AnswerKind.ACCEPT, sight.now)]
    taken = None
    if accepted and len(issue.sections) == 1:
        newest = accepted[-1]
        taken = Acceptance(newest.reason, newest.until.astimezone(UTC).date(), newest.by)
    flapping = sight.flapping(issue.kind, issue.group)
    return IssueBody(issue, since, sight.coverage, snoozed, taken, flapping)


def _snoozed(sight: Sight, standing: Standing) -> datetime | None:
    until = (a.until for a in sight.answers if _holds(a, standing, AnswerKind.SNOOZE, sight.now))
    return max(until, default=None)


def _holds(answer: Answer, standing: Standing, kind: AnswerKind, now: datetime) -> bool:
    mine = (answer.repo, answer.project) == (standing.repo, standing.project)
    return mine and answer.kind is kind and now < answer.until


def _concerned(kept: Kept, standing: Standing) -> bool:
    """Whether the issue told of this project: only its checks count as clean ones then."""
    where = f"{standing.repo} {standing.project}"
    return any(json.loads(fact)[0] == where for fact in kept.facts)


# --- once the sweep is through ---------------------------------------------------------------


def _untold(sight: Sight) -> Iterator[TellIssue]:
    """Failures that waited for the end of the sweep and stand alone."""
    mine, _ = within(tuple(sight.wanted.values()), _open_groups(sight), sight.settings.max_issues)
    for issue in mine:
        kept = sight.known.get((issue.kind, issue.group))
        own = issue.group == sight.group(sight.checked)
        untold = kept is None or not (kept.open or kept.is_left(issue.facts))
        if issue.kind is Kind.FAILURE and not own and untold:
            after = Kept(open=True, facts=issue.facts, since=sight.now)
            body = _body(sight, issue, sight.now)
            yield TellIssue(sight.repo, issue.kind, issue.group, after, body, True)


def _incidents(sight: Sight) -> Iterator[TellIssue]:
    found = {_cause_group(sight, incident): incident for incident in sight.apart[0]}
    for group, incident in found.items():
        kept = sight.known.get((INCIDENT, group))
        since = kept.since if kept is not None and kept.open and kept.since else sight.now
        facts = DriftIssue(Kind.FAILURE, group, incident.sections).facts
        after = Kept(open=True, facts=facts, since=since)
        body = IncidentBody(incident, since, sight.coverage)
        opened = None if kept is not None and kept.open else True
        left = kept is not None and kept.is_left(facts)
        if not left and (kept is None or opened or kept.facts != facts):
            yield TellIssue(sight.repo, INCIDENT, group, after, body, opened)
        yield from _joined(sight, incident)
    for (kind, group), kept in sight.known.items():
        if kind == INCIDENT and kept.open and group not in found:
            yield _ended(sight, kind, group, kept)


def _joined(sight: Sight, incident: Incident) -> Iterator[TellIssue]:
    projects = {section.project for section in incident.sections}
    groups = {sight.group(each) for each in sight.standings if each.project in projects}
    for group in sorted(groups):
        kept = sight.known.get((Kind.FAILURE, group))
        if kept is not None and kept.open and (Kind.FAILURE, group) not in sight.wanted:
            body = _closing(sight, Kind.FAILURE, group, kept)
            after = Kept(open=False, facts=(), since=kept.since)
            yield TellIssue(sight.repo, Kind.FAILURE, group, after, body, False, Joined())


def _overflow(sight: Sight) -> Iterator[TellIssue]:
    _, over = within(tuple(sight.wanted.values()), _open_groups(sight), sight.settings.max_issues)
    group = _of_repo(sight)
    kept = sight.known.get((OVERFLOW, group))
    if not over:
        if kept is not None and kept.open:
            yield _ended(sight, OVERFLOW, group, kept)
        return
    facts = tuple(sorted({fact for issue in over for fact in issue.facts}))
    if kept is not None and kept.facts == facts and (kept.open or kept.by_person):
        return
    since = kept.since if kept is not None and kept.open and kept.since else sight.now
    body = OverflowBody(over, sight.settings.max_issues, sight.coverage)
    after = Kept(open=True, facts=facts, since=since)
    yield TellIssue(sight.repo, OVERFLOW, group, after, body, True)


def _left(sight: Sight) -> Iterator[TellIssue]:
    """Issues of groups that have no project any more."""
    for (kind, group), kept in sight.known.items():
        if kind in set(Kind) and kept.open and group not in sight.groups:
            yield _ended(sight, kind, group, kept)


def _ended(sight: Sight, kind: str, group: str, kept: Kept) -> TellIssue:
    after = Kept(open=False, facts=(), since=kept.since)
    return TellIssue(sight.repo, kind, group, after, EndedBody(kind, group), False)


def _cause_group(sight: Sight, incident: Incident) -> str:
    first = incident.sections[0].trouble
    return json.dumps([sight.repo.forge, sight.repo.path, INCIDENT, cause(first) if first else ""])


def _of_repo(sight: Sight) -> str:
    return json.dumps([sight.repo.forge, sight.repo.path])
