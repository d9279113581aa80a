"""How an apply goes on that somebody asked for on an open pull request.

Every requirement is judged twice: before anything is planned again, and, because the
world went on meanwhile, once more before anything is applied.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from prbot.config.repo import Effective
from prbot.plans.record import StoredPlan
from prbot.runs.accepting import accept, was_all
from prbot.runs.again import go_on
from prbot.runs.judging import (
    Judgement,
    head_moved,
    judged,
    waits_for,
)
from prbot.runs.overrides import noted
from prbot.runs.phases import (
    Steps,
    apply_jobs,
    first_phase,
    fresh_plans,
    has_work,
    hold,
    nothing_changes,
    report_applied,
    second_phase,
    wait_for,
    waits,
    why_not_equal,
)
from prbot.runs.planning import fail, refuse
from prbot.runs.requirements.asking import may_apply_now
from prbot.runs.requirements.plans import chosen_plans, names_something, not_locked, without_plan
from prbot.runs.requirements.pulls import pull_is_fit, still_served
from prbot.runs.requirements.standing import beside_the_button
from prbot.runs.run import Job, Run, RunState, Trouble
from prbot.runs.say import Reason
from prbot.runs.scene import NOTHING_ALLOWED, Scene
from prbot.runs.steps import LayOut


def decide_apply(run: Run, scene: Scene) -> Steps:
    """Steps of an APPLY run on a pull request that is not merged."""
    if waits(run):
        return ()
    if apply_jobs(run):  # what was done is told, whatever has become of the rest
        return go_on(run, scene, partial(_why_not_now, run, scene)) or report_applied(run, scene)
    trouble = run.trouble or scene.rules
    if isinstance(trouble, Trouble):
        return fail(run, scene, trouble)
    rules = scene.rules if isinstance(scene.rules, Effective) else NOTHING_ALLOWED
    if run.jobs:
        return _after_planning_again(run, scene, rules)
    if run.projects is not None:
        return _begin(run, scene, rules)
    early = may_apply_now(run, scene.permission)
    if early or not scene.pull.open:  # nothing need be laid out to say so
        return refuse(run, early + pull_is_fit(scene.pull))
    return (LayOut(),)


def _begin(run: Run, scene: Scene, rules: Effective) -> Steps:
    if accepting := accept(run, scene, rules):
        return accepting
    plans, reasons = chosen_plans(scene, run.ask.select, run.ask.plan_id)
    reasons = names_something(run, plans) or reasons
    todo = tuple(plan for plan in plans if has_work(plan))
    if not todo and (done := was_all(run, scene)):
        return done
    unplanned = () if run.ask.plan_id else without_plan(scene, run.ask.select)
    judgement = judged(run, scene, rules, todo, unplanned)
    reasons += judgement.reasons + (beside_the_button(run.ask, todo) if todo else ())
    projects = (*(plan.project for plan in todo), *unplanned)
    waiting = not_locked(scene, projects)
    if reasons and not (waits_for(scene, rules, projects) and all(r.comes for r in reasons)):
        return refuse(run, reasons + waiting)
    if not todo:
        return refuse(run, (nothing_left(plans),))
    if reasons or waiting:
        return wait_for(run, reasons + waiting)
    # While it waited, the base branch may have moved: everything is laid out anew.
    if run.state is RunState.WAITING:
        return (LayOut(),)
    return noted(run, scene, judgement.passed_over, first_phase(run, scene, todo))


def _after_planning_again(run: Run, scene: Scene, rules: Effective) -> Steps:
    fresh = fresh_plans(run, scene)
    moved = head_moved(run, scene)
    if moved:
        return refuse(run, moved)
    if nothing_changes(run, scene):
        return report_applied(run, scene)
    why = why_not_equal(run.jobs, scene)
    if why:
        return hold(run, scene, why)
    judgement = judged(run, scene, rules, fresh)
    reasons = judgement.reasons + not_locked(scene, tuple(plan.project for plan in fresh))
    if reasons:
        return refuse(run, reasons)
    return noted(run, scene, judgement.passed_over, second_phase(run, scene, fresh))


def _why_not_now(
    run: Run, scene: Scene, _: tuple[Job, ...], fresh: tuple[StoredPlan, ...]
) -> Judgement:
    """What is missing by now for plans that were made again."""
    rules = scene.rules if isinstance(scene.rules, Effective) else NOTHING_ALLOWED
    judgement = judged(run, scene, rules, fresh)
    locked = not_locked(scene, tuple(plan.project for plan in fresh))
    return replace(judgement, reasons=still_served(scene) + judgement.reasons + locked)


def nothing_left(plans: tuple[StoredPlan, ...]) -> Reason:
    done = any(plan.applied_at for plan in plans)
    what = "everything planned is applied already" if done else "the plan has no changes"
    return Reason("changes", f"there is nothing to apply: {what}", "push a change to apply one")
