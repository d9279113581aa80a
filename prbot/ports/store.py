"""What prbot asks of its database: units of work, and what is kept in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from prbot.model import (
    Checkout,
    JobId,
    Login,
    Notice,
    PlanId,
    ProjectKey,
    PullRef,
    RepoRef,
    RunId,
)
from prbot.plans.record import StoredPlan
from prbot.ports.deliveries import Deliveries
from prbot.ports.drift import Corrections, DriftChecks, DriftIssues, DriftTally
from prbot.ports.outbox import Outbox
from prbot.projects.gone import Gone
from prbot.runs.freezes import Freeze, FreezeId
from prbot.runs.journal import JournalEntry as JournalEntry
from prbot.runs.journal import JournalPage, JournalQuery
from prbot.runs.landings import Landing
from prbot.runs.locks import Lock
from prbot.runs.run import Job, JobState, Placed, Run, RunState, Trouble


class Artifacts(Protocol):
    """Plan files and their JSON, encrypted at rest.

    Raises WrongInstallationKey; in S3 also BucketMissing, BucketRefused and
    BucketUnavailable, or PackageMissing where boto3 is not installed.
    """

    async def put(self, name: str, data: bytes) -> None: ...
    async def get(self, name: str) -> bytes | None: ...
    async def drop(self, names: Sequence[str]) -> None: ...


@dataclass(frozen=True)
class Held:
    """A job in this worker's hand, and whether somebody asked to stop it."""

    job_id: JobId
    stop_asked: bool


class Runs(Protocol):
    """Moments of leases are the callers' clocks: machines that share a database must
    agree on the time within a fraction of the lease."""

    async def add(self, run: Run) -> None: ...
    async def get(self, run_id: RunId) -> Run:
        """With its jobs. KeyError when there is none."""
        ...

    async def unfinished(self) -> tuple[RunId, ...]: ...
    async def of_pull(self, pull: PullRef) -> tuple[Run, ...]:
        """Newest first."""
        ...

    async def of_repo_unfinished(self, repo: RepoRef) -> tuple[Run, ...]:
        """Oldest first."""
        ...

    async def act_on(self, run: Run) -> Run:
        """The right to act on the run as it was read, for one transaction; returns it
        with its next version.

        LostLease when anybody acted on it since, or it is finished.
        """
        ...

    async def lay_out(
        self,
        run_id: RunId,
        checkout: Checkout,
        projects: tuple[ProjectKey, ...] | None,
        placed: tuple[Placed, ...] = (),
        notices: tuple[Notice, ...] = (),
        gone: tuple[Gone, ...] = (),
    ) -> None:
        """`projects` are None while hooks may still add some."""
        ...

    async def move(
        self, run_id: RunId, old: RunState, new: RunState, trouble: Trouble | None = None
    ) -> None:
        """Raises IllegalTransition, or LostLease when the run is not in `old` any more."""
        ...

    async def add_job(self, job: Job) -> None: ...
    async def get_job(self, job_id: JobId) -> Job: ...
    async def waiting_jobs(self) -> tuple[Job, ...]:
        """All QUEUED jobs, oldest first."""
        ...

    async def running_jobs(self) -> tuple[Job, ...]: ...
    async def start_job(self, job_id: JobId, worker: str, until: datetime) -> Job | None:
        """QUEUED -> RUNNING with the next fence, leased to `worker` until then; None when
        it is not QUEUED. `worker` names one process, and no two that ever live."""
        ...

    async def renew(self, worker: str, until: datetime) -> tuple[Held, ...]:
        """Lengthen the leases of all RUNNING jobs of this worker. A job that it believes
        to hold and that is not among them was given to somebody else."""
        ...

    async def ask_to_stop(self, job_id: JobId) -> None:
        """Its worker hears of it when it renews. Nothing happens unless it is RUNNING: a
        QUEUED job is moved to DROPPED instead."""
        ...

    async def expired(self, now: datetime) -> tuple[Job, ...]:
        """RUNNING jobs whose lease ran out, or that never had one, oldest first.

        They are the caller's until its transaction ends: no worker renews them meanwhile.
        """
        ...

    async def move_job(self, job: Job, new: JobState, result: Job | None = None) -> Job:
        """Move and store `result`'s plan_id, trouble and differences.

        Conditional on `job`'s state and fence: LostLease when another worker took over.
        IllegalTransition when an apply that may have begun would be QUEUED, DROPPED or STALE.
        """
        ...


