"""What is done about an interrupted apply: look, report, and break its lock on command.

Neither is done twice by itself, and neither changes an object: a look reads, and a lock
is broken only when a person asks for it.
"""

from __future__ import annotations

from dataclasses import replace

from prbot.model import Selector
from prbot.runs.interrupted import interrupted_job, lock_to_break, report
from prbot.runs.named import means
from prbot.runs.run import Job, JobKind, JobState, Run, RunState
from prbot.runs.say import Reason, Refusal, StateUnlocked
from prbot.runs.scene import Scene
from prbot.runs.steps import Finish, Say, StartJob, Step

Steps = tuple[Step, ...]


def looks(run: Run) -> Steps:
    """Begin to look at what interrupted applies of this run left, where nobody has yet."""
    looked = {job.project for job in run.jobs if job.kind is JobKind.LOOK}
    return tuple(
        StartJob(job.project, JobKind.LOOK, job.reviewed)
        for job in _interrupted(run)
        if job.project not in looked
    )


def recounts(run: Run) -> Steps:
    """Begin to look at what deleted projects still hold after they were destroyed."""
    looked = {job.project for job in run.jobs if job.kind is JobKind.INVENTORY}
    applied = (job for job in run.jobs if job.state is JobState.APPLIED)
    return tuple(
        StartJob(job.project, JobKind.INVENTORY)
        for job in applied
        if run.is_deleted(job.project) and job.project not in looked
    )


def reports(run: Run, scene: Scene) -> Steps:
    """Tell what the looks found, one comment for each project."""
    said = []
    for number, job in enumerate(_interrupted(run)):
        look = next(j for j in run.jobs if j.kind is JobKind.LOOK and j.project == job.project)
        told = report(job, scene.journal, scene.plan(job.reviewed), look.trouble)
        told = replace(told, of_drift=run.ask.correction is not None)
        said.append(Say(f"{run.id}-left-{number}", told))
    return tuple(said)


def _interrupted(run: Run) -> tuple[Job, ...]:
    return tuple(
        job for job in run.jobs if job.kind is JobKind.APPLY and job.state is JobState.INTERRUPTED
    )


def break_locks(run: Run, scene: Scene) -> Steps | None:
    """Break the state locks that interrupted applies left; None when there are none.

    prbot's own hold on the project stays: what the apply left is not mended yet.
    """
    if run.jobs:
        waiting = any(not job.state.finished for job in run.jobs)
        return () if waiting else _tell(run)
    steps = tuple(
        StartJob(job.project, JobKind.FORCE_UNLOCK, job.reviewed)
        for job in _with_lock(scene, run.ask.select)
    )
    return steps or None


def _with_lock(scene: Scene, select: Selector) -> tuple[Job, ...]:
    """The newest interrupted apply of each selected project, if its lock may be left."""
    found: dict[str, Job] = {}
    for job in scene.jobs():
        newest = interrupted_job(scene.runs, job)
        if newest is None or not means(scene, select, job.project):
            continue
        if scene.interrupted(job.project) and lock_to_break(scene.journal, newest[1].id):
            found[str(job.project)] = newest[1]
    return tuple(found.values())


def _tell(run: Run) -> Steps:
    freed = tuple(job.project for job in run.jobs if job.state is JobState.FREED)
    said: list[Step] = []
    if freed:
        said.append(Say(f"{run.id}-freed", StateUnlocked(freed, run.ask.actor)))
    reasons = tuple(
        Reason("state lock", f"`{job.project}`: {job.trouble.sentence}", job.trouble.hint)
        for job in run.jobs
        if job.trouble is not None
    )
    if reasons:
        said.append(Say(run.id, Refusal("unlock", run.ask.actor, reasons)))
    return (*said, Finish(RunState.REFUSED if reasons else RunState.DONE))
