"""The summary that fills in while the projects of a run are planned or applied.

It stands where the run's report will stand, so that the report replaces it. It begins only
once that is certain: a push that changes no plan edits the comment of the plans before, and
must leave no other one behind. Not told: runs of one project, and what merges start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from prbot.model import PlanId, ProjectKey
from prbot.plans.record import StoredPlan
from prbot.runs.hooks import without_hooks
from prbot.runs.run import AskKind, Job, JobKind, JobState, Run, RunState
from prbot.runs.say import Progress, ProgressRow, ProjectResult

TOLD = (AskKind.PLAN, AskKind.APPLY)
Plans = Mapping[PlanId, StoredPlan]

DOING = {
    (JobKind.PLAN, JobState.RUNNING): "planning",
    (JobKind.APPLY, JobState.RUNNING): "applying",
}


def pause(run: Run, told: datetime | None, now: datetime, every: timedelta) -> timedelta | None:
    """How long until the summary is due, zero when it is; None when this run has none.

    `told` is when it was written last. In the first moments of a run there is none: most
    runs have ended by then.
    """
    run = without_hooks(run)  # those behind the report must not have it written over
    if run.ask.kind not in TOLD or len(_newest_jobs(run)) < 2 or not run.under_way:
        return None
    return max(timedelta(0), (told or run.created_at) + every - now)


def begins_a_comment(run: Run, runs: Iterable[Run], plans: Plans) -> bool:
    """The report will certainly be a new comment, and not an edit of an earlier one."""
    run, runs = without_hooks(run), map(without_hooks, runs)
    earlier = [r for r in runs if r.created_at < run.created_at and _reported(r)]
    if run.ask.by_comment or not earlier:
        return True
    before = _content(earlier[0].jobs, plans)
    ended = [job for job in run.jobs if job.state.finished]
    here = _content(ended, plans)
    if before is None or here is None:
        return True
    return not here <= before or {job.project for job in run.jobs} != {p for p, _ in before}


def progress(run: Run, plans: Plans, ended: str = "") -> Progress:
    """A row for each project, those that need a person first; `ended`: why it goes no further."""
    rows = [_row(job, plans, bool(ended)) for job in _newest_jobs(run).values()]
    return Progress(run.ask.kind.value, tuple(sorted(rows, key=_order)), ended)


def _row(job: Job, plans: Plans, ended: bool) -> ProgressRow:
    if job.state.finished:
        plan = plans.get(job.plan_id or job.reviewed or PlanId(""))
        result = ProjectResult(
            job.project,
            plan,
            job.trouble,
            applied=job.state is JobState.APPLIED,
            interrupted=job.state is JobState.INTERRUPTED,
            differences=job.differences,
        )
        return ProgressRow(job.project, result=result)
    waits = "waits for others" if job.state is JobState.BLOCKED else "queued"
    return ProgressRow(job.project, "stopped" if ended else DOING.get((job.kind, job.state), waits))


def _order(row: ProgressRow) -> tuple[int, ProjectKey]:
    return _urgency(row), row.project


def _urgency(row: ProgressRow) -> int:
    result = row.result
    if result is None:
        return 2 if row.doing in DOING.values() else 3
    if result.interrupted or result.trouble is not None or result.plan is None:
        return 0
    counts = result.plan.summary.counts
    if (counts.delete or counts.replace or result.differences) and not result.applied:
        return 1
    return 4 if result.plan.summary.has_changes else 5


def _newest_jobs(run: Run) -> dict[ProjectKey, Job]:
    """The last job of each project that plans or applies it."""
    return {job.project: job for job in run.jobs if job.kind in (JobKind.PLAN, JobKind.APPLY)}


def _reported(run: Run) -> bool:
    told = (RunState.DONE, RunState.FAILED)
    return run.ask.kind is AskKind.PLAN and run.state in told and bool(run.jobs)


def _content(jobs: Iterable[Job], plans: Plans) -> frozenset[tuple[ProjectKey, str]] | None:
    """None when one of them has no plan."""
    found = [plans.get(job.plan_id or PlanId("")) for job in jobs]
    if any(plan is None for plan in found):
        return None
    return frozenset((plan.project, plan.hash) for plan in found if plan is not None)
