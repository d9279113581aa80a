"""Runs and jobs, and the one table that says how they may move.

A run is one command carried out on one pull request; it holds one job per project.
Whatever moves a run or a job asks `check_run_move` or `check_job_move` first, and the
store makes the move conditional on the old state, so that a late worker cannot win.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from prbot.errors.runs import IllegalTransition
from prbot.model import (
    Checkout,
    JobId,
    Login,
    Notice,
    PlanId,
    ProjectKey,
    PullRef,
    RunId,
    Selector,
    Sha,
)
from prbot.plans.arguments import DESTROY, REFRESH_ONLY, special
from prbot.plans.record import Applied
from prbot.projects.gone import Gone
from prbot.runs.correction import OfDrift


class AskKind(StrEnum):
    """What a run was asked to do."""

    PLAN = "plan"
    APPLY = "apply"
    MERGE = "merge"
    CLOSE = "close"
    IMPORT = "import"
    STATE_RM = "state rm"
    VERSION = "version"
    UNLOCK = "unlock"
    CANCEL = "cancel"
    HELP = "help"
    HINT = "hint"
    QUEUED = "queued"
    UNQUEUED = "unqueued"
    DRIFT = "drift"
    CORRECT = "correct"


@dataclass(frozen=True)
class Ask:
    """Why a run exists: the event or the comment, reduced to what deciding needs.

    `head_sha` is the commit an event spoke of (None for comments: they mean the head
    as it is when the run starts), `base_branch` and `draft` what else a PLAN event saw.
    `comment_id` is None for events. `message` is the text of a HINT. `late`: a merge of
    which we heard too late to apply it by ourselves. `everything`: also more projects than
    a run usually may have. `check_id` is the check whose button was pressed, `mark` what that
    was marked with (`runs.checks`). `accept_orphans`: leave states that nothing manages any more.
    `settled_by`: the pull request whose apply brought in what this one merged.
    `applied_by`: the pull request whose apply made the plans here stale. `default_branch` is
    known of a merge queue's commit.
    `override` is the reason given for passing over requirements, empty without one.
    `extra`, `destroy`, `refresh_only` and `verbose` as in `PlanCommand`, `no_merge` as in
    `ApplyCommand`. `objects`: address and id of an IMPORT, the addresses of a STATE_RM.
    `applied`: what is known to run of the project of a DRIFT or CORRECT, `correction` what
    the latter corrects.
    """

    kind: AskKind
    actor: Login
    reason: str
    head_sha: Sha | None = None
    comment_id: int | None = None
    commented_at: datetime | None = None
    select: Selector = field(default_factory=Selector)
    plan_id: PlanId | None = None
    accept_changes: bool = False
    message: str = ""
    base_branch: str = ""
    draft: bool = False
    late: bool = False
    everything: bool = False
    accept_orphans: bool = False
    check_id: int | None = None
    mark: str = ""
    override: str = ""
    extra: tuple[str, ...] = ()
    destroy: bool = False
    refresh_only: bool = False
    verbose: bool = False
    settled_by: PullRef | None = None
    no_merge: bool = False
    applied_by: PullRef | None = None
    default_branch: str = ""
    objects: tuple[str, ...] = ()
    applied: Applied | None = None
    correction: OfDrift | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the tool's plan gets besides, as somebody asked for it."""
        modes = (DESTROY,) * self.destroy + (REFRESH_ONLY,) * self.refresh_only
        return (*modes, *self.extra)

    @property
    def special(self) -> bool:
        """Its plans say nothing of what a merge would bring."""
        return special(self.arguments)

    @property
    def by_comment(self) -> bool:
        """Somebody asked: in a comment, or by a button, which is as good as one."""
        return self.comment_id is not None or self.check_id is not None


class RunState(StrEnum):
    QUEUED = "queued"
    WORKING = "working"
    WAITING = "waiting"
    RESUMED = "resumed"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    HELD = "held"
    IGNORED = "ignored"
    SUPERSEDED = "superseded"
    INTERRUPTED = "interrupted"

    @property
    def finished(self) -> bool:
        return self not in UNFINISHED


UNFINISHED = (RunState.QUEUED, RunState.WORKING, RunState.WAITING, RunState.RESUMED)


class JobKind(StrEnum):
    PLAN = "plan"
    APPLY = "apply"
    IMPORT = "import"
    STATE_RM = "state rm"
    VERSION = "version"
    LOOK = "look"
    FORCE_UNLOCK = "force unlock"
    INVENTORY = "inventory"
    PLAN_APPLIED = "plan what was applied"
    PRE_HOOKS = "pre hooks"
    POST_HOOKS = "post hooks"


