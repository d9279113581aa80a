"""What is kept between two checks of a project, as values.

The tables own the truth: a process that died leaves nothing behind that another would miss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from prbot.drift.issue import Kept, Section
from prbot.drift.schedule import Watched
from prbot.model import Login, ProjectKey, PullRef, RepoRef, RunId
from prbot.plans.record import Applied


@dataclass(frozen=True)
class Watch:
    """One repository whose projects are checked. `refreshed_at` is when they were last looked
    for; `skipped` says why none is checked (it is archived, …), else it is empty. Since
    `baseline_at` each of its projects was checked once."""

    repo: RepoRef
    branch: str = ""
    refreshed_at: datetime | None = None
    skipped: str = ""
    baseline_at: datetime | None = None


@dataclass(frozen=True)
class Trace:
    """What goes on from check to check. `told` is what other programs were told that drifts, by
    name, with a digest of its values. Of the last check that could see, `drifted` is the same of
    all that drifted, and `here` are the names without what is ignored; `changes` is when each of
    these came or went of late, and `flapping` which do it all the time.
    """

    told: Mapping[str, str] = field(default_factory=dict)
    drifted: Mapping[str, str] = field(default_factory=dict)
    here: frozenset[str] = frozenset()
    changes: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    flapping: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Standing:
    """What is known of one project.

    `number` is its own among all projects of the database. `due_at` is when it is looked at
    next. While somebody `held` it, in words, it is looked at `again_at`; `asked_at`: somebody
    wants it looked at at once. `run` is the check under way. `checked_at` is when the newest
    check ended, `succeeded_at` when the newest did that was no error; `section` is what the
    newest found. `applied` is what checks themselves proved to be applied. `known_at` is since
    when it is watched; since `overdue_at` other programs know that it was not looked at for too
    long. `gone_at`: it is no project any more since then, though a check of it may still end.
    """

    repo: RepoRef
    project: ProjectKey
    number: int = 0
    environment: str | None = None
    due_at: datetime | None = None
    again_at: datetime | None = None
    held: str = ""
    asked_at: datetime | None = None
    run: RunId | None = None
    checked_at: datetime | None = None
    succeeded_at: datetime | None = None
    section: Section | None = None
    applied: Applied | None = None
    known_at: datetime | None = None
    overdue_at: datetime | None = None
    gone_at: datetime | None = None
    trace: Trace = Trace()

    @property
    def key(self) -> str:
        """Its name among all projects: its moment of the night follows from it."""
        return f"{self.repo} {self.project}"

    def awaited(self, since: datetime) -> bool:
        """Whether it is not checked since then, or is looked at again, and nobody holds it."""
        late = self.checked_at is None or self.checked_at < since
        return not self.held and (late or self.asked_at is not None or self.run is not None)

    @property
    def watched(self) -> Watched:
        return Watched(self.key, self.checked_at, self.asked_at or self.again_at)


@dataclass(frozen=True)
class IssueOf:
    """One permanent issue: what it is about, and where it stands. `about` is the repository
    (and `group` the group in it, as `DriftIssue.group` names it), `place` the repository whose
    issue it is. `number` is known once the forge has answered."""

    about: RepoRef
    kind: str
    group: str
    place: RepoRef
    marker: str
    kept: Kept
    number: int | None = None


class AnswerKind(StrEnum):
    """ACCEPT: what was found is all right. SNOOZE: not now."""

    ACCEPT = "accept"
    SNOOZE = "snooze"


@dataclass(frozen=True)
class Answer:
    """What a person said to an issue's `facts` of one project; it holds until `until`."""

    repo: RepoRef
    project: ProjectKey
    kind: AnswerKind
    by: Login
    at: datetime
    until: datetime
    reason: str = ""
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Correction:
    """One try to put a project right. `how` is `auto`, `revert` or `adopt`; `by` is None for
    prbot itself. `pull` is the pull request that would do it, `run` the run that applies it.
    `outcome` is None while it is under way; `facts` is what was to be corrected."""

    id: str
    repo: RepoRef
    project: ProjectKey
    how: str
    at: datetime
    by: Login | None = None
    pull: PullRef | None = None
    run: RunId | None = None
    outcome: str | None = None
    facts: tuple[str, ...] = ()
