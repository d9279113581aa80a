"""What is told of drift, as data; the chapter `comments` finds the words.

`IssueBody`, `IncidentBody`, `OverflowBody` and `BaselineBody` are whole issues, edited in place;
the others are short comments below one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from prbot.drift.flapping import Flap
from prbot.drift.incidents import Incident
from prbot.drift.issue import DriftIssue, News, Section
from prbot.model import Login, PlanId


@dataclass(frozen=True)
class Acceptance:
    """Somebody takes what is live as it is: nothing is told of it until that day has ended."""

    reason: str
    until: date
    by: Login


@dataclass(frozen=True)
class IssueBody:
    """One issue, of drift or of checks that fail. `since` is when it was first told, `coverage`
    how many projects were looked at. `snoozed` until then nobody hears of changes. `flapping` is
    what comes and goes."""

    issue: DriftIssue
    since: datetime
    coverage: str = ""
    snoozed: datetime | None = None
    accepted: Acceptance | None = None
    flapping: tuple[Flap, ...] = ()


@dataclass(frozen=True)
class IncidentBody:
    """Projects that have one cause in common: one issue."""

    incident: Incident
    since: datetime
    coverage: str = ""


@dataclass(frozen=True)
class OverflowBody:
    """What has no issue of its own, because `most` have one."""

    issues: tuple[DriftIssue, ...]
    most: int
    coverage: str = ""


@dataclass(frozen=True)
class BaselineBody:
    """The first complete sweep: how everything stands before issues are opened."""

    sections: tuple[Section, ...]
    coverage: str = ""


@dataclass(frozen=True)
class EndedBody:
    """What is left of an issue that has nothing to tell for good, of this kind and group."""

    kind: str
    group: str


@dataclass(frozen=True)
class Changed:
    """The issue tells something else than before. `again`: it was closed. `flapping` is what
    comes and goes since now."""

    news: News
    again: bool = False
    flapping: tuple[Flap, ...] = ()


@dataclass(frozen=True)
class Over:
    """Nothing is left to tell. `verified`: an apply was proven by a plan, else checks found
    nothing, so many in a row."""

    verified: bool
    checks: int = 0


@dataclass(frozen=True)
class Joined:
    """It is told with others that have the same cause."""


@dataclass(frozen=True)
class Reply:
    """What came of a command; `said` is a sentence of ours."""

    command: str
    actor: Login
    said: str


@dataclass(frozen=True)
class Withdrawn:
    """A pull request of ours is closed: `why` is a `drift.withdrawing.Fate`."""

    why: str


@dataclass(frozen=True)
class Unproven:
    """A pull request that adopts, whose own plan would still change these names."""

    plan: PlanId
    names: tuple[str, ...]


IssueText = IssueBody | IncidentBody | OverflowBody | BaselineBody | EndedBody
DriftMessage = IssueText | Changed | Over | Joined | Reply | Withdrawn | Unproven
BASELINE, OVERFLOW = "baseline", "overflow"
"""Kinds of issues beside those of `drift.issue.Kind` and `drift.incidents.Alike`."""
