"""What a decision may ask for. Values only; `engine` performs them.

All steps of one decision but `LayOut` are performed in one transaction, in order, so a
crash leaves either none or all of them behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from prbot.model import Login, PlanId, ProjectKey, RunId, Sha
from prbot.runs.checks import CheckDetail
from prbot.runs.landings import Landing
from prbot.runs.run import Job, JobKind, RunState, Trouble
from prbot.runs.say import IssueMessage, Message


@dataclass(frozen=True)
class LayOut:
    """Fetch, read the default branch's rules, lay the commit out, find the projects. Where
    hooks may add projects, these are found by a second one, after the hooks.

    Always the last step of its decision; the decision is taken again afterwards.
    """


@dataclass(frozen=True)
class Acknowledge:
    """Show the commenter that the comment was read."""

    comment_id: int


@dataclass(frozen=True)
class StartJob:
    """One project's work. `reviewed`: the plan to compare with (PLAN) or apply (APPLY).
    `blocked`: it waits for others that are started with it."""

    project: ProjectKey
    kind: JobKind
    reviewed: PlanId | None = None
    blocked: bool = False


@dataclass(frozen=True)
class ReleaseJob:
    """Let a blocked job go on."""

    job: Job


@dataclass(frozen=True)
class SkipJob:
    """End a blocked job that will never have what it needs."""

    job: Job
    why: Trouble


@dataclass(frozen=True)
class StopJob:
    """Drop a job that waits; ask a running one to end cleanly. `why` becomes its trouble."""

    job: Job
    why: Trouble


@dataclass(frozen=True)
class StopRun:
    """End another run of the pull request, one that rests until a lock is freed."""

    run_id: RunId
    why: Trouble


@dataclass(frozen=True)
class Wait:
    """Let the run rest until a lock of its repository is freed."""


@dataclass(frozen=True)
class TakeLocks:
    """Take the locks for this pull request, all or none; otherwise decide again."""

    projects: tuple[ProjectKey, ...]


@dataclass(frozen=True)
class FreeLocks:
    projects: tuple[ProjectKey, ...]


@dataclass(frozen=True)
class Say:
    """Write a comment. The same `topic` in the same pull request edits the same comment."""

    topic: str
    message: Message


@dataclass(frozen=True)
class WriteIssue:
    """Write an issue of the repository, or close it. The same `topic` is the same issue."""

    topic: str
    message: IssueMessage
    is_open: bool


@dataclass(frozen=True)
class Record:
    """Write a line into the journal: the run is its subject, who asked for it its actor."""

    action: str
    detail: str
    plan_id: PlanId | None = None
    commit: Sha | None = None
    approvals: tuple[Login, ...] = ()


@dataclass(frozen=True)
class Fold:
    """Minimise the comment of this topic: a newer one stands in its place."""

    topic: str


class Check(StrEnum):
    PLAN = "plan"
    APPLY = "apply"


class Verdict(StrEnum):
    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    """Only of a project: what stood there holds no longer."""


@dataclass(frozen=True)
class SetStatus:
    """`detail`: what a forge that shows more than a line may show beside it. `project`: its
    own check, beside the whole's; without words those of its plan stand there."""

    sha: Sha
    check: Check
    verdict: Verdict
    description: str
    detail: CheckDetail | None = None
    project: ProjectKey | None = None


@dataclass(frozen=True)
class MergePull:
    """Merge the pull request if `sha` is still its head; `method` is `merge`, `squash` or
    `rebase`. `branch` is deleted afterwards, empty for none."""

    sha: Sha
    method: str
    branch: str = ""


@dataclass(frozen=True)
class DropPlans:
    """Forget this pull request's plans that were never applied."""


@dataclass(frozen=True)
class DropWorkspaces:
    """Remove this pull request's checkouts."""


@dataclass(frozen=True)
class Land:
    """Note that what was merged is still to be applied in these projects."""

    projects: tuple[ProjectKey, ...]


@dataclass(frozen=True)
class Settle:
    """Note that these landings are applied now. Pull requests other than the run's are told,
    in a run of their own."""

    landings: tuple[Landing, ...]


@dataclass(frozen=True)
class PlanAgain:
    """Have other pull requests that hold plans of these projects plan them again."""

    projects: tuple[ProjectKey, ...]


@dataclass(frozen=True)
class Finish:
    state: RunState
    trouble: Trouble | None = None


Step = (
    LayOut
    | Acknowledge
    | StartJob
    | ReleaseJob
    | SkipJob
    | StopJob
    | StopRun
    | Wait
    | TakeLocks
    | FreeLocks
    | Say
    | WriteIssue
    | Record
    | Fold
    | SetStatus
    | MergePull
    | DropPlans
    | DropWorkspaces
    | Land
    | Settle
    | PlanAgain
    | Finish
)
