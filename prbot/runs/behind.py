"""Merged code that is not applied yet: which pull requests brought it, and in which order.

A merge leaves a landing for each project it has something left to do in. While one of them is
not settled its project is *behind*. What is applied at a later commit of the same history
holds it too, so it settles all that landed before; and nothing is applied at an earlier commit
any more, because that would take the later change back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from prbot.model import ProjectKey, PullRef
from prbot.runs.landings import Landing
from prbot.runs.run import Job, JobKind, JobState, Run
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import Scene


def not_landed(run: Run, scene: Scene, projects: Iterable[ProjectKey]) -> tuple[ProjectKey, ...]:
    """Those of the projects for which this merge has left no landing yet."""
    commit = run.checkout.commit if run.checkout else None
    known = {one.project for one in _own(scene) if one.commit == commit}
    return tuple(sorted(set(projects) - known))


def settled_here(project: ProjectKey, scene: Scene) -> PullRef | None:
    """Whose apply brought in what this pull request merged; None while nobody's did."""
    own = (one for one in _own(scene) if one.commit == scene.pull.merge_sha)
    return next((one.settled_by for one in own if one.project == project), None)


def overtaken_by(project: ProjectKey, scene: Scene) -> PullRef | None:
    """A pull request that was merged later and whose code is applied, ours with it."""
    for one in scene.landings:
        later = one.commit in scene.around.after and one.commit != scene.pull.merge_sha
        if one.project == project and one.settled_by and later and one.pull != scene.pull.ref:
            return one.pull
    return None


def included(scene: Scene, projects: Collection[ProjectKey]) -> tuple[Landing, ...]:
    """What others merged and nobody applied, and what the run's commit holds of it."""
    return tuple(
        one
        for one in scene.landings
        if one.settled_by is None
        and one.pull != scene.pull.ref
        and one.project in projects
        and one.commit in scene.around.before
    )


def to_settle(run: Run, scene: Scene) -> tuple[Landing, ...]:
    """The landings that are applied with what this run applied, or found to be so already."""
    done = _done(run, scene)
    own = (one for one in _own(scene) if one.settled_by is None and one.project in done)
    here = run.checkout.commit if run.checkout else None
    return (*(one for one in own if one.commit == here), *included(scene, done))


def _done(run: Run, scene: Scene) -> frozenset[ProjectKey]:
    """Applied by this run, all of it; of a merge also what its commit changes nothing in."""
    applied = {
        job.project
        for job in run.jobs
        if job.kind is JobKind.APPLY and job.state is JobState.APPLIED and _whole(job, scene)
    }
    if not run.checkout or run.checkout.commit != scene.pull.merge_sha:
        return frozenset(applied)
    made = (scene.plan(job.plan_id) for job in run.jobs if job.state is JobState.PLANNED)
    return frozenset(applied | {p.project for p in made if p and not p.summary.has_changes})


def _whole(job: Job, scene: Scene) -> bool:
    """What was made with arguments brings in a part of the code, or none of it."""
    plan = scene.plan(job.reviewed)
    return plan is None or not plan.special


def goes_first(run: Run, scene: Scene, projects: Collection[ProjectKey]) -> Reasons:
    """Merges that come before this one, and are not done with one of the projects.

    A project that this pull request holds nobody else can go on with, so it does not wait
    there: the two would wait for one another.
    """
    held = {lock.project for lock in scene.locks if lock.holder == run.pull}
    wanted = set(projects) - held
    found = ((each, wanted & set(each.projects or wanted)) for each in before(run, scene))
    return tuple(
        Reason(
            "order",
            f"`{project}`: pull request {each.pull.number} was merged before this one,"
            " and is not done with it",
            f"pull request {each.pull.number} is applied or held",
        )
        for each, shared in found
        for project in sorted(shared)
    )


def before(run: Run, scene: Scene) -> tuple[Run, ...]:
    """The unfinished merges of others that come before this one."""
    return tuple(each for each in scene.merging if _comes_before(each, run, scene))


def _comes_before(other: Run, run: Run, scene: Scene) -> bool:
    """One whose commit nobody knows yet might; of two with one commit the older one goes."""
    if other.checkout is None:
        return other.created_at < run.created_at
    mine = run.checkout.commit if run.checkout else None
    if other.checkout.commit == mine:
        return other.pull.number < run.pull.number
    return other.checkout.commit in scene.around.before


def _own(scene: Scene) -> Iterable[Landing]:
    return (one for one in scene.landings if one.pull == scene.pull.ref)
