"""A look at one project of the default branch: planned, never applied, and told nowhere here.

Where the code is not what is known to run, that is planned too, so that what nobody applied
and what somebody changed are told apart. Nothing is locked, and nothing is written to anybody:
what was found is read when the run has ended.
"""

from __future__ import annotations

from prbot.model import ProjectKey, PullRef, RepoRef
from prbot.plans.record import Inputs
from prbot.runs.run import Job, JobKind, JobState, Run, RunState, Trouble
from prbot.runs.scene import Scene
from prbot.runs.steps import DropWorkspaces, Finish, LayOut, StartJob, Step

_QUEUED_COMMITS = 2**28
"""Places of a merge queue's commits lie above."""
GONE = Trouble("The project is no more on the default branch.")
NOT_LOOKED_AT = Trouble("Planning was stopped before it ended.")

Steps = tuple[Step, ...]


def place_for(repo: RepoRef, number: int) -> PullRef:
    """Where the looks at the project of this number are kept, apart from all pull requests."""
    return PullRef(repo, -1 - _QUEUED_COMMITS - number)


def project_of(run: Run) -> ProjectKey:
    """The one that is looked at."""
    (directory,), (workspace,) = run.ask.select.dirs, run.ask.select.workspaces
    return ProjectKey(directory, workspace)


def decide_drift(run: Run, scene: Scene) -> Steps:
    """Plan the head, and what was applied where that differs."""
    trouble = run.trouble or scene.rules
    if isinstance(trouble, Trouble):
        return _ended(RunState.FAILED, trouble)
    if run.projects is None:
        return (LayOut(),)
    project = project_of(run)
    if project not in run.projects:
        return _ended(RunState.FAILED, GONE)
    if not run.jobs:
        return (StartJob(project, JobKind.PLAN),)
    if not all(job.state.finished for job in run.jobs):
        return ()
    if applied_is_wanted(run, scene):
        return (StartJob(project, JobKind.PLAN_APPLIED),)
    lost = any(job.state not in (JobState.PLANNED, JobState.FAILED) for job in run.jobs)
    return _ended(RunState.FAILED if lost else RunState.DONE, NOT_LOOKED_AT if lost else None)


def _ended(state: RunState, trouble: Trouble | None) -> Steps:
    return (DropWorkspaces(), Finish(state, trouble))


def applied_is_wanted(run: Run, scene: Scene) -> bool:
    """The head would change something, and has other code than what is known to run, which is
    at hand and not planned."""
    applied, head = run.ask.applied, head_of(run)
    plan = scene.plan(head.plan_id) if head is not None else None
    if applied is None or plan is None or not plan.summary.has_changes:
        return False
    if same_code(plan.inputs, applied.inputs):
        return False
    at_hand = run.checkout is not None and run.checkout.base == applied.commit
    return at_hand and not run.jobs_of(JobKind.PLAN_APPLIED)


def head_of(run: Run) -> Job | None:
    """What planned the head, the last of them."""
    return next(reversed(run.jobs_of(JobKind.PLAN)), None)


def same_code(one: Inputs, two: Inputs) -> bool:
    """Whether plans of both say the same of the same infrastructure. A tool of another version
    is another hand, not other code."""
    return _code(one) == _code(two)


def _code(inputs: Inputs) -> tuple[object, ...]:
    return (
        inputs.files,
        inputs.lock_file,
        inputs.arguments,
        inputs.workflow,
        inputs.configuration,
        inputs.variables,
    )
