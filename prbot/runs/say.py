"""What a run wants to tell people, as data; the chapter `comments` finds the words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from prbot import __version__
from prbot.config.repo import Bounded
from prbot.model import Login, Notice, PlanId, ProjectKey, RunId, Sha
from prbot.plans.record import StoredPlan
from prbot.runs.corrected import CorrectionReport as CorrectionReport
from prbot.runs.orphans import Orphan
from prbot.runs.reasons import Reason as Reason
from prbot.runs.reasons import Reasons as Reasons
from prbot.runs.run import JobState, Trouble
from prbot.runs.state_look import StateLock
from prbot.runs.told import Told


@dataclass(frozen=True)
class ProjectResult:
    """How one project of a run came out. Exactly one of `plan` and `trouble` may be None.

    `applied`: the plan was applied. `differences`: the plan is not the reviewed one.
    """

    project: ProjectKey
    plan: StoredPlan | None = None
    trouble: Trouble | None = None
    applied: bool = False
    interrupted: bool = False
    differences: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanReport:
    """The plan comment. `asked` is the comment's author when somebody asked for it.

    `bounded` are wishes of the repository's file that the server's does not allow,
    `notices` what finding the projects brought up. `orphans` are states that were looked at
    because nothing would manage them any more, `moved` projects with what they were before.
    `page` is the pull request's address, `checks` that of its checks, where those tell more.
    `arguments` are those somebody asked for, `verbose` that nothing be folded. `may_destroy`:
    what is left to nobody may be destroyed by comment. `unapplied` are projects with the number
    of a pull request whose merged code is not applied yet, and part of their plan. `applied_by`
    is the pull request whose apply is why they were planned again.
    """

    results: tuple[ProjectResult, ...]
    head: Sha
    base: Sha
    apply_on_merge: bool
    may_apply: bool
    asked: Login | None = None
    bounded: tuple[Bounded, ...] = ()
    notices: tuple[Notice, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    moved: tuple[tuple[ProjectKey, ProjectKey], ...] = ()
    page: str = ""
    checks: str = ""
    arguments: tuple[str, ...] = ()
    verbose: bool = False
    may_destroy: bool = False
    unapplied: tuple[tuple[ProjectKey, int], ...] = ()
    applied_by: int | None = None

    def with_checks(self) -> PlanReport:
        """The same, leading to the pull request's checks."""
        return replace(self, checks=f"{self.page}/checks")


@dataclass(frozen=True)
class OrphansAccepted:
    """Somebody said that these states may be left without anybody."""

    orphans: tuple[Orphan, ...]
    actor: Login


@dataclass(frozen=True)
class OrphansLeft:
    """Merged, although nothing manages these states now and nobody accepted that."""

    orphans: tuple[Orphan, ...]
    mention: tuple[Login, ...]


@dataclass(frozen=True)
class Overridden:
    """An apply with `--override`: the reason that was given, and the requirements that were
    passed over for it, none where all were met."""

    reason: str
    passed_over: tuple[str, ...]


@dataclass(frozen=True)
class ApplyReport:
    """What was applied, by whom (the commenter or the merger). `merging`: that was all, and
    the pull request is merged now. `overridden`: the actor passed over requirements."""

    results: tuple[ProjectResult, ...]
    actor: Login
    on_merge: bool
    merging: bool = False
    overridden: Overridden | None = None


@dataclass(frozen=True)
class StateChanged:
    """What came of `import` or `state rm`; `said` are the tool's words, redacted."""

    command: str
    objects: tuple[str, ...]
    project: ProjectKey
    state: JobState
    said: str = ""
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Versions:
    """prbot's version, and the tool of each of these projects (or why there is none)."""

    rows: tuple[tuple[ProjectKey, str], ...]
    prbot: str = __version__


@dataclass(frozen=True)
class NotMerged:
    """Everything is applied, and the forge did not merge: in its own words, why not."""

    why: str


@dataclass(frozen=True)
class HoldReport:
    """A merged pull request of which nothing (more) was applied, and why.

    `mention` are the people to call: author and merger. `accept_with` is the command
    that applies the held plans after all. `reasons` are what `why` tells in a sentence. `run`
    is by which `prbot explain apply` knows the decision.
    """

    results: tuple[ProjectResult, ...]
    why: str
    mention: tuple[Login, ...]
    accept_with: str
    reasons: Reasons = ()
    run: RunId | None = None


@dataclass(frozen=True)
class ProgressRow:
    """One project while its run goes on: what is being done, or how it came out."""

    project: ProjectKey
    doing: str = ""
    result: ProjectResult | None = None

    @property
    def name(self) -> str:
        return str(self.project)


@dataclass(frozen=True)
class Progress:
    """How far a run has come; `ended` says why it goes no further, and is empty while it does."""

    what: str
    rows: tuple[ProgressRow, ...]
    ended: str = ""


