"""Applies of a run that did not begin, because their plan was not fresh any more.

Where only the state's serial, the time or the base went on, the plan is made again, once in a
run. Until that is judged the project has neither been applied nor failed.
"""

from __future__ import annotations

from prbot.model import ProjectKey
from prbot.runs.run import Job, JobKind, JobState, Run


def to_plan_again(run: Run) -> tuple[Job, ...]:
    """The applies whose plan is still to be made again."""
    planned = {job.project for job in run.jobs if job.kind is JobKind.PLAN}
    return tuple(job for job in run.jobs if _may_go_on(job) and job.project not in planned)


def _may_go_on(job: Job) -> bool:
    return job.state is JobState.STALE and job.trouble is not None and not job.trouble.refused


def planned_again(run: Run) -> tuple[Job, ...]:
    """Jobs that made a plan after its apply did not begin, and have no apply of their own."""
    found: dict[ProjectKey, Job] = {}
    stale = set()
    for job in run.jobs:
        if job.kind is JobKind.APPLY:
            found.pop(job.project, None)
            if job.state is JobState.STALE:
                stale.add(job.project)
        elif job.kind is JobKind.PLAN and job.project in stale:
            found[job.project] = job
    return tuple(found.values())


def unsettled(run: Run) -> frozenset[ProjectKey]:
    """The projects of which it is not known yet whether they are applied after all."""
    return frozenset(job.project for job in (*to_plan_again(run), *planned_again(run)))
