"""What prbot asks of the world, each port narrow enough to be met by another adapter.

Adapters live in `prbot/adapters/`, one behaviour suite per port in `tests/contract/`.
Every method may raise the `PrbotError`s named in its docstring and nothing else that a
caller should handle. `docs/forge-port.md` names the wire call behind each forge method.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from prbot.drift.issue import Section
from prbot.drift.state import Answer, Correction, IssueOf, Standing, Trace, Watch
from prbot.drift.tally import Tally
from prbot.model import (
    Checkout,
    Commented,
    DeliveryId,
    IssueCommented,
    JobId,
    Login,
    Notice,
    Permission,
    PlanId,
    ProjectKey,
    PullRef,
    PullRequest,
    QueueMoved,
    RepoRef,
    Review,
    RunId,
    Sha,
)
from prbot.plans.record import Applied, StateAt, StoredPlan
from prbot.projects.facts import FileFacts
from prbot.projects.gone import Gone
from prbot.projects.listing import Listing
from prbot.projects.tool_choice import Wanted
from prbot.runs.checks import Annotation, Button
from prbot.runs.freezes import Freeze, FreezeId
from prbot.runs.journal import JournalEntry as JournalEntry
from prbot.runs.journal import JournalPage, JournalQuery
from prbot.runs.landings import Around, Landing
from prbot.runs.locks import Lock
from prbot.runs.run import Job, JobState, Placed, Run, RunState, Trouble
from prbot.runs.state_look import StateLock, StateLook


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, always in UTC and aware of it."""
        ...


# --- the forge ------------------------------------------------------------------------------


@dataclass(frozen=True)
class CloneAccess:
    """How git may fetch: a URL without credentials, and the header that carries them."""

    url: str
    header: str | None = field(default=None, repr=False)


class ForgeReader(Protocol):
    """Gathers. Raises NotFound, ForgeRefused or ForgeUnavailable."""

    async def probe(self) -> str:
        """One line for `doctor`: who we are there. Raises when it does not work."""
        ...

    async def bot_login(self) -> Login:
        """The account that writes our comments."""
        ...

    async def pull_request(self, pull: PullRef) -> PullRequest: ...

    async def permission(self, repo: RepoRef, login: Login) -> Permission:
        """NONE also for an account that is no collaborator of a public repository."""
        ...

    async def reviews(self, pull: PullRef) -> tuple[Review, ...]:
        """The latest deciding review of each person (comments aside), oldest first."""
        ...

    async def clone_access(self, repo: RepoRef) -> CloneAccess: ...

    # What an apply may have to ask beside.

    async def team_members(self, repo: RepoRef, team: str) -> frozenset[str]:
        """The logins, in lower case, of a team such as `@acme/sre` and of its child teams.

        NotFound or ForgeRefused also when there is one, and we may not see it.
        """
        ...

    async def committers(self, pull: PullRef) -> frozenset[str] | None:
        """Whose accounts, in lower case, the commits' authors and committers are, as far as
        the forge knows them; None when it does not list all the commits."""
        ...

    async def failing_checks(self, pull: PullRequest, own: Collection[str]) -> tuple[str, ...]:
        """The checks that the base branch requires and that are not green at the head, those
        named in `own` aside, in order."""
        ...

    async def issue_is_open(self, repo: RepoRef, number: int, marker: str) -> bool | None:
        """Whether the issue is open; None when it is gone, or not ours with this `marker`."""
        ...

    # What the reconciler asks every few minutes; what did not change costs little.

    async def repositories(self) -> tuple[RepoRef, ...]:
        """Those we were given access to, archived ones aside."""
        ...

    async def open_pulls(self, repo: RepoRef) -> tuple[PullRequest, ...]:
        """Without `mergeable`, which lists do not tell."""
        ...

    async def recently_closed_pulls(
        self, repo: RepoRef, since: datetime
    ) -> tuple[PullRequest, ...]:
        """Closed or merged since then; without `merged_by`, which lists do not tell."""
        ...

    async def comments_since(
        self, repo: RepoRef, since: datetime
    ) -> tuple[Commented | IssueCommented, ...]:
        """Comments on pull requests and issues made since then and never edited, oldest first.

        The same `since` again is answered more cheaply than a new one.
        """
        ...

    async def merge_queue(self, repo: RepoRef) -> tuple[QueueMoved, ...]:
        """The commits that a merge queue, or merge trains, try just now, in order; none where
        there is no such thing, or we may not see it."""
        ...


