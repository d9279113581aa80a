"""Applies that did not begin because their plan was not fresh any more.

Where only the state's serial, the time or the base went on, the plan is made again, once in a
run, and applied if it is equal to the reviewed one; else it is held. The others of the run go
their way meanwhile; what depends on it waits, and goes on or is skipped with it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

from prbot.plans.record import StoredPlan
from prbot.runs.judging import Judgement
from prbot.runs.order import gone_ahead, release
from prbot.runs.overrides import noted
from prbot.runs.phases import Steps, held, report_applied, second_phase, why_not_equal
from prbot.runs.planning import head_of
from prbot.runs.run import Job, JobKind, Run
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import Scene
from prbot.runs.stale import planned_again, to_plan_again
from prbot.runs.steps import Check, SetStatus, StartJob, Verdict

WhyNot = Callable[[tuple[Job, ...], tuple[StoredPlan, ...]], Judgement]
"""Why plans that are equal to the reviewed ones may not be applied now; no reasons if they may."""


def go_on(run: Run, scene: Scene, why_not: WhyNot) -> Steps:
    """What is done about stale plans; nothing where there is none, or no more can be done."""
    if stale := to_plan_again(run):
        pending = SetStatus(head_of(run, scene), Check.APPLY, Verdict.PENDING, "planning again")
        return (pending, *(StartJob(job.project, JobKind.PLAN, job.reviewed) for job in stale))
    jobs = planned_again(run)
    projects = frozenset(job.project for job in jobs)
    fresh = tuple(p for p in (scene.plan(job.plan_id) for job in jobs) if p is not None)
    if not jobs or (len(fresh) == len(jobs) and not any(_changes(plan) for plan in fresh)):
        return release(run, done=projects)
    judgement = why_not(jobs, fresh)
    why = why_not_equal(jobs, scene) or (*_too_late(run, fresh), *judgement.reasons)
    if why and (dependants := release(run, given_up=projects)):
        return dependants
    if why:
        topic = f"{run.id}-held"
        return report_applied(run, scene, kept=held(run, scene, why, jobs, topic))
    return noted(run, scene, judgement.passed_over, second_phase(run, scene, fresh))


def _too_late(run: Run, fresh: tuple[StoredPlan, ...]) -> Reasons:
    """What was held once stays so when the reason is gone, if others went on without it."""
    ahead = ((plan.project, gone_ahead(run, plan.project)) for plan in fresh if _changes(plan))
    return tuple(
        Reason(
            "order",
            f"`{after[0]}`, which comes after `{project}`, went on without it",
            f"comment `prbot plan -d {shlex.quote(project.dir)}`, and apply that",
        )
        for project, after in ahead
        if after
    )


def _changes(plan: StoredPlan) -> bool:
    return plan.summary.has_changes
