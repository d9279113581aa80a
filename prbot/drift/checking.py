"""A check that has ended becomes one section: its verdict, and what stands behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from prbot.drift.causes import Cause, Unapplied, Upgrade
from prbot.drift.issue import Kind, Section
from prbot.drift.reading import Read
from prbot.drift.state import Standing
from prbot.drift.verdict import BLIND, Check, LastApplied, Outcome, ProjectVerdict, verdict
from prbot.model import ProjectKey, RepoRef, Sha
from prbot.runs.landings import Landing
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


# --- what it began with ----------------------------------------------------------------------


def caused(
    section: Section, before: Standing, drifted: frozenset[str], landings: Iterable[Landing]
) -> Section:
    """The section with its cause, as far as what is known can tell.

    `before` is how the project stood until now. `drifted` are the providers whose resources
    drifted, as in `Read`; `landings` those of the repository that are not settled, oldest first.
    """
    earlier = before.section
    known = section.providers
    if section.verdict in BLIND:  # what was known is known still
        known = () if earlier is None else earlier.providers
    told = replace(section, providers=known)
    return replace(told, cause=_cause(told, before, drifted, landings))


def _cause(
    section: Section, before: Standing, drifted: frozenset[str], landings: Iterable[Landing]
) -> Cause | None:
    earlier = before.section
    if section.verdict in BLIND:
        return None if earlier is None else earlier.cause
    if section.verdict is ProjectVerdict.BEHIND:
        return _unapplied(section, before, landings)
    return _upgrade(section, before, drifted) if section.kind is Kind.DRIFT else None


def _unapplied(section: Section, before: Standing, landings: Iterable[Landing]) -> Unapplied | None:
    """What was pushed stays the cause, whatever is merged on top of it. What was merged before
    the project was in sync is none, and nobody knows since when it waits that never was."""
    known = None if before.section is None else before.section.cause
    if isinstance(known, Unapplied) and known.pull is None:
        return known
    for landing in landings:
        mine = landing.project == section.project and landing.settled_by is None
        if mine and (before.applied is None or landing.at >= before.applied.at):
            return Unapplied(landing.commit, landing.pull.number)
    return None if before.applied is None else Unapplied(section.commit)


def _upgrade(section: Section, before: Standing, drifted: frozenset[str]) -> Upgrade | None:
    """Only where nothing else can be behind it: none of it drifted before, all of it is one
    provider's, and whole objects are there still."""
    earlier, known = before.section, before.trace.drifted
    if earlier is None:
        return None
    if any(one.name in known for one in section.acting):
        same = all(known.get(one.name) == one.digest for one in section.acting)
        return earlier.cause if same and isinstance(earlier.cause, Upgrade) else None
    if len(drifted) != 1 or any(one.attribute is None for one in section.acting):
        return None
    (provider,) = drifted
    version = dict(section.providers).get(provider)
    was = dict(earlier.providers).get(provider)
    if version is None or was is None or version == was:
        return None
    return Upgrade(provider, version, was)