class StatusState(StrEnum):
    """NEUTRAL is only shown by `show_check`."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class CheckReport:
    """What a check tells beside its line: a summary and a longer text (Markdown, each of at
    most 65,535 characters), notes at lines of the code, and buttons. `mark` (letters and
    digits, or nothing) comes back when a button is pressed."""

    summary: str
    notes: tuple[Annotation, ...] = ()
    buttons: tuple[Button, ...] = ()
    mark: str = ""
    text: str = ""


class ForgeWriter(Protocol):
    """Writes; only the outbox calls it. Raises as ForgeReader does.

    Each call is idempotent: the outbox repeats a call whose answer it never saw.
    """

    async def upsert_comment(
        self, pull: PullRef, marker: str, body: str, known_id: int | None
    ) -> int:
        """Write `body`, which holds `marker`, and return the comment's id.

        Edits comment `known_id`, else our own comment that holds `marker` (matched by
        author too), else creates one.
        """
        ...

    async def upsert_issue(
        self,
        repo: RepoRef,
        marker: str,
        title: str,
        body: str,
        labels: Sequence[str],
        is_open: bool | None,
        known: int | None,
    ) -> int | None:
        """Write the issue whose `body` holds `marker`, opened or closed, and return its number.

        Edits issue `known`, else our own issue that holds `marker` (both matched by author
        and marker), else creates one; none is created only to be closed. `is_open` None: one
        that is there stays open or closed, as people left it. `labels` are added to what stands
        there. `title` has at most 256 characters.
        """
        ...

    async def upsert_pull(
        self, repo: RepoRef, branch: str, base: str, title: str, body: str
    ) -> int:
        """Open a pull request of our own from a branch of the repository, and return its number.

        One of ours that is open from there is edited. Raises ForgeRefused where somebody else's
        is, or the branch has nothing that `base` lacks. `title` has at most 250 characters.
        """
        ...

    async def close_pull(self, pull: PullRef) -> None:
        """Close a pull request that is open, without merging it."""
        ...

    async def comment_on_issue(self, repo: RepoRef, number: int, marker: str, body: str) -> None:
        """Comment on an issue, unless a comment of ours with this `marker` stands there."""
        ...

    async def minimise(self, pull: PullRef, comment_id: int) -> None:
        """Fold our own comment as outdated. One that is gone, or somebody else's, is left.

        Only tidies up: a forge that does not know how refuses.
        """
        ...

    async def set_status(
        self,
        repo: RepoRef,
        sha: Sha,
        context: str,
        state: StatusState,
        description: str,
        report: CheckReport | None = None,
    ) -> None:
        """`description` is cut to what the forge takes (GitHub: 140 characters).

        `report` is shown where the forge has checks (GitHub: with an App), else left out.
        """
        ...

    async def show_check(
        self,
        repo: RepoRef,
        sha: Sha,
        name: str,
        state: StatusState,
        line: str,
        report: CheckReport | None = None,
    ) -> None:
        """A check that nothing depends on, beside those that `set_status` sets.

        NEUTRAL takes one back that stands there, and makes none. Nothing is shown, and
        nothing refused, where the forge has no checks or lets us write none.
        """
        ...

    async def merge(
        self, pull: PullRef, sha: Sha, method: str, *, delete_branch: bool = False
    ) -> bool:
        """Merge it if `sha` is its head (`merge`, `squash` or `rebase`). One that was merged
        already is left. False where the forge does so itself later, when a pipeline has ended
        or in a merge train, and deletes the branch then if it shall. Raises NotMergeable with
        the forge's reason."""
        ...

    async def delete_branch(self, pull: PullRef, branch: str, sha: Sha) -> None:
        """Delete a branch of the pull request's repository that still stands at this commit;
        one that is gone, or went on, is left."""
        ...

    async def react(self, pull: PullRef, comment_id: int) -> None:
        """Show that the comment was read (GitHub: eyes). A deleted comment is no error."""
        ...


class Receiver(Protocol):
    """Another program that wants to hear of drift; only the outbox calls it."""

    async def deliver(self, delivery: str, text: str) -> None:
        """Send it once. Raises ReceiverUnavailable, or ReceiverRefused where there is little
        hope."""
        ...


