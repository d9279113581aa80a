"""What a merged pull request still has to settle, and which plan of it was reviewed."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.model import ProjectKey
from prbot.plans.record import StoredPlan
from prbot.runs.behind import overtaken_by, settled_here
from prbot.runs.run import AskKind, Job, JobKind, Run, RunState
from prbot.runs.scene import Scene

UNSEEN = frozenset(
    {
        RunState.QUEUED,
        RunState.WORKING,
        RunState.WAITING,
        RunState.RESUMED,
        RunState.SUPERSEDED,
        RunState.IGNORED,
    }
)
"""Runs that ended, or have not, without showing their plans to anybody."""


@dataclass(frozen=True)
class Left:
    """What a merged pull request still has to settle."""

    reviewed: tuple[StoredPlan, ...]
    unreviewed: tuple[ProjectKey, ...]


def what_is_left(run: Run, scene: Scene) -> Left:
    """Projects the merge touched, or that this pull request planned last or still holds,
    less those applied from the head that was merged."""
    reviewed, unreviewed = [], []
    for project in sorted(touched(run, scene)):
        if is_applied(project, scene) or _is_in_another(project, scene):
            continue
        match = _to_compare_with(run, scene, project)
        if match is None:
            unreviewed.append(project)
        else:
            reviewed.append(match)
    return Left(tuple(reviewed), tuple(unreviewed))


def touched(run: Run, scene: Scene) -> set[ProjectKey]:
    commit = scene.pull.merge_sha
    laid_out = (r for r in (run, *scene.runs) if r.checkout and r.checkout.commit == commit)
    here = (p.project for p in scene.plans if p.head == scene.pull.head_sha or p.commit == commit)
    current = set(scene.current_projects())
    of_merge = {project for r in laid_out for project in r.projects or ()}
    begun = set(held(run, scene)) & set(scene.begun_projects())
    found = of_merge | (set(here) & current) | begun
    return {project for project in found if not run.is_deleted(project)}


def held(run: Run, scene: Scene) -> tuple[ProjectKey, ...]:
    return tuple(lock.project for lock in scene.locks if lock.holder == run.pull)


def is_applied(project: ProjectKey, scene: Scene) -> bool:
    ours = (scene.pull.head_sha, scene.pull.merge_sha)
    applied = [p for p in scene.plans if p.project == project and p.applied_at and not p.partial]
    if applied and applied[0].destroys:  # what somebody had destroyed is not made again
        return True
    return any(plan.head in ours or plan.commit in ours for plan in applied)


def _is_in_another(project: ProjectKey, scene: Scene) -> bool:
    """Applied with what another pull request merged. It must not be applied at this commit any
    more: that would take back what came after it."""
    return bool(settled_here(project, scene) or overtaken_by(project, scene))


def _to_compare_with(run: Run, scene: Scene, project: ProjectKey) -> StoredPlan | None:
    """Accepting means the plan of the merge commit itself; else the reviewed head's."""
    if not run.ask.accept_changes:
        return _reviewed(scene, project)
    plans = (plan for plan in scene.plans if plan.project == project)
    return next((plan for plan in plans if plan.commit == scene.pull.merge_sha), None)


def _reviewed(scene: Scene, project: ProjectKey) -> StoredPlan | None:
    """The last plan of the merged head, if it succeeded and was shown before the merge."""
    for run in scene.runs:
        job = plan_job_before_merge(run, scene, project)
        if job is not None:
            return scene.plan(job.plan_id) if was_shown(run, scene) else None
    return None


def was_shown(run: Run, scene: Scene) -> bool:
    if run.state in UNSEEN or run.told_at is None:
        return False
    heard = (each.created_at for each in scene.runs if each.ask.kind is AskKind.MERGE)
    return run.told_at <= min(heard, default=run.told_at)


def plan_job_before_merge(run: Run, scene: Scene, project: ProjectKey) -> Job | None:
    """The run's plan of the merged head, before it was merged."""
    at = run.checkout
    if at is None or at.head != scene.pull.head_sha or at.commit == scene.pull.merge_sha:
        return None
    if run.ask.special:  # planned with arguments: it says nothing of what is merged
        return None
    jobs = (job for job in run.jobs if job.kind is JobKind.PLAN and job.project == project)
    return next(jobs, None)
