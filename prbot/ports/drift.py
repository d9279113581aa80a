"""What prbot asks of the place where checks for drift and their corrections are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from prbot.drift.issue import Section
from prbot.drift.schedule import Reach
from prbot.drift.state import Answer, Correction, IssueOf, Standing, Trace, Watch
from prbot.drift.tally import Tally
from prbot.model import (
    ProjectKey,
    PullRef,
    RepoRef,
    RunId,
)
from prbot.plans.record import Applied
from prbot.runs.journal import JournalEntry as JournalEntry


class DriftChecks(Protocol):
    """Which projects are checked every night, and what the newest check of each found."""

    async def hold(self, now: datetime, silence: timedelta) -> datetime:
        """Since when somebody has watched without a break; one is longer than `silence`.

        Keeps others from holding it until the transaction ends.
        """
        ...

    async def seen_at(self) -> datetime | None:
        """When somebody watched last; None: never."""
        ...

    async def watches(self) -> tuple[Watch, ...]:
        """All repositories that were ever watched."""
        ...

    async def watch(self, watch: Watch) -> None:
        """Note it as it is now."""
        ...

    async def found(
        self, repo: RepoRef, projects: Mapping[ProjectKey, str | None], now: datetime
    ) -> tuple[Standing, ...]:
        """The repository's projects, each with its environment; those that are no more since
        now. What is known of these comes back with them, their trace aside."""
        ...

    async def of_repo(self, repo: RepoRef) -> tuple[Standing, ...]:
        """Its projects, in their order; those that are no more are not among them."""
        ...

    async def not_in_sync(self, repo: RepoRef, project: ProjectKey) -> tuple[Standing, ...]:
        """Of these the project, and those that were not in sync when they were last checked."""
        ...

    async def turns(self, repo: RepoRef) -> tuple[Standing, ...]:
        """All of these, without what was found or is known to be applied: when each is looked at,
        which is asked often, is not worth reading that."""
        ...

    async def reach(self, repo: RepoRef, since: datetime) -> Reach:
        """How far the checks of its projects came since then."""
        ...

    async def get(self, repo: RepoRef, project: ProjectKey) -> Standing | None: ...

    async def plan(self, standing: Standing) -> None:
        """Keep when it is looked at next: `due_at`, `again_at`, `held` and `asked_at`."""
        ...

    async def begin(self, standing: Standing, run: RunId) -> bool:
        """Its check is this run, and what wanted one is done; False when one is under way."""
        ...

    async def end(
        self, run: RunId, section: Section | None, at: datetime, applied: Applied | None
    ) -> Standing | None:
        """The run's check has ended; how the project stood before, None when the check is no
        longer this run's. `section` None: nothing was looked at. `applied`: what it proved."""
        ...

    async def trace(self, standing: Standing, trace: Trace) -> None:
        """Keep what goes on to the next check."""
        ...

    async def silent(self, since: datetime) -> tuple[Standing, ...]:
        """Of all repositories those without a success since then, or since they are known, of
        which nobody was told that they are overdue."""
        ...

    async def overdue(self, standing: Standing, at: datetime) -> bool:
        """Note that it is told; False when it was before. A success takes it back."""
        ...

    async def under_way(self) -> tuple[Standing, ...]:
        """Of all repositories, those with a check."""
        ...

    async def next_due(self) -> datetime | None:
        """The earliest `due_at` of what no check is under way of."""
        ...


class DriftIssues(Protocol):
    """The permanent issues about drift, and what people answered to them."""

    async def about(self, repo: RepoRef) -> tuple[IssueOf, ...]:
        """Those that tell of the repository, wherever they stand, the oldest first."""
        ...

    async def at(self, place: RepoRef, number: int) -> IssueOf | None:
        """The one with this number in this repository; None when it is none of ours."""
        ...

    async def keep(self, issue: IssueOf) -> None:
        """Note it as it is now. Its `number` is not written: the postman notes it."""
        ...

    async def is_heard(self, place: RepoRef, comment_id: int) -> bool:
        """Whether this comment is answered."""
        ...

    async def hear(self, place: RepoRef, comment_id: int) -> bool:
        """Note that this comment is answered; False when it was before."""
        ...

    async def answer(self, answer: Answer) -> None: ...

    async def answers(self, repo: RepoRef, now: datetime) -> tuple[Answer, ...]:
        """Those that hold now, the oldest first."""
        ...


class Corrections(Protocol):
    """Tries to put drift right."""

    async def add(self, correction: Correction) -> None:
        """Note it as it is now; one with its id is replaced."""
        ...

    async def since(self, repo: RepoRef, moment: datetime) -> tuple[Correction, ...]:
        """Those made since then or still under way, the oldest first."""
        ...

    async def proposed(self, repo: RepoRef) -> tuple[Correction, ...]:
        """Those that are a pull request of which it is not known yet what became of it, the
        oldest first."""
        ...

    async def proposing(self, pull: PullRef) -> tuple[Correction, ...]:
        """Those that are this pull request, and those that may become it: of its repository,
        asked for by somebody, without a pull request and without a run; the oldest first."""
        ...

    async def of_project(self, repo: RepoRef, project: ProjectKey) -> tuple[Correction, ...]:
        """All that are known, the oldest first."""
        ...

    async def waiting(self) -> tuple[Correction, ...]:
        """Of all repositories, those to be applied of which no run was begun, the oldest first."""
        ...


class DriftTally(Protocol):
    """How all that is watched stands, in numbers."""

    async def taken(self, since: datetime) -> Tally:
        """`since`: what was checked later counts as checked lately."""
        ...
