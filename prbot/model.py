"""The nouns every chapter speaks of: who, where, what happened, what was asked.

Values only: frozen, comparable, without behaviour that needs the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

Sha = NewType("Sha", str)
"""A full commit id, 40 hex digits."""
Login = NewType("Login", str)
"""An account's name on its forge, as the forge spells it."""
RunId = NewType("RunId", str)
JobId = NewType("JobId", str)
PlanId = NewType("PlanId", str)
"""What people type after `apply`: `p-` and six to twelve hex digits, unique per installation."""
DeliveryId = NewType("DeliveryId", str)


@dataclass(frozen=True, order=True)
class RepoRef:
    """A repository on one of the server's forges.

    `forge` is the name of an entry in the server's `forges:` list, `path` is
    `owner/name` (GitLab: with all its groups).
    """

    forge: str
    path: str

    def __str__(self) -> str:
        return f"{self.forge}:{self.path}"


@dataclass(frozen=True, order=True)
class PullRef:
    """One pull request (GitLab: merge request) by its number in its repository."""

    repo: RepoRef
    number: int

    def __str__(self) -> str:
        return f"{self.repo}#{self.number}"


@dataclass(frozen=True)
class Actor:
    """Who did it. `is_bot` as the forge says (GitHub: `user.type == "Bot"`)."""

    login: Login
    is_bot: bool = False


class Permission(StrEnum):
    """What an account may do in a repository, weakest first."""

    NONE = "none"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def can_write(self) -> bool:
        return self in (Permission.WRITE, Permission.ADMIN)


@dataclass(frozen=True)
class PullRequest:
    """A pull request as the forge tells it now.

    `mergeable` is None while the forge has not decided yet. `behind`: its rules want what is
    new in the base first; `guarded`: they may stand against a merge, and
    `ForgeReader.failing_checks` says whether checks do. `merge_sha` is the
    commit on the base branch that the merge made (None before it is merged). `closed_at`
    is when it was merged or closed. A list tells nothing of that, nor `merged_by`, and
    GitLab's no `base_sha` (it is empty).
    `head_repo` is None when the head repository was deleted.
    """

    ref: PullRef
    title: str
    author: Login
    head_sha: Sha
    head_branch: str
    head_repo: str | None
    base_branch: str
    base_sha: Sha
    default_branch: str
    draft: bool = False
    open: bool = True
    merged: bool = False
    merged_by: Login | None = None
    merge_sha: Sha | None = None
    mergeable: bool | None = None
    behind: bool = False
    guarded: bool = False
    url: str = ""
    closed_at: datetime | None = None

    @property
    def fork(self) -> bool:
        return self.head_repo != self.ref.repo.path


class ReviewState(StrEnum):
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    COMMENTED = "commented"
    DISMISSED = "dismissed"


@dataclass(frozen=True)
class Review:
    """A person's latest word on a pull request that is not a mere comment.

    `permission` is looked up where it counts, and NONE for dismissed reviews.
    """

    author: Login
    state: ReviewState
    commit: Sha | None
    submitted_at: datetime
    permission: Permission


# --- events: what the forge tells ------------------------------------------------------


@dataclass(frozen=True)
class PullChanged:
    """Opened, reopened, ready for review, new commits, or another base branch."""

    pull: PullRef
    head_sha: Sha
    base_branch: str
    default_branch: str
    actor: Actor
    draft: bool
    fork: bool
    reason: str


@dataclass(frozen=True)
class PullMerged:
    """`head_sha` is None where the forge does not tell it."""

    pull: PullRef
    head_sha: Sha | None
    base_branch: str
    default_branch: str
    actor: Actor
    merge_sha: Sha | None
    fork: bool
    merged_at: datetime | None = None
    reason: str = "merged"


@dataclass(frozen=True)
class PullClosed:
    """Closed without a merge. `head_sha` is None where the forge does not tell it."""

    pull: PullRef
    head_sha: Sha | None
    base_branch: str
    default_branch: str
    actor: Actor
    fork: bool
    reason: str = "closed"


