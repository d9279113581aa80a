"""What follows from a check that has ended, as steps; the engine performs them with it.

The check's result, and all that follows from it, are kept in one transaction: a process that
dies leaves both or neither, and nobody is told of anything twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from prbot.config.drift import DriftSettings
from prbot.drift.issue import Section
from prbot.drift.state import Answer, Correction, IssueOf, Standing, Watch
from prbot.drift.telling import Sight, TellIssue, baseline, tell


@dataclass(frozen=True)
class Ended:
    """A check that has just ended: what it found, and how the project stood before it."""

    section: Section
    before: Standing


@dataclass(frozen=True)
class Known:
    """All else that is known of the repository at that moment.

    `standings` are those of all its projects, the one just checked as it is now. `issues` tell
    of the repository, `answers` hold now, and `corrections` were made within a day or are under
    way. `settings` are the default branch's.
    """

    watch: Watch
    settings: DriftSettings
    standings: tuple[Standing, ...]
    now: datetime
    issues: tuple[IssueOf, ...] = ()
    answers: tuple[Answer, ...] = ()
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True)
class CompleteBaseline:
    """Every project was checked once: from here on there is something to compare with."""


DriftStep = CompleteBaseline | TellIssue


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
    )
    if _is_complete(known):
        return (CompleteBaseline(), *baseline(sight), *tell(sight))
    return tell(sight)


def _is_complete(known: Known) -> bool:
    return known.watch.baseline_at is None and all(
        standing.checked_at is not None for standing in known.standings
    )