# --- the tree -------------------------------------------------------------------------------


class Tree(Protocol):
    """Files of one repository's commits, read from the mirror without a checkout.

    Raises GitFailed, also for a commit the mirror does not have.
    """

    async def read(self, repo: RepoRef, commit: Sha, path: str) -> bytes | None:
        """The file's bytes, or None when the commit has no such file."""
        ...

    async def object_ids(
        self, repo: RepoRef, commit: Sha, paths: Sequence[str]
    ) -> Mapping[str, str]:
        """The blob or tree id of each path the commit has; `.` is the root tree."""
        ...

    async def listing(self, repo: RepoRef, commit: Sha) -> Listing:
        """All files with their blob ids, and the symbolic links with their targets."""
        ...

    async def blobs(
        self, repo: RepoRef, ids: Sequence[str], limit: int
    ) -> Mapping[str, bytes | None]:
        """What is in these blobs; None for one that is larger than `limit` bytes."""
        ...


class Blobs(Protocol):
    """The contents of files by blob id, wherever they come from."""

    async def __call__(self, ids: Sequence[str], limit: int) -> Mapping[str, bytes | None]:
        """As `Tree.blobs`, of one repository."""
        ...


class Facts(Protocol):
    """What configuration files say, read once for each content."""

    async def facts(self, listing: Listing, blobs: Blobs) -> Mapping[str, FileFacts]:
        """By path, of each configuration file of a commit. One that cannot be read says so."""
        ...


@dataclass(frozen=True)
class BranchCommit:
    """One commit on top of `parent`, alone on its branch. `files` are whole, by path; none: a
    commit that changes nothing. `at` is when it was decided, so that it is the same again."""

    branch: str
    parent: Sha
    message: str
    at: datetime
    files: Mapping[str, bytes] = field(default_factory=dict)


class Branches(Protocol):
    """Branches of prbot's own. Raises CannotPush, and what `Workspaces` raises of git."""

    async def push(self, repo: RepoRef, access: CloneAccess, change: BranchCommit) -> Sha | None:
        """Have the branch stand at this commit, whatever of ours stood there; its id.

        None, and nothing is pushed, where somebody else went on with the branch.
        """
        ...

    async def is_ours(self, repo: RepoRef, access: CloneAccess, branch: str) -> bool:
        """Whether the branch is there, and its newest commit is prbot's own."""
        ...


class Workspaces(Branches, Protocol):
    """Bare mirrors and detached worktrees.

    Raises CannotFetch, BranchIsGone, HeadIsGone, MergeCommitIsGone, MergedAsAnother,
    MergeConflict, UnrelatedHistories, and GitMissing or GitFailed when git itself does not work, or
    HeldElsewhere when another process keeps the repository to itself for too long.
    """

    async def probe(self) -> str: ...
    async def fetch(self, pull: PullRequest, access: CloneAccess) -> None:
        """Bring the base branch, the head and (if merged) the merge commit into the mirror.

        Goes to the network only for commits the mirror does not have; the base branch
        is always asked for, because it moves.
        """
        ...

    async def default_branch(self, repo: RepoRef, access: CloneAccess) -> tuple[str, Sha]:
        """The default branch and its newest commit, brought into the mirror."""
        ...

    async def base_head(self, pull: PullRequest, branch: str) -> Sha:
        """The branch's newest commit, as last fetched."""
        ...

    async def around(self, repo: RepoRef, commit: Sha, others: Collection[Sha]) -> Around:
        """Which of the others the commit holds, and which of them hold it, as far as the
        mirror has them."""
        ...

    async def lay_out(self, pull: PullRequest) -> Checkout:
        """Lay out the merge of head into base, or the merge commit of a merged one.

        The same arguments give the same commit id and the same path; laid out once.
        """
        ...

    async def ensure(self, pull: PullRef, checkout: Checkout) -> Path:
        """The worktree of an earlier `lay_out`, made again if it is gone or was dirtied, with
        what hooks generated. Raises GeneratedIsGone where that is not in the mirror."""
        ...

    async def drop(self, pull: PullRef) -> None:
        """Remove every worktree of exactly this pull request."""
        ...

    async def tidy(self, before: datetime) -> int:
        """Remove the worktrees that this machine has not used since; how many there were.

        `drop` is called where a close is heard of, and that may be another machine.
        """
        ...