@dataclass(frozen=True)
class CheckSummary:
    """What a check tells of all its projects, and of states left to nobody; no comment."""

    results: tuple[ProjectResult, ...]
    orphans: tuple[Orphan, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """A command that was not carried out; every reason is told at once. `run` is by which
    `prbot explain apply` knows the decision, None where it is about something else."""

    command: str
    actor: Login
    reasons: tuple[Reason, ...]
    run: RunId | None = None


@dataclass(frozen=True)
class Failure:
    """The run failed as a whole, before or beside its projects."""

    what: str
    trouble: Trouble


@dataclass(frozen=True)
class NoProjects:
    """Somebody asked for a plan that touches no project."""

    changed_files: int


@dataclass(frozen=True)
class TooMany:
    """More projects than a run may have by itself, and how many that is."""

    projects: tuple[ProjectKey, ...]
    limit: int


@dataclass(frozen=True)
class Unlocked:
    projects: tuple[ProjectKey, ...]
    actor: Login


@dataclass(frozen=True)
class Cancelled:
    """What was dropped, and what was asked to end (an apply saves its state first)."""

    projects: tuple[ProjectKey, ...]
    actor: Login


@dataclass(frozen=True)
class Waiting:
    """An apply that goes on by itself once others have let go; `reasons` name them. `run` as
    in `Refusal`."""

    command: str
    actor: Login
    reasons: tuple[Reason, ...]
    run: RunId | None = None


class NextStep(StrEnum):
    """The next safe step after an interrupted apply."""

    WAIT = "wait"
    """The tool still runs and may yet save its state."""
    LOOK = "look"
    """Nobody could look at the state."""
    UNLOCK = "unlock"
    """The dead apply's own lock is left."""
    ASK = "ask"
    """The lock is not known to be the apply's."""
    IMPORT = "import"
    PLAN = "plan"


@dataclass(frozen=True)
class InterruptedReport:
    """What an interrupted apply of one project left behind.

    `unrecorded` was created and is not in the state, `done` ended and is (or changed or
    deleted something); `unsure` was created, and whether the state holds it is unknown.
    `unknown` was begun and never ended, `errored` failed. `not_begun` counts what was
    planned and not begun, None when the plan is gone. `blind` says why the state could
    not be looked at. `of_drift`: it was a correction, and people speak on an issue.
    """

    project: ProjectKey
    plan: PlanId | None
    next: NextStep
    unrecorded: tuple[Told, ...] = ()
    unsure: tuple[Told, ...] = ()
    unknown: tuple[Told, ...] = ()
    errored: tuple[Told, ...] = ()
    done: tuple[Told, ...] = ()
    not_begun: int | None = None
    lock: StateLock | None = None
    lock_is_ours: bool = False
    running: bool = False
    blind: Trouble | None = None
    of_drift: bool = False


@dataclass(frozen=True)
class StateUnlocked:
    """The tool's own lock on the state was broken; prbot's hold on the projects stays."""

    projects: tuple[ProjectKey, ...]
    actor: Login


@dataclass(frozen=True)
class PlansExpired:
    """Plans of these projects were older than `age`, and must be made again; `freed` are those
    of the projects that the pull request no longer holds."""

    projects: tuple[ProjectKey, ...]
    age: timedelta
    freed: tuple[ProjectKey, ...]


@dataclass(frozen=True)
class AppliedUnmerged:
    """Closed without a merge although something was applied from it."""

    projects: tuple[ProjectKey, ...]
    mention: tuple[Login, ...]


@dataclass(frozen=True)
class UnmergedIssue:
    """An issue: this pull request was closed without a merge after something was applied."""

    number: int
    projects: tuple[ProjectKey, ...]
    mention: tuple[Login, ...]


@dataclass(frozen=True)
class UnmergedSettled:
    """The end of such an issue: merged, or let go of `by` somebody."""

    number: int
    by: Login | None


@dataclass(frozen=True)
class OverrideIssue:
    """An issue: an apply of this pull request began although requirements were not met."""

    number: int
    actor: Login
    overridden: Overridden
    projects: tuple[ProjectKey, ...]
    mention: tuple[Login, ...]


IssueMessage = UnmergedIssue | UnmergedSettled | OverrideIssue


@dataclass(frozen=True)
class Settled:
    """What this pull request merged was applied with what another one (`by`) merged."""

    projects: tuple[ProjectKey, ...]
    by: int


@dataclass(frozen=True)
class Help:
    bot: Login


@dataclass(frozen=True)
class Hint:
    message: str


Message = (
    PlanReport
    | OrphansAccepted
    | OrphansLeft
    | ApplyReport
    | NotMerged
    | StateChanged
    | Versions
    | HoldReport
    | Progress
    | CheckSummary
    | Refusal
    | Failure
    | NoProjects
    | TooMany
    | Unlocked
    | Cancelled
    | Waiting
    | InterruptedReport
    | CorrectionReport
    | StateUnlocked
    | PlansExpired
    | AppliedUnmerged
    | UnmergedIssue
    | UnmergedSettled
    | OverrideIssue
    | Settled
    | Help
    | Hint
)
