"""A check that has ended becomes one section: its verdict, and what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from prbot.drift.issue import Section
from prbot.drift.reading import Read
from prbot.drift.verdict import Check, LastApplied, Outcome, ProjectVerdict, verdict
from prbot.model import ProjectKey, RepoRef, Sha
from prbot.runs.run import Trouble

Reading = Read | Trouble | None
"""Trouble: it could not be planned. None: it was not, or nothing can be told from it."""
CLEAN = (ProjectVerdict.IN_SYNC, ProjectVerdict.CHECK_FAILED)
"""What runs is exactly what was planned."""


@dataclass(frozen=True)
class Subject:
    """What was looked at, and when."""

    repo: RepoRef
    project: ProjectKey
    commit: Sha
    at: datetime
    environment: str | None


def section_of(
    subject: Subject, head: Reading, last: LastApplied, applied: Reading, unmerged: bool
) -> Section:
    """`applied` is the plan of the commit that was last applied, where that is DIFFERENT."""
    check = Check(_outcome(head), last, _outcome(applied), unmerged)
    found = verdict(check)
    looked = applied if last is LastApplied.DIFFERENT else head
    return Section(
        repo=subject.repo,
        project=subject.project,
        verdict=found,
        commit=subject.commit,
        checked_at=subject.at,
        environment=subject.environment,
        found=looked.found if isinstance(looked, Read) and found in _TELLING else (),
        trouble=next((each for each in (head, applied) if isinstance(each, Trouble)), None),
    )


_TELLING = (ProjectVerdict.DRIFTED, ProjectVerdict.MIXED)


def _outcome(reading: Reading) -> Outcome:
    return reading.planned if isinstance(reading, Read) else reading