STATE_JOBS = (JobKind.IMPORT, JobKind.STATE_RM)
"""They change the state alone. Begun once, they are never begun again."""
CHANGING = (JobKind.APPLY, *STATE_JOBS)
LOOKING = (JobKind.VERSION, JobKind.LOOK, JobKind.INVENTORY, JobKind.FORCE_UNLOCK)
PLANNING = (JobKind.PLAN, JobKind.PLAN_APPLIED)


class JobState(StrEnum):
    """Where a job stands.

    INTERRUPTED: an apply whose worker died; never started again by itself. DROPPED:
    superseded or cancelled before it changed anything. BLOCKED: waits for another job of
    its run; SKIPPED: that one did not end well. STALE: an apply that did not begin, because
    its plan was not fresh any more; `trouble.refused` if planning again would not help.
    """

    BLOCKED = "blocked"
    QUEUED = "queued"
    RUNNING = "running"
    PLANNED = "planned"
    APPLIED = "applied"
    CHANGED = "changed"
    LOOKED = "looked"
    FREED = "freed"
    HOOKED = "hooked"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    DROPPED = "dropped"
    SKIPPED = "skipped"
    STALE = "stale"

    @property
    def finished(self) -> bool:
        return self not in (JobState.BLOCKED, JobState.QUEUED, JobState.RUNNING)

    @property
    def never_began(self) -> bool:
        """It ended, and changed nothing."""
        return self in (JobState.DROPPED, JobState.SKIPPED, JobState.STALE)


RUN_MOVES: dict[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset(RunState) - {RunState.QUEUED, RunState.RESUMED},
    RunState.WORKING: frozenset(RunState) - set(UNFINISHED) | {RunState.WAITING},
    # for somebody else's lock; what was planned before is planned again when it is free
    RunState.WAITING: frozenset(RunState) - set(UNFINISHED) | {RunState.RESUMED},
    RunState.RESUMED: frozenset(RunState) - set(UNFINISHED) | {RunState.WAITING},
}
"""From an unfinished run anywhere forward; from a finished one nowhere."""

RELEASED = frozenset({JobState.QUEUED, JobState.SKIPPED, JobState.DROPPED})

JOB_MOVES: dict[tuple[JobKind, JobState], frozenset[JobState]] = {
    (JobKind.PLAN, JobState.BLOCKED): RELEASED,
    (JobKind.APPLY, JobState.BLOCKED): RELEASED,
    # back to QUEUED: the worker died, and a plan is simply made again
    **{
        (kind, JobState.RUNNING): frozenset(
            {JobState.PLANNED, JobState.FAILED, JobState.QUEUED, JobState.DROPPED}
        )
        for kind in PLANNING
    },
    # never back to QUEUED: that it runs is the record that it was begun
    **{
        (kind, JobState.QUEUED): frozenset({JobState.RUNNING, JobState.DROPPED})
        for kind in (*PLANNING, *STATE_JOBS, *LOOKING)
    },
    **{
        (kind, JobState.RUNNING): frozenset(
            {JobState.CHANGED, JobState.FAILED, JobState.INTERRUPTED}
        )
        for kind in STATE_JOBS
    },
    # a look changes nothing, and a lock that is gone is not broken again: both like a plan
    **{
        (kind, JobState.RUNNING): frozenset(
            {JobState.LOOKED, JobState.FAILED, JobState.QUEUED, JobState.DROPPED}
        )
        for kind in (JobKind.VERSION, JobKind.LOOK, JobKind.INVENTORY)
    },
    # back to QUEUED: the worker died, and hooks run once more, before anything counts of them
    **{
        (kind, JobState.QUEUED): frozenset({JobState.RUNNING, JobState.DROPPED})
        for kind in (JobKind.PRE_HOOKS, JobKind.POST_HOOKS)
    },
    **{
        (kind, JobState.RUNNING): frozenset(
            {JobState.HOOKED, JobState.FAILED, JobState.QUEUED, JobState.DROPPED}
        )
        for kind in (JobKind.PRE_HOOKS, JobKind.POST_HOOKS)
    },
    (JobKind.FORCE_UNLOCK, JobState.RUNNING): frozenset(
        {JobState.FREED, JobState.FAILED, JobState.QUEUED, JobState.DROPPED}
    ),
    (JobKind.APPLY, JobState.QUEUED): frozenset({JobState.RUNNING, JobState.DROPPED}),
    # QUEUED, DROPPED and STALE only while no apply can have begun: the store checks that
    (JobKind.APPLY, JobState.RUNNING): frozenset(
        {
            JobState.APPLIED,
            JobState.FAILED,
            JobState.INTERRUPTED,
            JobState.QUEUED,
            JobState.DROPPED,
            JobState.STALE,
        }
    ),
}


