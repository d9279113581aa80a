"""A merge queue's commit: planned like what was merged, and never applied.

The forge makes it to try what its branch would become, and merges only if both checks of it
are good. There is no pull request to write to: what went wrong stands in the checks. What it
will be applied by is the merge, from the plans that people reviewed.
"""

from __future__ import annotations

from prbot.model import PullRef, PullRequest, RepoRef, Sha
from prbot.runs.checks import CheckDetail, notes_of
from prbot.runs.planning import result_of
from prbot.runs.run import AskKind, Job, JobKind, JobState, Run, RunState, Trouble
from prbot.runs.say import ProjectResult
from prbot.runs.scene import Scene
from prbot.runs.steps import (
    Check,
    DropPlans,
    DropWorkspaces,
    Finish,
    LayOut,
    SetStatus,
    StartJob,
    Step,
    StopJob,
    Verdict,
)

Steps = tuple[Step, ...]
ENTRY = (AskKind.QUEUED, AskKind.UNQUEUED, AskKind.DRIFT, AskKind.CORRECT)
"""About a commit that is in no pull request, as far as they know."""
GONE = Trouble("Stopped: the merge queue gave this commit up.")


def place_of(repo: RepoRef, commit: Sha) -> PullRef:
    """Where the runs of a queue's commit are kept: forges count pull requests from 1, so what
    is none of theirs has a number below zero, the same for the same commit."""
    return PullRef(repo, -1 - int(commit[:7], 16))


def entry_of(run: Run) -> PullRequest:
    """The queue's commit told as a pull request that was merged by it."""
    commit = run.ask.head_sha or Sha("")
    return PullRequest(
        ref=run.pull,
        title="merge queue",
        author=run.ask.actor,
        head_sha=commit,
        head_branch="",
        head_repo=run.pull.repo.path,
        base_branch=run.ask.base_branch,
        base_sha=commit,
        default_branch=run.ask.default_branch or run.ask.base_branch,
        open=False,
        merged=True,
        merge_sha=commit,
    )


def decide_queued(run: Run, scene: Scene) -> Steps:
    """Plan the commit and end both of its checks."""
    trouble = run.trouble or scene.rules
    if isinstance(trouble, Trouble):
        return _ended(scene, Verdict.FAILURE, trouble.sentence, (), RunState.FAILED)
    if run.projects is None:
        pending = SetStatus(scene.pull.head_sha, Check.PLAN, Verdict.PENDING, "planning")
        return (pending, LayOut())
    if not run.projects:
        return _ended(scene, Verdict.SUCCESS, "0 projects", (), RunState.DONE)
    if not run.jobs:  # however many: who put it into the queue asked for all of them
        return tuple(StartJob(project, JobKind.PLAN) for project in run.projects)
    if not all(job.state.finished for job in run.jobs):
        return ()
    return _told(run.jobs, scene)


def _told(jobs: tuple[Job, ...], scene: Scene) -> Steps:
    results = tuple(result_of(job, scene) for job in jobs)
    failed = sum(job.state is not JobState.PLANNED for job in jobs)
    if failed:
        words = f"{failed} of {_projects(len(jobs))} not planned"
        return _ended(scene, Verdict.FAILURE, words, results, RunState.FAILED)
    changed = sum(bool(r.plan and r.plan.summary.has_changes) for r in results)
    words = f"{_projects(len(jobs))} planned, {changed} with changes"
    return _ended(scene, Verdict.SUCCESS, words, results, RunState.DONE)


def _projects(count: int) -> str:
    return "1 project" if count == 1 else f"{count} projects"


def _ended(
    scene: Scene, verdict: Verdict, words: str, results: tuple[ProjectResult, ...], state: RunState
) -> Steps:
    sha, good = scene.pull.head_sha, verdict is Verdict.SUCCESS
    applying = "nothing is applied in a merge queue" if good else words
    detail = CheckDetail(results, notes_of(results, ()))
    return (
        SetStatus(sha, Check.PLAN, verdict, words, detail),
        SetStatus(sha, Check.APPLY, verdict, applying),
        DropPlans(),
        DropWorkspaces(),
        Finish(state),
    )


def decide_unqueued(run: Run, scene: Scene) -> Steps:
    """The queue let go of its commit: stop what plans it, and forget it."""
    going = tuple(each for each in scene.runs if each.id != run.id and not each.state.finished)
    jobs = (job for each in going for job in each.jobs if not job.state.finished)
    stops = tuple(StopJob(job, GONE) for job in jobs)
    return (*stops, DropPlans(), DropWorkspaces(), Finish(RunState.DONE))
