"""What happens after a merge: apply what was reviewed and is unchanged, hold the rest.

A merge run plans everything that is left at the merge commit, also what it will not
apply, so that people can judge it; `apply` on the merged pull request takes it from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from prbot.config.repo import Effective
from prbot.config.server import ApplyOnMerge
from prbot.model import ProjectKey, Sha
from prbot.plans.record import StoredPlan
from prbot.runs.accepting import accept, accounted_for, told_after_merge, was_all
from prbot.runs.again import go_on
from prbot.runs.applying import nothing_left
from prbot.runs.behind import (
    goes_first,
    included,
    not_landed,
)
from prbot.runs.elsewhere import plan_again
from prbot.runs.judging import Judgement, unless_overridden, waits_for
from prbot.runs.left import Left, held, what_is_left
from prbot.runs.overrides import noted
from prbot.runs.phases import (
    Steps,
    all_planned,
    apply_jobs,
    first_phase,
    has_work,
    hold,
    nothing_changes,
    report_applied,
    second_phase,
    wait_for,
    waiting_plans,
    waits,
    why_not_equal,
)
from prbot.runs.planning import fail, refuse
from prbot.runs.requirements.approvals import not_alone
from prbot.runs.requirements.asking import may_apply_now
from prbot.runs.requirements.merges import never_by_itself, not_by_itself
from prbot.runs.requirements.people import one_environment, permitted
from prbot.runs.requirements.plans import (
    chosen_plans,
    needs_applied,
    not_interrupted,
    not_locked,
    plan_is_ready,
)
from prbot.runs.requirements.pulls import mode_allows, still_served
from prbot.runs.requirements.standing import beside_the_button, seen_when_asked
from prbot.runs.requirements.times import in_time
from prbot.runs.run import AskKind, Job, JobKind, Run, RunState, Trouble
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import NOTHING_ALLOWED, Scene
from prbot.runs.settling import settled_elsewhere, told_overtaken
from prbot.runs.steps import (
    DropPlans,
    DropWorkspaces,
    Finish,
    FreeLocks,
    Land,
    LayOut,
    StartJob,
)
from prbot.runs.unmerged import end_of_issue


def decide_merged(run: Run, scene: Scene) -> Steps:
    """Steps of a MERGE run, or of an APPLY run on a merged pull request."""
    if not scene.pull.merged:
        return (Finish(RunState.SUPERSEDED),)
    if waits(run):
        return ()
    if run.ask.settled_by is not None:
        return settled_elsewhere(run, scene, run.ask.settled_by)
    if apply_jobs(run):  # what was done is told, whatever has become of the rest
        again = go_on(run, scene, partial(_why_hold_again, run, scene))
        return again or report_applied(run, scene, _settle(run, scene))
    trouble = run.trouble or scene.rules
    if isinstance(trouble, Trouble):
        return fail(run, scene, trouble)
    early = may_apply_now(run, scene.permission) if run.ask.by_comment else ()
    if early and (run.projects is None or run.jobs):
        return refuse(run, early)
    if run.projects is None:
        return (LayOut(),)
    if _commit(run) != scene.pull.merge_sha:
        return _laid_out_before(run, scene)
    rules = scene.rules if isinstance(scene.rules, Effective) else NOTHING_ALLOWED
    if run.jobs:
        return _after_planning_again(run, scene, rules)
    if run.ask.kind is AskKind.MERGE:
        return _after_merge(run, scene, rules)
    return _apply_by_comment(run, scene, rules)


# --- the merge itself --------------------------------------------------------------------


def _after_merge(run: Run, scene: Scene, rules: Effective) -> Steps:
    left = what_is_left(run, scene)
    steps = _begin_with(run, scene, rules, left)
    projects = (*(plan.project for plan in left.reviewed), *left.unreviewed)
    fresh = not_landed(run, scene, projects) if rules.may_apply else ()
    if fresh:
        steps = (Land(fresh), *steps)
    return (*told_after_merge(run, scene), *steps) if steps else ()


def _begin_with(run: Run, scene: Scene, rules: Effective, left: Left) -> Steps:
    if not rules.may_apply or not (left.reviewed or left.unreviewed):
        told = told_overtaken(run, scene)
        return (*told, *_settle(run, scene), *plan_again(run, scene), Finish(RunState.DONE))
    if len(left.unreviewed) > rules.projects_per_run:
        return hold(run, scene, (_too_many(len(left.unreviewed)),))
    projects = (*(plan.project for plan in left.reviewed), *left.unreviewed)
    waiting = not_locked(scene, projects) + goes_first(run, scene, projects)
    waiting += in_time(scene, rules, projects)
    if waiting and not never_by_itself(run, scene, rules, projects):
        return _let_others_go(run, scene, projects, waiting)
    compared = (StartJob(plan.project, JobKind.PLAN, plan.id) for plan in left.reviewed)
    return (*compared, *(StartJob(project, JobKind.PLAN) for project in left.unreviewed))


def _let_others_go(
    run: Run, scene: Scene, projects: tuple[ProjectKey, ...], reasons: Reasons
) -> Steps:
    """Wait, and hold nothing meanwhile that is done with: others may wait for it."""
    waiting = wait_for(run, reasons)
    done = (p for p in held(run, scene) if p not in projects and not scene.interrupted(p))
    free = tuple(done) if waiting else ()
    return (FreeLocks(free), *waiting) if free else waiting


def _too_many(number: int) -> Reason:
    many = f"no plan was reviewed of {number} projects, more than are planned without being asked"
    return Reason("plan", many, "comment `prbot plan --all`")


def _after_planning_again(run: Run, scene: Scene, rules: Effective) -> Steps:
    if nothing_changes(run, scene):
        return report_applied(run, scene, _settle(run, scene))
    jobs = tuple(job for job in run.jobs if not _applied_meanwhile(job, scene))
    fresh = tuple(p for p in (scene.plan(job.plan_id) for job in jobs) if p is not None)
    changed = _changed(run, scene, rules, jobs)
    judgement = _why_hold(run, scene, rules, jobs, fresh)
    if reasons := (*changed, *judgement.reasons):
        return hold(run, scene, reasons)
    return noted(run, scene, judgement.passed_over, second_phase(run, scene, fresh))


def _laid_out_before(run: Run, scene: Scene) -> Steps:
    """What was laid out is not the merge commit, so nothing of it must be applied."""
    why = "the merge commit was not known when this began"
    if run.ask.kind is AskKind.MERGE:
        return hold(run, scene, (Reason("head", why, "comment `prbot plan`"),))
    return refuse(run, (Reason("head", why, "wait for what the merge brings"),))


def _commit(run: Run) -> Sha | None:
    return run.checkout.commit if run.checkout else None


def _applied_meanwhile(job: Job, scene: Scene) -> bool:
    """A comment's apply ended while the merge was being planned: it left nothing to do."""
    reviewed, fresh = scene.plan(job.reviewed), scene.plan(job.plan_id)
    applied = reviewed is not None and reviewed.applied_at is not None
    return applied and fresh is not None and not fresh.summary.has_changes