@dataclass(frozen=True)
class Commented:
    """A new comment on a pull request (never an edited or a deleted one)."""

    pull: PullRef
    comment_id: int
    body: str
    actor: Actor
    created_at: datetime
    reason: str = "commented"


@dataclass(frozen=True)
class IssueCommented:
    """A new comment on a plain issue (never an edited or a deleted one)."""

    repo: RepoRef
    number: int
    comment_id: int
    body: str
    actor: Actor
    created_at: datetime
    reason: str = "comment on an issue"


@dataclass(frozen=True)
class IssueMoved:
    """A plain issue was closed, or opened again."""

    repo: RepoRef
    number: int
    is_open: bool
    actor: Actor
    reason: str


@dataclass(frozen=True)
class CheckPressed:
    """Somebody pressed a button of a check, or the forge's own "Re-run".

    `check_id` names the check (of "Re-run all" the suite), `app` whose it is. `mark` is what
    the check was marked with when it was written, `at` when we heard of it.
    """

    pull: PullRef
    check_id: int
    button: str
    app: str
    mark: str
    actor: Actor
    at: datetime | None
    reason: str


@dataclass(frozen=True)
class Reviewed:
    """A review was submitted or dismissed, or a check ended; re-evaluates what waits.

    `dropped` is the commit of a pipeline that ended badly: nobody waits for it any more.
    """

    pull: PullRef
    actor: Actor
    reason: str
    dropped: Sha | None = None


@dataclass(frozen=True)
class PipelineBegan:
    """A pipeline of a merge request runs for this commit. Whether it is a merge train's only
    the forge can tell."""

    pull: PullRef
    commit: Sha
    actor: Actor
    reason: str


@dataclass(frozen=True)
class Pushed:
    """New commits on a branch of the repository itself."""

    repo: RepoRef
    branch: str
    head_sha: Sha
    default_branch: str
    actor: Actor
    reason: str = "pushed"


@dataclass(frozen=True)
class QueueMoved:
    """A merge queue, or train, made a commit to try what its branch would become, and waits
    for its checks; `left`: it let go of it, whether it merged it or not."""

    repo: RepoRef
    commit: Sha
    base_branch: str
    default_branch: str
    actor: Actor
    left: bool
    reason: str


@dataclass(frozen=True)
class Ignored:
    """Nothing to do: a ping, an unknown event or action, somebody else's business."""

    reason: str


Event = (
    PullChanged
    | PullMerged
    | PullClosed
    | Commented
    | IssueCommented
    | IssueMoved
    | CheckPressed
    | Reviewed
    | PipelineBegan
    | Pushed
    | QueueMoved
    | Ignored
)


# --- which projects, and what people should know ------------------------------------------


@dataclass(frozen=True)
class Selector:
    """Which projects a command speaks of; empty means the affected (or planned) ones.

    Directories and names may be globs. `projects` are names, and stand alone.
    """

    dirs: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notice:
    """Something people should know of a file; `path` and `line` say where. What is told
    `once` is not repeated in the same pull request."""

    path: str
    line: int
    message: str
    once: bool = False


# --- projects and files -------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class ProjectKey:
    """A project within its repository: directory (`.` is the root) and workspace."""

    dir: str
    workspace: str = "default"

    def __str__(self) -> str:
        return self.dir if self.workspace == "default" else f"{self.dir} ({self.workspace})"


@dataclass(frozen=True)
class Checkout:
    """A commit laid out on disk for planning.

    `commit` is what stands in `path`: the merge of `head` into `base`, or, for a
    merged pull request, the merge commit itself (then `head` is that commit).
    `changed` are the paths that differ between `base` and `commit`.

    Where hooks ran, `generated` is a commit of ours on top of `commit` with what they left
    (`commit` itself when they left nothing), `generated_base` the same for `base`, and
    `changed` what differs between these two.
    """

    path: str
    commit: Sha
    base: Sha
    head: Sha
    changed: tuple[str, ...]
    generated: Sha | None = None
    generated_base: Sha | None = None

    @property
    def laid(self) -> Sha:
        """What is planned: the commit with all that hooks generated."""
        return self.generated or self.commit

    @property
    def laid_base(self) -> Sha:
        return self.generated_base or self.base