class Plans(Protocol):
    async def add(self, plan: StoredPlan) -> None:
        """Raises PlanIdTaken when the id was ever given; the transaction may go on with
        another one."""
        ...

    async def get(self, plan_id: PlanId) -> StoredPlan | None:
        """None when there is none, or it was dropped."""
        ...

    async def of_pull(self, pull: PullRef) -> tuple[StoredPlan, ...]:
        """Newest first; plans that were dropped are not among them."""
        ...

    async def last_applied(self, repo: RepoRef, project: ProjectKey) -> StoredPlan | None:
        """What was applied last of the project, in whichever pull request."""
        ...

    async def newest_json(self, pull: PullRef) -> tuple[str, ...]:
        """The name of the newest plan's JSON of each project; none of dropped plans."""
        ...

    async def holders(self, repo: RepoRef, projects: Collection[ProjectKey]) -> tuple[PullRef, ...]:
        """The pull requests with plans of these projects that were neither dropped nor begun
        to be applied, oldest first."""
        ...

    async def drop_of_pull(self, pull: PullRef) -> tuple[str, ...]:
        """Forget plans whose apply never began; returns the names of their artifacts.

        One that ended `stale` counts as never begun: nothing was changed.
        """
        ...

    async def older_than(self, moment: datetime) -> tuple[StoredPlan, ...]:
        """Made before `moment`, and `expire` would mark them; oldest first."""
        ...

    async def first_since(self, moment: datetime) -> datetime | None:
        """When the earliest plan was made that was made at `moment` or later, and that
        `expire` would mark; None when there is none."""
        ...

    async def expire(self, plan_ids: Sequence[PlanId], at: datetime) -> tuple[str, ...]:
        """Mark those whose apply never began as too old, once; returns the names of their
        plan files, which nobody applies any more. Their JSON is still compared with."""
        ...

    async def drop(self, plan_ids: Sequence[PlanId]) -> tuple[str, ...]:
        """As `drop_of_pull`, for plans named one by one."""
        ...

    async def intend(self, plan_id: PlanId, job: Job, at: datetime) -> bool:
        """Record that an apply is about to start.

        False when one was recorded for this plan before, when the job has another one
        unsettled, or when the plan was dropped. LostLease when the job (RUNNING, of kind
        APPLY, else IllegalTransition) is no longer in `job`'s state and fence.
        """
        ...

    async def intended(self, job: Job) -> PlanId | None:
        """The plan this job recorded an intent for and has not settled."""
        ...

    async def settle(self, plan_id: PlanId, outcome: str, applied_at: datetime | None) -> None:
        """Close the intent: `applied`, `failed`, `stale` or `interrupted`.

        LostLease when it was settled before or never recorded.
        """
        ...


class Locks(Protocol):
    async def of_repo(self, repo: RepoRef) -> tuple[Lock, ...]: ...
    async def take(self, lock: Lock) -> Lock:
        """Take it, or return the lock that is held already (perhaps our own)."""
        ...

    async def free(self, pull: PullRef, projects: Sequence[ProjectKey]) -> None:
        """Free those of `projects` that exactly this pull request holds."""
        ...


class Freezes(Protocol):
    """Each freeze, and each lifting, is a line of the journal by itself."""

    async def add(self, freeze: Freeze) -> None: ...
    async def lift(self, freeze_id: FreezeId, by: Login, at: datetime) -> Freeze:
        """The freeze as it is now; one that was lifted before stays as it was.

        Raises NoSuchFreeze.
        """
        ...

    async def in_force(self, now: datetime) -> tuple[Freeze, ...]:
        """Whatever they stop, oldest first. What is intended in this transaction is intended
        before any freeze that this did not see."""
        ...

    async def all(self) -> tuple[Freeze, ...]:
        """Those that ended or were lifted too, oldest first."""
        ...


class Landings(Protocol):
    """What merged pull requests have left to apply, and what became of it."""

    async def of(self, pull: PullRef) -> tuple[Landing, ...]:
        """Of the repository: all that are not settled, the last settled of each project, and
        all of this pull request's; oldest first."""
        ...

    async def add(self, landing: Landing) -> None:
        """One that stands there already (pull request, project, commit) stays as it is."""
        ...

    async def settle(self, landing: Landing, by: PullRef, at: datetime) -> None:
        """One that is settled already stays as it is."""
        ...


class Journal(Protocol):
    async def write(self, entry: JournalEntry) -> None: ...
    async def of_pull(self, pull: PullRef) -> tuple[JournalEntry, ...]:
        """Oldest first."""
        ...

    async def page(self, query: JournalQuery, after: int = 0, limit: int = 500) -> JournalPage:
        """Lines behind number `after`, oldest first, at most `limit` of them."""
        ...


@dataclass(frozen=True)
class Seen:
    """When this database first met a repository, and since when it knows all of it."""

    seen_at: datetime
    reconciled_at: datetime | None


class Repositories(Protocol):
    async def hold(self, repo: RepoRef, now: datetime) -> Seen:
        """Note the repository if it is new, and keep others from holding it until the
        transaction ends."""
        ...

    async def claim(
        self, repo: RepoRef, now: datetime, until: datetime, unless_since: datetime
    ) -> Seen | None:
        """The right to reconcile the repository until then.

        None when somebody else has it, or it was reconciled after `unless_since`.
        """
        ...

    async def reconciled(self, repo: RepoRef, at: datetime) -> None:
        """All that had happened by `at` is known; the right is given back."""
        ...


class UnitOfWork(Protocol):
    """All tables inside one transaction."""

    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def plans(self) -> Plans: ...
    @property
    def locks(self) -> Locks: ...
    @property
    def freezes(self) -> Freezes: ...
    @property
    def landings(self) -> Landings: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def repositories(self) -> Repositories: ...
    @property
    def drift(self) -> DriftChecks: ...
    @property
    def drift_issues(self) -> DriftIssues: ...
    @property
    def corrections(self) -> Corrections: ...
    @property
    def drift_tally(self) -> DriftTally: ...


class Store(Protocol):
    """The tables own the truth."""

    async def probe(self) -> str: ...
    async def migrate(self) -> None: ...
    async def installation(self, fingerprint: str, lost: str | None = None) -> str:
        """The fingerprint of the installation key this database belongs to: this one if it
        belonged to none, or to exactly the `lost` one."""
        ...

    def begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Commits at the end of the block, rolls back when it raises."""
        ...

    async def close(self) -> None: ...
