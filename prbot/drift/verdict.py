"""What one check of a project came to, out of one plan or two.

The plan of the default branch's head alone cannot tell drift from code that nobody applied.
Where the project's inputs there are not those last applied, the commit last applied is planned
too: what that plan would change is drift, and the rest of the head's plan is code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from prbot.runs.run import Trouble


class ProjectVerdict(StrEnum):
    """`behind`: merged code is not applied. `applied-unmerged`: what runs is a pull request's,
    applied and not merged. `mixed`: drift and unapplied code. `check-failed`: nothing drifted,
    and a `check` block fails. `error`: it could not be planned. `unknown`: nobody can tell."""

    IN_SYNC = "in-sync"
    DRIFTED = "drifted"
    BEHIND = "behind"
    APPLIED_UNMERGED = "applied-unmerged"
    MIXED = "mixed"
    CHECK_FAILED = "check-failed"
    ERROR = "error"
    UNKNOWN = "unknown"


BLIND = (ProjectVerdict.ERROR, ProjectVerdict.UNKNOWN, ProjectVerdict.APPLIED_UNMERGED)
"""From these nobody can tell whether anything drifted."""


class LastApplied(StrEnum):
    """What is known of the project's inputs that were last applied, beside the head's."""

    SAME = "same"
    DIFFERENT = "different"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Planned:
    """One plan, made without a lock. Equal plans have one `digest`. `changes`: it would do
    something. `drifted`: some of it takes back what others changed; `more`: some does not."""

    digest: str
    changes: bool
    drifted: bool = False
    more: bool = False
    failing_checks: int = 0


Outcome = Planned | Trouble | None
"""Trouble: it could not be planned. None: it was not."""


@dataclass(frozen=True)
class Check:
    """All that a verdict needs. `applied` is the plan of the commit that was last applied, made
    where that is DIFFERENT; `unmerged`: a pull request applied the project and is not merged."""

    head: Outcome
    last_applied: LastApplied
    applied: Outcome = None
    unmerged: bool = False


def verdict(check: Check) -> ProjectVerdict:
    """An error is never called in sync, and unapplied code never drift."""
    head = check.head
    if head is None:
        return ProjectVerdict.UNKNOWN
    if isinstance(head, Trouble):
        return ProjectVerdict.ERROR
    if not head.changes:
        return ProjectVerdict.CHECK_FAILED if head.failing_checks else ProjectVerdict.IN_SYNC
    if check.unmerged:
        return ProjectVerdict.APPLIED_UNMERGED
    match check.last_applied:
        case LastApplied.SAME:
            return ProjectVerdict.DRIFTED
        case LastApplied.NOTHING:
            return _by_one_plan(head)
        case LastApplied.DIFFERENT:
            return _by_two_plans(head, check.applied)


def _by_one_plan(head: Planned) -> ProjectVerdict:
    """By what the plan itself tells of changes that others made since the state was written."""
    if head.drifted:
        return ProjectVerdict.MIXED if head.more else ProjectVerdict.DRIFTED
    return ProjectVerdict.BEHIND


def _by_two_plans(head: Planned, applied: Outcome) -> ProjectVerdict:
    if applied is None:
        return ProjectVerdict.UNKNOWN
    if isinstance(applied, Trouble):
        return ProjectVerdict.ERROR
    if not applied.changes:
        return ProjectVerdict.BEHIND
    return ProjectVerdict.DRIFTED if applied.digest == head.digest else ProjectVerdict.MIXED
