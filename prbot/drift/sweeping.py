"""What is told once a night's sweep is through: what waited for it, and causes that several
projects have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prbot.drift.incidents import Alike, Common, Incident, alike, group_name, lost_to
from prbot.drift.issue import DriftIssue, Kept, Kind, News, news, within
from prbot.drift.sight import (
    Sight,
    TellIssue,
    body_of,
    closing,
    of_repo,
    open_groups,
    snoozed,
    told_and_left,
    waited_for,
)
from prbot.drift.state import Standing
from prbot.drift.tell import OVERFLOW, Changed, EndedBody, IncidentBody, Joined, OverflowBody


def after_the_sweep(sight: Sight) -> list[TellIssue]:
    """In the order in which it is written."""
    return [*_untold(sight), *_incidents(sight), *_overflow(sight), *_left(sight)]


def before_its_end(sight: Sight) -> list[TellIssue]:
    """What must not wait for it, where a window is too short for all: an incident that the
    project just checked belongs to a second time, and one of which nothing is left."""
    again = filter(lambda incident: _again(sight, incident), sight.apart.incidents)
    told = [step for incident in again for step in _told(sight, incident)]
    return [*told, *_over(sight, _causes(sight))]


def _again(sight: Sight, incident: Incident) -> bool:
    earlier = sight.before.section
    was = None if earlier is None else alike(earlier) or lost_to(earlier)
    mine = any(each.project == sight.checked.project for each in incident.sections)
    return mine and was is not None and was[0] is incident.kind


def _causes(sight: Sight) -> frozenset[Common]:
    """All that something stands behind, or stood when it could be checked last."""
    both = ((alike(each), lost_to(each)) for each in sight.sections)
    return frozenset(common for each in both for common in each if common is not None)


def _untold(sight: Sight) -> Iterator[TellIssue]:
    """What waited for the end of the sweep and stands alone."""
    mine, _ = within(tuple(sight.wanted.values()), open_groups(sight), sight.settings.max_issues)
    for issue in mine:
        kept = sight.known.get((issue.kind, issue.group))
        own = issue.group == sight.group(sight.checked)
        untold = kept is None or not (kept.open or kept.is_left(issue.facts))
        untold = untold and not told_and_left(sight, issue)
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
    for incident in apart.incidents:
        yield from _told(sight, incident)
    yield from _over(sight, {each.common for each in apart.incidents} | apart.dark)


def _told(sight: Sight, incident: Incident) -> Iterator[TellIssue]:
    yield from _incident(sight, incident)
    if incident.kind is Alike.FAILURE:
        yield from _joined(sight, incident)


def _over(sight: Sight, going_on: Iterable[Common]) -> Iterator[TellIssue]:
    """What ends is told; what somebody closed before is forgotten once nothing is left of it."""
    here = {(common[0], group_name(sight.repo, common)) for common in going_on}
    left = {(common[0], group_name(sight.repo, common)) for common in _causes(sight)}
    for (kind, group), kept in sight.known.items():
        if kind not in set(Alike):
            continue
        if kept.open and (kind, group) not in here:
            yield _ended(sight, kind, group, kept)
        elif not kept.open and kept.facts and (kind, group) not in left:
            yield TellIssue(sight.repo, kind, group, Kept(open=False, facts=()))


def _incident(sight: Sight, incident: Incident) -> Iterator[TellIssue]:
    """Fewer than there were are no news, and what joins is. The text tells when it was looked at:
    once a sweep it is written anyway."""
    kept = sight.together(incident.common)
    told = () if kept is None else kept.facts
    facts = incident.facts(told)
    is_open = kept is not None and kept.open
    left = kept is not None and not kept.open and kept.by_person and set(facts) <= set(told)
    quiet = all(snoozed(sight, each) for each in incident.sections)
    same = is_open and facts == told and not sight.sweeps
    if left or same or (quiet and not is_open):
        return
    since = kept.since if is_open and kept is not None and kept.since else sight.now
    new = News(added=news(told, facts).added)
    more = not is_open or (bool(new.added) and not quiet)
    said = Changed(new) if is_open and more and incident.kind is Alike.UPGRADE else None
    body, after = IncidentBody(incident, since, sight.coverage), Kept(True, facts, since=since)
    group = group_name(sight.repo, incident.common)
    yield TellIssue(sight.repo, incident.kind, group, after, body, True if more else None, said)


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