class Generated(Protocol):
    """What hooks leave, as commits of the mirror. Raises GitFailed, and as `Workspaces` does
    when git does not work or the repository is kept by others."""

    def fresh(self, pull: PullRef, commit: Sha, name: str) -> AbstractAsyncContextManager[Path]:
        """A worktree of the commit, which nobody else uses, until the block ends."""
        ...

    async def keep(self, pull: PullRef, commit: Sha, name: str) -> Sha:
        """The commit of all that is in the `fresh` worktree of this name, on top of `commit`;
        that itself when nothing changed. Raises GeneratedTooMuch."""
        ...

    async def changed(self, repo: RepoRef, base: Sha, commit: Sha) -> tuple[str, ...]:
        """Paths that differ; of a renamed file the old and the new one."""
        ...

    async def pack(self, repo: RepoRef, commits: Sequence[Sha], onto: Sequence[Sha]) -> bytes:
        """What these commits have and those of `onto` have not, for another machine."""
        ...

    async def unpack(self, repo: RepoRef, pack: bytes) -> None:
        """Take such a pack in; the commits of `onto` must be there."""
        ...


# --- the tool -------------------------------------------------------------------------------


@dataclass(frozen=True)
class ToolRun:
    """One job's surroundings: where the root module is, and where the tool may write.

    `root` is the project's directory inside the worktree, `data_dir` belongs to this
    job alone (it becomes TF_DATA_DIR, HOME and TMPDIR, and takes the tool's output).
    `environment` is complete: nothing else reaches the tool.
    """

    root: Path
    data_dir: Path
    workspace: str
    environment: Mapping[str, str]
    timeout: float

    def with_variables(self, variables: Mapping[str, str]) -> ToolRun:
        """The same with these beside, or instead of, its own."""
        return replace(self, environment={**self.environment, **variables})


@dataclass(frozen=True)
class InitResult:
    """What init left behind.

    `module_dirs` are the directories of all called modules, absolute. `lock_file` are
    the lock file's bytes (empty when there is none). `state_is_lost`: the state would
    be written inside the worktree.
    """

    module_dirs: tuple[Path, ...]
    lock_file: bytes
    state_is_lost: bool


@dataclass(frozen=True)
class ApplyOutcome:
    """`stale`: the tool refused the plan file before it changed anything, because the
    state has moved. `killed`: a signal ended the tool, so nobody knows what it did and
    did not record. `events` are the lines of `apply -json`, not yet redacted."""

    ok: bool
    stale: bool
    killed: bool
    diagnostics: str
    events: tuple[str, ...]


@dataclass(frozen=True)
class ApplyTrace:
    """`running`: something of the tool still runs. `events` as in `ApplyOutcome`; empty
    also when the directory is gone."""

    running: bool
    events: tuple[str, ...]


@dataclass(frozen=True)
class ShellCommand:
    """A workflow's command. `argv` are the shell's words with the command behind them, `name`
    is of the files that take its output. `together`: what it says on stderr stands between the
    lines of stdout. `outlives`: it may change infrastructure, so it does not end with the
    worker, as an apply does not."""

    name: str
    argv: tuple[str, ...]
    together: bool = True
    outlives: bool = False


@dataclass(frozen=True)
class ShellEnd:
    """`code` is the exit code, or minus the signal that ended it. `printed` is stdout as it
    was, `said` what people may read once it is redacted; of both the end, if they are long."""

    code: int
    printed: str
    said: str
    timed_out: bool = False


Heard = Callable[[tuple[str, ...]], Awaitable[None]]
"""Gets new lines of a tool's JSON stream, whole ones, not yet redacted."""


