"""What is told once a night's sweep is through: what waited for it, and causes that several
projects have in common."""

from __future__ import annotations

import json
from collections.abc import Iterator

from prbot.drift.incidents import Incident, cause
from prbot.drift.issue import DriftIssue, Kept, Kind, within
from prbot.drift.sight import Sight, TellIssue, body_of, closing, of_repo, open_groups
from prbot.drift.tell import INCIDENT, OVERFLOW, EndedBody, IncidentBody, Joined, OverflowBody


def after_the_sweep(sight: Sight) -> list[TellIssue]:
    """In the order in which it is written."""
    return [*_untold(sight), *_incidents(sight), *_overflow(sight), *_left(sight)]


def _untold(sight: Sight) -> Iterator[TellIssue]:
    """Failures that waited for the end of the sweep and stand alone."""
    mine, _ = within(tuple(sight.wanted.values()), open_groups(sight), sight.settings.max_issues)
    for issue in mine:
        kept = sight.known.get((issue.kind, issue.group))
        own = issue.group == sight.group(sight.checked)
        untold = kept is None or not (kept.open or kept.is_left(issue.facts))
        if issue.kind is Kind.FAILURE and not own and untold:
            after = Kept(open=True, facts=issue.facts, since=sight.now)
            standing = next(each for each in sight.standings if sight.group(each) == issue.group)
            body = body_of(sight, standing, issue, sight.now)
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
    groups = {sight.group(each): each for each in sight.standings if each.project in projects}
    for group, standing in sorted(groups.items()):
        kept = sight.known.get((Kind.FAILURE, group))
        if kept is not None and kept.open and (Kind.FAILURE, group) not in sight.wanted:
            body = closing(sight, Kind.FAILURE, standing, kept)
            after = Kept(open=False, facts=(), since=kept.since)
            yield TellIssue(sight.repo, Kind.FAILURE, group, after, body, False, Joined())


def _overflow(sight: Sight) -> Iterator[TellIssue]:
    _, over = within(tuple(sight.wanted.values()), open_groups(sight), sight.settings.max_issues)
    group = of_repo(sight)
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
