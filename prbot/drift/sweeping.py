"""What is told once a night's sweep is through: what waited for it, and causes that several
projects have in common."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from prbot.drift.incidents import Alike, Common, Incident, alike, lost_to
from prbot.drift.issue import DriftIssue, Kept, Kind, News, news
from prbot.drift.sight import (
    Sight,
    TellIssue,
    body_of,
    closing,
    of_repo,
    snoozed,
    waited_for,
)
from prbot.drift.state import Standing
from prbot.drift.tell import OVERFLOW, Changed, EndedBody, IncidentBody, Joined, OverflowBody

DAY = timedelta(days=1)


def after_the_sweep(sight: Sight) -> list[TellIssue]:
    """In the order in which it is written."""
    return [*_untold(sight), *_incidents(sight), *_overflow(sight), *_left(sight)]


def before_its_end(sight: Sight) -> list[TellIssue]:
    """What must not wait for it, where a window is too short for all: an incident that the
    project just checked belongs to a second time, and one that is over."""
    again = [incident for incident in sight.apart.incidents if _again(sight, incident)]
    told = [step for incident in again for step in _told(sight, incident)]
    firm = {incident.common for incident in sight.apart.incidents} | sight.apart.dark
    going_on = {each for each in _causes(sight) if each in firm or not _lingers(sight, each)}
    return [*told, *_over(sight, going_on)]


def _again(sight: Sight, incident: Incident) -> bool:
    """What joins one that is told already is told once a night."""
    kept, earlier = sight.together(incident.common), sight.before.section
    if kept.open and sight.wrote(kept):
        return False
    was = None if earlier is None else alike(earlier) or lost_to(earlier)
    mine = any(each.project == sight.checked.project for each in incident.sections)
    return mine and was is not None and was[0] is incident.kind


def _causes(sight: Sight) -> dict[Common, frozenset[str]]:
    """All that something stands behind, or stood when it could be checked last, each with where."""
    found: dict[Common, set[str]] = {}
    for section in sight.sections:
        for common in (alike(section), lost_to(section)):
            if common is not None:
                found.setdefault(common, set()).add(section.where)
    return {common: frozenset(places) for common, places in found.items()}


def _untold(sight: Sight) -> Iterator[TellIssue]:
    """What waited for the end of the sweep and stands alone."""
    for issue in sight.placed[0]:
        kept = sight.known.get((issue.kind, issue.group))
        own = issue.group == sight.group(sight.checked)
        untold = kept is None or not (kept.open or kept.is_left(issue.facts))
        if own or not untold or not (issue.kind is Kind.FAILURE or waited_for(sight, issue)):
            continue
        projects = {each.project for each in issue.sections if snoozed(sight, each) is None}
        heard = (each for each in sight.standings if each.project in projects)
        if (standing := next(heard, None)) is not None:
            yield _at_last(sight, standing, issue, kept)


def _at_last(sight: Sight, standing: Standing, issue: DriftIssue, kept: Kept | None) -> TellIssue:
    after = Kept(open=True, facts=issue.facts, since=sight.now)
    body = body_of(sight, standing, issue, sight.now)
    again = None
    if kept is not None and issue.kind is Kind.DRIFT:
        again = Changed(news(kept.facts, issue.facts), again=True)
    return TellIssue(sight.repo, issue.kind, issue.group, after, body, True, again)


def _incidents(sight: Sight) -> Iterator[TellIssue]:
    apart = sight.apart
    steps = {each.common: tuple(_told(sight, each)) for each in apart.incidents}
    for told in steps.values():
        yield from told
    yield from _over(sight, steps.keys() | apart.dark)
    yield from _forgotten(sight, [common for common, told in steps.items() if told])


def _told(sight: Sight, incident: Incident) -> Iterator[TellIssue]:
    told = tuple(_incident(sight, incident))
    yield from told
    if incident.kind is Alike.FAILURE and (told or sight.together(incident.common).open):
        yield from _joined(sight, incident)


def _over(sight: Sight, going_on: Iterable[Common]) -> Iterator[TellIssue]:
    here = set(map(sight.place_of, going_on))
    for (kind, group), kept in sight.known.items():
        if kind in set(Alike) and kept.open and (kind, group) not in here:
            yield _ended(sight, kind, group, kept)


def _lingers(sight: Sight, common: Common) -> bool:
    """Whether all that its issue tells was looked at since that was written, two nights ago or
    earlier: where no sweep comes to its end, nothing else shows that they are too few by now."""
    kept = sight.together(common)
    if kept.written is None or kept.written >= sight.night - DAY:
        return False
    known = (each.checked_at for each in sight.standings if each.key in kept.where)
    return all(at is not None and at > kept.written for at in known)


def _forgotten(sight: Sight, told: Iterable[Common]) -> Iterator[TellIssue]:
    """What somebody closed is new in a project in which it was over."""
    going_on = {sight.place_of(common): where for common, where in _causes(sight).items()}
    anew = set(map(sight.place_of, told))
    for (kind, group), kept in sight.known.items():
        if kind not in set(Alike) or kept.open or (kind, group) in anew:
            continue
        where = going_on.get((kind, group), frozenset())
        facts = tuple(fact for fact in kept.facts if json.loads(fact)[0] in where)
        if facts != kept.facts:
            yield TellIssue(sight.repo, kind, group, replace(kept, facts=facts))


def _incident(sight: Sight, incident: Incident) -> Iterator[TellIssue]:
    """Fewer than there were are no news, and what joins is. The text tells when it was looked at:
    once a night it is written anyway."""
    kept = sight.together(incident.common)
    facts = incident.facts(kept.facts)
    left = not kept.open and kept.by_person and set(facts) <= set(kept.facts)
    same = kept.open and facts == kept.facts and sight.wrote(kept)
    quiet = all(snoozed(sight, each) for each in incident.sections)
    if left or same or (quiet and not kept.open):
        return
    since = kept.since if kept.open and kept.since else sight.now
    new = News(added=news(kept.facts, facts).added)
    more = not kept.open or (bool(new.added) and not quiet)
    said = Changed(new) if kept.open and more and incident.kind is Alike.UPGRADE else None
    body = IncidentBody(incident, since, sight.coverage)
    after = Kept(True, facts, since=since, written=sight.now)
    place = sight.place_of(incident.common)
    yield TellIssue(sight.repo, *place, after, body, True if more else None, said)


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
    over = sight.placed[1]
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