class Tool(Protocol):
    """Terraform or OpenTofu, in one version. Raises ToolMissing, ToolFailed, ToolTimedOut."""

    async def probe(self) -> str: ...

    async def version(self) -> str:
        """For example `terraform 1.11.4`; asked once per process."""
        ...

    async def init(self, run: ToolRun, arguments: Sequence[str] = ()) -> InitResult:
        """Initialise, and select the workspace when it is not `default`."""
        ...

    async def initialised(self, run: ToolRun) -> InitResult:
        """What there is of an init, whoever did it; starts nothing."""
        ...

    async def shell(self, run: ToolRun, command: ShellCommand) -> ShellEnd:
        """Run a workflow's command where the tool runs, with all that the tool is given, and
        with the tool on its PATH."""
        ...

    async def plan(
        self,
        run: ToolRun,
        plan_file: Path,
        lock: bool = True,
        arguments: Sequence[str] = (),
    ) -> None:
        """Write the plan file. An errored plan raises ToolFailed and leaves none."""
        ...

    async def show(self, run: ToolRun, plan_file: Path) -> bytes:
        """The plan file's JSON."""
        ...

    async def state_version(self, run: ToolRun) -> str | None:
        """After `init`: the version that wrote the state, None while there is none. May be
        called while `show` goes on."""
        ...

    async def apply(
        self,
        run: ToolRun,
        plan_file: Path,
        heard: Heard | None = None,
        arguments: Sequence[str] = (),
    ) -> ApplyOutcome:
        """Apply exactly this plan file, once. ToolTimedOut after a clean interrupt.

        `heard` gets the lines of `apply -json` while they come, in order. It may raise:
        then it gets the same lines again with the next ones, and the apply goes on.
        """
        ...

    async def import_object(
        self, run: ToolRun, address: str, object_id: str, arguments: Sequence[str] = ()
    ) -> str:
        """After `init`: record an object that exists, under this address. What was said."""
        ...

    async def forget(
        self, run: ToolRun, addresses: Sequence[str], arguments: Sequence[str] = ()
    ) -> str:
        """After `init`: take these out of the state. What was said."""
        ...

    async def state_lock(self, run: ToolRun) -> StateLock | None:
        """Who holds the state's lock, after `init`; None when nobody does.

        Asks for the lock and gives it back at once. May be called while an apply of the
        same `run` goes on. Changes nothing.
        """
        ...

    async def look(self, run: ToolRun) -> StateLook:
        """After `init`: what is recorded in the state, and who holds its lock."""
        ...

    async def snapshot(self, run: ToolRun) -> StateAt | None:
        """After `init`: the newest snapshot of the state; None where it does not tell which."""
        ...

    async def inventory(self, run: ToolRun) -> tuple[str, ...]:
        """The addresses of all objects that the state manages, deposed ones among them.

        Initialises by itself, and writes nothing: a workspace that there is not is empty.
        """
        ...

    async def force_unlock(self, run: ToolRun, lock_id: str) -> None:
        """After `init`: break the state's lock. Not every backend compares the id: look
        who holds the lock before."""
        ...

    async def said(self, data_dir: Path) -> str:
        """What init and plan told people there, in this order: not fit to be shown yet."""
        ...

    async def trace(self, data_dir: Path) -> ApplyTrace:
        """What an apply of this machine left in its job's data directory."""
        ...


class Tools(Protocol):
    """The tools that this machine has, or can get."""

    async def probe(self) -> str:
        """One line: what is installed."""
        ...

    async def of(self, wanted: Wanted) -> Tool:
        """The tool in a version that is wanted, downloaded when it is not there.

        Raises ToolNotOffered, ToolVersionMissing, ToolVersionRefused, DownloadFailed,
        DownloadRefused, KeyNotReadable, HeldElsewhere, and what `Tool.version` raises.
        """
        ...


# --- what is kept ---------------------------------------------------------------------------


class Artifacts(Protocol):
    """Plan files and their JSON, encrypted at rest.

    Raises WrongInstallationKey; in S3 also BucketMissing, BucketRefused and
    BucketUnavailable, or PackageMissing where boto3 is not installed.
    """

    async def put(self, name: str, data: bytes) -> None: ...
    async def get(self, name: str) -> bytes | None: ...
    async def drop(self, names: Sequence[str]) -> None: ...


@dataclass(frozen=True)
class Delivery:
    """One webhook as it came: `forge` is the name of the server's forge entry."""

    id: DeliveryId
    forge: str
    event: str
    body: bytes
    received_at: datetime