def _changed(run: Run, scene: Scene, rules: Effective, jobs: tuple[Job, ...]) -> Reasons:
    always = rules.apply_on_merge is ApplyOnMerge.ALWAYS and run.ask.kind is AskKind.MERGE
    if always and all_planned(jobs, scene):
        return ()
    why = why_not_equal(jobs, scene)
    before = included(scene, {job.project for job in jobs if job.differences})
    numbers = sorted({one.pull.number for one in before})
    if not (why and numbers):
        return why
    told = f"{why[0].message}; it includes unapplied {_pulls(numbers)}"
    return (replace(why[0], message=told), *why[1:])


def _pulls(numbers: Sequence[int]) -> str:
    plural = "pull request" if len(numbers) == 1 else "pull requests"
    return f"{plural} {', '.join(map(str, numbers))}"


def _why_hold(
    run: Run, scene: Scene, rules: Effective, jobs: tuple[Job, ...], fresh: tuple[StoredPlan, ...]
) -> Judgement:
    """Why plans that are as reviewed are not applied; no reasons when they may be."""
    projects = tuple(plan.project for plan in fresh)
    changing = {plan.project for plan in fresh if plan.summary.has_changes}
    reasons = mode_allows(rules) + not_locked(scene, projects)
    reasons += goes_first(run, scene, projects)
    reasons += in_time(scene, rules, changing) + accounted_for(run, scene, changing)
    for plan in fresh:
        if plan.summary.has_changes:
            reasons += plan_is_ready(plan, scene, plan.head)
    if run.ask.kind is not AskKind.MERGE:
        reasons += permitted(run.ask, scene, rules, changing, "apply")
        reasons += not_alone(run.ask, scene, rules, changing)
        return unless_overridden(run, scene, rules, reasons)
    return Judgement(not_by_itself(run, scene, rules, jobs) + reasons)


def _why_hold_again(
    run: Run, scene: Scene, jobs: tuple[Job, ...], fresh: tuple[StoredPlan, ...]
) -> Judgement:
    rules = scene.rules if isinstance(scene.rules, Effective) else NOTHING_ALLOWED
    judgement = _why_hold(run, scene, rules, jobs, fresh)
    asked = may_apply_now(run, scene.permission) if run.ask.by_comment else ()
    reasons = still_served(scene) + asked + _of_the_merge(scene, fresh) + judgement.reasons
    return replace(judgement, reasons=reasons)


