"""Whom to tell what after a check: which issues are written, closed and opened again.

A function of what is known, so that it can be read as a table. Failures wait until the night's
sweep is through, or a second check failed as well: only then it can be told whether one cause
stands behind many of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from prbot.drift.flapping import names_of, steadied, steady
from prbot.drift.incidents import lost_to
from prbot.drift.issue import (
    CLEAN_CHECKS,
    DriftIssue,
    Kept,
    Kind,
    Move,
    News,
    follow,
    news,
)
from prbot.drift.sight import (
    Sight,
    TellIssue,
    body_of,
    closing,
    holds,
    of_repo,
    snoozed,
    waited_for,
)
from prbot.drift.state import AnswerKind, Correction, Standing
from prbot.drift.sweeping import after_the_sweep, before_its_end
from prbot.drift.tell import BASELINE, BaselineBody, Changed, Over
from prbot.drift.verdict import ProjectVerdict

PROVEN = "proven"
"""The outcome of a correction that a plan afterwards confirmed."""


def tell(sight: Sight) -> tuple[TellIssue, ...]:
    """In the order in which it is written; nothing while there is only the baseline."""
    if not (sight.settings.issues or not sight.settings.baseline):
        return ()
    late = after_the_sweep if sight.swept else before_its_end
    return (*_own(sight), *late(sight))


def baseline(sight: Sight) -> tuple[TellIssue, ...]:
    """The one report of the first complete sweep, where no issues are opened yet."""
    if sight.settings.issues or not sight.settings.baseline:
        return ()
    body = BaselineBody(sight.sections, sight.coverage)
    kept = Kept(open=True, facts=(), since=sight.now)
    return (TellIssue(sight.repo, BASELINE, of_repo(sight), kept, body, True),)


# --- the issue of the project that was checked -----------------------------------------------


def _own(sight: Sight) -> Iterator[TellIssue]:
    group = sight.group(sight.checked)
    for kind in Kind:
        issue, kept = sight.wanted.get((kind, group)), sight.known.get((kind, group))
        untold = kept is None or not kept.open
        if issue and untold and (_waits(sight, issue) or not _may_begin(sight, issue)):
            continue
        yield from _follow(sight, kind, group, issue, kept)


def _may_begin(sight: Sight, issue: DriftIssue) -> bool:
    """Whether it has an issue of its own now: there is room, and it stands alone."""
    if issue not in sight.placed[0]:
        return False
    earlier = sight.before.section
    again = earlier is not None and earlier.kind is Kind.FAILURE and not sight.is_joined(earlier)
    return issue.kind is Kind.DRIFT or sight.swept or again


def _waits(sight: Sight, issue: DriftIssue) -> bool:
    """Whether the end of the sweep is to show first if others drift for the same reason: at once,
    or still."""
    if sight.swept:
        return False
    if all(map(sight.is_joined, issue.sections)):
        return True
    earlier = sight.before.section
    again = earlier is not None and (earlier.kind is Kind.DRIFT or lost_to(earlier) is not None)
    return waited_for(sight, issue) and not again


def _follow(
    sight: Sight, kind: Kind, group: str, issue: DriftIssue | None, kept: Kept | None
) -> Iterator[TellIssue]:
    quiet = snoozed(sight, sight.checked)
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
    body = body_of(sight, sight.checked, issue, since)
    yield TellIssue(sight.repo, kind, group, after, body, is_open, comment)


def _gone(sight: Sight, kind: Kind, group: str, kept: Kept) -> Iterator[TellIssue]:
    """Nothing is left to tell: after two checks it is over, at once where it is proven or was
    accepted; and not while it comes and goes."""
    here = sight.checked
    proven = any(each.project == here.project and each.outcome == PROVEN for each in _late(sight))
    answers = sight.answers_to(here)
    accepted = any(holds(each, here, AnswerKind.ACCEPT, sight.now) for each in answers)
    if kept.open and sight.flapping(kind, group) and not (proven or accepted):
        body, began = closing(sight, kind, here, kept), sight.began(kind)
        said = Changed(News(), flapping=began) if began and not snoozed(sight, here) else None
        yield TellIssue(sight.repo, kind, group, replace(kept, clean=0), body, None, said)
        return
    move, after = follow(kept, None, proven or accepted)
    if after is None or after == kept:
        return
    after = replace(after, since=kept.since)
    if move is not Move.CLOSE:
        yield TellIssue(sight.repo, kind, group, after)
        return
    body = closing(sight, kind, here, kept)
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


def _concerned(kept: Kept, standing: Standing) -> bool:
    """Whether the issue told of this project: only its checks count as clean ones then."""
    return standing.key in kept.where
