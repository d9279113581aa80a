"""What follows from a check that has ended, as steps; the engine performs them with it.

The check's result, and all that follows from it, are kept in one transaction: a process that
dies leaves both or neither, and nobody is told of anything twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from prbot.config.drift import DriftSettings
from prbot.drift.issue import Section, facts_of
from prbot.drift.schedule import Reach
from prbot.drift.sight import Sight, TellIssue
from prbot.drift.state import Answer, AnswerKind, Correction, IssueOf, Standing, Watch
from prbot.drift.telling import baseline, tell
from prbot.drift.trying import under_way
from prbot.runs.reasons import Reasons


@dataclass(frozen=True)
class Ended:
    """A check that has just ended: what it found, and how the project stood before it.

    `by_rule` is what stands against a correction that a rule asks for, None where none does.
    `corrected`: it was itself a correction, after which none begins before the next check.
    """

    section: Section
    before: Standing
    by_rule: Reasons | None = None
    corrected: bool = False


@dataclass(frozen=True)
class Known:
    """All else that is known of the repository at that moment.

    `standings` are those of all its projects, the one just checked as it is now; where `reach`
    is counted, those alone that are not in sync, and the one just checked. `issues` tell of the
    repository, `answers` hold now, and `corrections` were made within a day or are under way.
    `settings` are the default branch's.
    """

    watch: Watch
    settings: DriftSettings
    standings: tuple[Standing, ...]
    now: datetime
    issues: tuple[IssueOf, ...] = ()
    answers: tuple[Answer, ...] = ()
    corrections: tuple[Correction, ...] = ()
    reach: Reach | None = None


@dataclass(frozen=True)
class CompleteBaseline:
    """Every project was checked once: from here on there is something to compare with."""


@dataclass(frozen=True)
class CorrectByRule:
    """Apply what puts back these facts of the project just checked."""

    facts: tuple[str, ...]


DriftStep = CompleteBaseline | TellIssue | CorrectByRule


def after_check(ended: Ended, known: Known) -> tuple[DriftStep, ...]:
    """In the order in which they are to be performed."""
    checked = [each for each in known.standings if each.project == ended.section.project]
    if not checked:  # it is no project any more
        return ()
    sight = Sight(
        checked=checked[0],
        before=ended.before,
        settings=known.settings,
        standings=known.standings,
        now=known.now,
        issues=known.issues,
        answers=known.answers,
        corrections=known.corrections,
        reach=known.reach,
    )
    if _is_complete(known):
        return (CompleteBaseline(), *baseline(sight), *tell(sight))
    return (*tell(sight), *_by_rule(ended, known))


def _by_rule(ended: Ended, known: Known) -> tuple[CorrectByRule, ...]:
    """Only where drift is told in issues, for what comes of it is told there; nothing that
    people put off; and nothing beside what is under way."""
    project, settings = ended.section.project, known.settings
    told = settings.issues or not settings.baseline
    put_off = any(
        each.project == project and each.kind is AnswerKind.SNOOZE for each in known.answers
    )
    going = any(each.project == project and under_way(each) for each in known.corrections)
    if ended.by_rule != () or ended.corrected or not told or put_off or going:
        return ()
    return (CorrectByRule(tuple(facts_of(ended.section))),)


def _is_complete(known: Known) -> bool:
    if known.reach is not None:
        return known.watch.baseline_at is None and not known.reach.never
    return known.watch.baseline_at is None and all(
        standing.checked_at is not None for standing in known.standings
    )