def _of_the_merge(scene: Scene, fresh: tuple[StoredPlan, ...]) -> Reasons:
    """A command said before the merge may go on after it."""
    if all(plan.commit == scene.pull.merge_sha for plan in fresh):
        return ()
    merged = "the pull request was merged after this was planned"
    return (Reason("head", merged, "wait for what the merge brings"),)


def _settle(run: Run, scene: Scene) -> Steps:
    """Free what is applied; with nothing left, let go of everything but what is unclear."""
    if _commit(run) != scene.pull.merge_sha:
        return ()
    done = frozenset(job.project for job in apply_jobs(run))
    if run.ask.kind is not AskKind.MERGE and _still_open(run, scene, done):
        ended = scene.same_state(done)
        return (FreeLocks(tuple(project for project in held(run, scene) if project in ended)),)
    clear = (project for project in held(run, scene) if not scene.interrupted(project))
    issue = end_of_issue(run, scene)
    return (FreeLocks(tuple(clear)), DropPlans(), *issue, DropWorkspaces())


def _still_open(run: Run, scene: Scene, done: frozenset[ProjectKey]) -> bool:
    left = what_is_left(run, scene)
    unplanned = {p for p in left.unreviewed if scene.newest_plan(p) is None} - done
    return bool(unplanned or waiting_plans(scene, done))


# --- by comment, after the merge -----------------------------------------------------------


def _apply_by_comment(run: Run, scene: Scene, rules: Effective) -> Steps:
    if accepting := accept(run, scene, rules):
        return accepting
    left = what_is_left(run, scene)
    selected, reasons = chosen_plans(scene, run.ask.select, run.ask.plan_id)
    wanted = {plan.project for plan in selected}
    todo = tuple(p for p in left.reviewed if p.project in wanted and has_work(p))
    if not todo and (done := was_all(run, scene)):
        return done
    projects = tuple(plan.project for plan in todo)
    reasons += mode_allows(rules)
    if not reasons:
        reasons = _why_none(run, left, todo, wanted) or _not_the_named(run, scene, todo)
    reasons += may_apply_now(run, scene.permission)
    reasons += permitted(run.ask, scene, rules, wanted, "apply")
    reasons += not_alone(run.ask, scene, rules, wanted)
    reasons += one_environment(run.ask, scene, rules, todo)
    reasons += sum((_is_ready(plan, scene) for plan in todo), start=())
    reasons += sum((not_interrupted(plan.project, scene) for plan in todo), start=())
    reasons += needs_applied(run, scene, todo)
    reasons += accounted_for(run, scene, set(projects))
    reasons += seen_when_asked(run.ask, scene, todo)
    reasons += beside_the_button(run.ask, todo) if todo else ()
    reasons += in_time(scene, rules, projects)
    judgement = unless_overridden(run, scene, rules, reasons)
    left_over = tuple(dict.fromkeys(judgement.reasons))
    waiting = not_locked(scene, projects) + goes_first(run, scene, projects)
    waits = waits_for(scene, rules, projects) and all(r.comes for r in left_over)
    if left_over and not waits:
        return refuse(run, left_over + waiting)
    waiting = left_over + waiting
    if waiting:
        return wait_for(run, waiting)
    return noted(run, scene, judgement.passed_over, first_phase(run, scene, todo))


def _why_none(
    run: Run, left: Left, todo: tuple[StoredPlan, ...], wanted: set[ProjectKey]
) -> Reasons:
    if todo:
        return ()
    if wanted.isdisjoint(left.unreviewed):
        return (nothing_left(left.reviewed),)
    return (_needs_accepting(run),)


def _needs_accepting(run: Run) -> Reason:
    if run.ask.accept_changes:
        return Reason(
            "plan",
            "the merge commit is not planned",
            "comment `prbot plan`, read it, then `prbot apply --accept-changes`",
        )
    return Reason(
        "reviewed",
        "what was merged is not what was reviewed",
        "read the plan above, then comment `prbot apply --accept-changes`",
    )


def _not_the_named(run: Run, scene: Scene, todo: tuple[StoredPlan, ...]) -> Reasons:
    """Accepting by plan id accepts that very plan."""
    if run.ask.plan_id is None or not run.ask.accept_changes:
        return ()
    return tuple(
        Reason("newest", f"plan {run.ask.plan_id} is not of the merge", f"apply {plan.id}")
        for plan in todo
        if plan.id != run.ask.plan_id
    )


def _is_ready(plan: StoredPlan, scene: Scene) -> Reasons:
    """A plan of the merge commit is applied as it is; another one is only compared with."""
    unfit = plan.state_is_lost or plan.summary.errored or not plan.summary.applyable
    if unfit or plan.commit == scene.pull.merge_sha:
        return plan_is_ready(plan, scene, plan.head)
    return ()