class Deliveries(Protocol):
    async def add(self, delivery: Delivery) -> bool:
        """False when this (forge, id) is known already; then nothing is stored."""
        ...

    async def add_all(self, batch: Sequence[Delivery]) -> tuple[bool, ...]:
        """`add` for each, in this order; of twins in the batch the first is new."""
        ...

    async def waiting(self, forge: str, limit: int = 100) -> tuple[Delivery, ...]:
        """This forge's, not yet digested, in the order they came."""
        ...

    async def digested(self, delivery: Delivery, outcome: str) -> bool:
        """Done with it; `outcome` says in a few words what became of it.

        False when somebody else digested it before: then nothing of what the caller made
        of it may be kept, and the transaction must be rolled back.
        """
        ...

    async def digested_all(self, batch: Sequence[tuple[Delivery, str]]) -> None:
        """`digested` for many of which nothing is made, so that it matters to nobody who
        was first; what was digested before keeps its outcome."""
        ...


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
class CommentLetter:
    """`if_written`: only where a comment with this marker was written before."""

    marker: str
    body: str
    if_written: bool = False


@dataclass(frozen=True)
class StatusLetter:
    sha: Sha
    context: str
    state: StatusState
    description: str
    report: CheckReport | None = None
    beside: bool = False
    """Shown by `show_check`, else by `set_status`."""


@dataclass(frozen=True)
class ReactionLetter:
    comment_id: int


@dataclass(frozen=True)
class FoldLetter:
    """Minimise the comment with this marker, if it was written; it is outdated."""

    folds: str


@dataclass(frozen=True)
class IssueLetter:
    """Put it for `of_repository`: all issues of a repository are written in one order,
    whichever pull request they come from."""

    marker: str
    title: str
    body: str
    labels: tuple[str, ...]
    is_open: bool | None


@dataclass(frozen=True)
class IssueCommentLetter:
    """A comment below the issue with the marker `issue`, where that was written. Put it where
    the issue's letters are put, so that it stands behind them."""

    issue: str
    marker: str
    body: str


def of_repository(repo: RepoRef) -> PullRef:
    """The repository as a whole, where else a pull request stands; forges count from 1."""
    return PullRef(repo, 0)


@dataclass(frozen=True)
class MergeLetter:
    """Merge the pull request at this head, and delete `branch` (empty: none) afterwards.
    `run` asked for it."""

    sha: Sha
    method: str
    branch: str
    run: RunId


@dataclass(frozen=True)
class Below:
    """Below which issue it is told what became of somebody's `command`: `issue` is the marker
    in its letter, `place` its repository. `more` is a sentence of ours beside the rest."""

    place: RepoRef
    issue: str
    command: str
    by: Login
    more: str = ""


@dataclass(frozen=True)
class ProposalLetter:
    """A pull request of our own: `change` is pushed, and a pull request from its branch into
    `base` opened or edited. Put it for `of_repository`. In `correction` its number is noted
    then, and `below` an issue it is told."""

    change: BranchCommit
    base: str
    title: str
    body: str
    correction: Correction | None = None
    below: Below | None = None


@dataclass(frozen=True)
class WithdrawLetter:
    """Close a pull request of our own from this branch, with a comment, unless people closed or
    merged it, or went on with its branch."""

    branch: str
    marker: str
    body: str


@dataclass(frozen=True)
class SignalLetter:
    """What other programs are told: `text` is sent as it is, under the name `delivery`. Put it
    for `of_signals`, so that it waits for no forge, and no forge for it."""

    delivery: str
    text: str


def of_signals(repo: RepoRef) -> PullRef:
    """Where what is told of the repository to other programs stands, in its own order."""
    return PullRef(repo, -1)


Letter = (
    ProposalLetter
    | WithdrawLetter
    | SignalLetter
    | MergeLetter
    | CommentLetter
    | StatusLetter
    | ReactionLetter
    | FoldLetter
    | IssueLetter
    | IssueCommentLetter
)


@dataclass(frozen=True)
class OutboxRow:
    """A letter still to be written. `known_id`: the forge's id of the comment, or the number
    of the issue, with its marker, when we wrote it before. `fence` grows each time it is leased."""

    id: int
    pull: PullRef
    letter: Letter
    attempts: int
    known_id: int | None
    fence: int