def check_run_move(old: RunState, new: RunState) -> None:
    """Raise IllegalTransition unless the table allows it."""
    if new not in RUN_MOVES.get(old, frozenset()):
        raise IllegalTransition("run", old, new)


def check_job_move(kind: JobKind, old: JobState, new: JobState) -> None:
    """Raise IllegalTransition unless the table allows it."""
    if new not in JOB_MOVES.get((kind, old), frozenset()):
        raise IllegalTransition(f"{kind} job", old, new)


@dataclass(frozen=True)
class Flaw:
    """Where in the code the tool sees something wrong: lines from 1, the file relative to
    the root module. `fatal`: an error, not a warning. The words are redacted."""

    file: str
    line: int
    last_line: int
    fatal: bool
    summary: str
    detail: str = ""


@dataclass(frozen=True)
class Trouble:
    """What went wrong, for people: a sentence, the next step, and the tool's own words.

    `output` is the tool's text, already redacted; empty when no tool spoke. `refused`: it is
    the command that was wrong, and nothing is known to be wrong with the code. `flaws` are
    the places in the code that the tool named.
    """

    sentence: str
    hint: str = ""
    output: str = ""
    refused: bool = False
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True)
class Job:
    """One project's part of a run. A LOOK or FORCE_UNLOCK job is about the project's newest
    interrupted apply, an INVENTORY about the state of one that is no more, a PLAN_APPLIED about
    the code that runs; what they find
    stands in the journal. PRE_HOOKS and POST_HOOKS are about the whole repository.

    `plan_id` is the plan this job made. `reviewed` is the plan people agreed to: an APPLY job
    applies it, a PLAN job compares with it, and `differences` says in what it is not that one.

    `worker` is the process that has, or last had, the job in hand; while it is RUNNING
    nobody else takes it before `lease_until`. `stop_asked` stands from the asking on, so
    that a job which is queued again meanwhile still hears of it.
    """

    id: JobId
    run_id: RunId
    project: ProjectKey
    kind: JobKind
    state: JobState = JobState.QUEUED
    plan_id: PlanId | None = None
    reviewed: PlanId | None = None
    trouble: Trouble | None = None
    differences: tuple[str, ...] = ()
    fence: int = 0
    worker: str | None = None
    lease_until: datetime | None = None
    stop_asked: bool = False


@dataclass(frozen=True)
class Placed:
    """A project as its run found it: what it waits for, and how it is planned.

    `needs` must have ended well before it, those needed by way of others included; projects
    of a lower `group` must have ended, well or not. `formerly`: what the project was called
    that had this state before, `environment` the one that its state is known in. The rest is
    what configuration says of it, as in `projects.project.Project`.
    """

    project: ProjectKey
    needs: tuple[ProjectKey, ...] = ()
    group: int = 0
    name: str | None = None
    var_files: tuple[str, ...] = ()
    workflow: str | None = None
    tool: str | None = None
    version: str | None = None
    default_version: str | None = None
    tool_before: str | None = None
    formerly: ProjectKey | None = None
    environment: str | None = None


@dataclass(frozen=True)
class Run:
    """One ask being carried out. `checkout` and `projects` are None until laid out (`projects`
    also while hooks run, which may add some); `placed`
    has a row for each of them, `notices` what finding them brought up. `gone` are all states
    that nothing in its commit manages any more.

    `told_at` is when the last of its comments began to be written, None while one of
    them is still to be written, or was refused, or there is none. `version` grows each
    time somebody acts on the run.
    """

    id: RunId
    pull: PullRef
    ask: Ask
    created_at: datetime
    state: RunState = RunState.QUEUED
    checkout: Checkout | None = None
    projects: tuple[ProjectKey, ...] | None = None
    trouble: Trouble | None = None
    jobs: tuple[Job, ...] = field(default=())
    told_at: datetime | None = None
    version: int = 0
    placed: tuple[Placed, ...] = ()
    notices: tuple[Notice, ...] = ()
    gone: tuple[Gone, ...] = ()

    def place_of(self, project: ProjectKey) -> Placed:
        """One that nothing is known of stands by itself."""
        return next((p for p in self.placed if p.project == project), Placed(project))

    def is_deleted(self, project: ProjectKey) -> bool:
        """Its commit has the project no more: it can only be destroyed, as the base has it."""
        return any(gone.project == project and not gone.now_at for gone in self.gone)

    def jobs_of(self, kind: JobKind) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if job.kind is kind)

    @property
    def under_way(self) -> bool:
        """Some of its jobs have not ended."""
        return any(not job.state.finished for job in self.jobs)