class Outbox(Protocol):
    """A letter is leased while it is being written, so that no two processes write it.
    `sent`, `postpone` and `give_up` return False, and change nothing, when the lease ran
    out and somebody else has the letter in hand or is done with it."""

    async def put(self, key: str, pull: PullRef, letter: Letter, at: datetime) -> None:
        """Append; a key that was put before is not put again."""
        ...

    async def newest_key(self, prefix: str) -> str | None:
        """Of the letters whose key begins so; None when there is none."""
        ...

    async def waits(self, prefix: str) -> bool:
        """Whether a letter whose key begins so is still to be written."""
        ...

    async def due(self, now: datetime, worker: str, until: datetime) -> tuple[OutboxRow, ...]:
        """The oldest unsent row of each pull request whose time has come, leased to
        `worker` until then.

        Statuses that need not be written are settled on the way: those the forge shows
        already, and those with a later one, same commit and context, waiting behind them.
        """
        ...

    async def renew(self, worker: str, until: datetime, rows: Collection[int]) -> None:
        """Lengthen the leases of these rows, of those that are in this worker's hand."""
        ...

    async def release(self, now: datetime) -> None:
        """At the start of the only process on this database: what a dead one had in hand
        is due."""
        ...

    async def next_due(self) -> datetime | None:
        """When the earliest waiting row comes due, or the lease of one in hand runs out;
        None when there is none."""
        ...

    async def sent(self, row: OutboxRow, forge_id: int | None, at: datetime) -> bool: ...
    async def postpone(self, row: OutboxRow, until: datetime, why: str) -> bool: ...
    async def give_up(self, row: OutboxRow, why: str) -> bool:
        """The forge said a final no; the row stays readable and the next one may go."""
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

    async def unchecked(self, repo: RepoRef) -> int:
        """How many of its projects no check has ended of yet."""
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


# --- work to do -----------------------------------------------------------------------------


class Priority(StrEnum):
    """Most urgent first, in the order of definition."""

    ADVANCE = "advance"
    APPLY = "apply"
    PLAN = "plan"
    DRIFT = "drift"


@dataclass(frozen=True)
class AdvanceRun:
    """Gather, decide, create jobs; never runs a tool."""

    run_id: RunId


@dataclass(frozen=True)
class PerformJob:
    """One job's work; one at a time per project."""

    job_id: JobId


Work = AdvanceRun | PerformJob


@dataclass(frozen=True)
class Message:
    """Work with the key under which it is done one at a time.

    `repo` is whose limit it counts under (none when empty), `group` with whom it shares
    its turns: the pull request.
    """

    work: Work
    key: str
    priority: Priority
    not_before: datetime | None = None
    repo: str = ""
    group: str = ""


@dataclass(frozen=True)
class Limits:
    """How many jobs (not advances) are in hand at once, over all processes: of one
    repository, and in `total`; None: any."""

    per_repository: int | None = None
    total: int | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Claim:
    """A message in hand; give it back with `done` or `again`.

    `holder` tells this claim from another of the same message after this one was lost.
    """

    id: int
    message: Message
    holder: int = 0


class Queue(Protocol):
    """Tells workers that there is work. The tables own the truth: a message that gets
    lost is put again from them at start, and one delivered twice finds nothing to do.

    A claim is held as long as the adapter that took it lives: it tells so by itself.
    Raises StoreUnavailable, except where it says that it waits.
    """

    async def open(self) -> None:
        """Begin to listen. What dead workers had in hand waits again."""
        ...

    async def close(self) -> None:
        """What is still in hand waits again, for others."""
        ...

    async def put(self, message: Message) -> None:
        """The same work waiting (not in hand) already is only brought forward: the
        earlier time and the more urgent priority of both hold."""
        ...

    async def claim(self, priorities: frozenset[Priority] = frozenset(Priority)) -> Claim:
        """Wait for the most urgent message, among these priorities, whose key is free and
        whose repository is below its limit.

        Among equally urgent ones the groups take turns, and each hands out its oldest.
        Waits as well while the database does not answer.
        """
        ...

    async def done(self, claim: Claim) -> None:
        """Nothing happens when the claim was lost meanwhile."""
        ...

    async def again(self, claim: Claim, not_before: datetime) -> None:
        """Give it back, to be claimed later."""
        ...

    async def cancel(self, work: Work) -> bool:
        """Take it away if it waits; False when it is in hand or not there."""
        ...

    async def known(self) -> frozenset[Work]:
        """All work that waits or is in hand, whoever has it."""
        ...

    async def recover(self) -> None:
        """What dead workers had in hand waits again.

        Dead is who has not been heard of for a lease: to be called only when the living
        could be. A queue for several processes looks after it by itself.
        """
        ...
