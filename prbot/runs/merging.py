"""What happens after a merge: apply what was reviewed and is unchanged, hold the rest.

A merge run plans everything that is left at the merge commit, also what it will not
apply, so that people can judge it; `apply` on the merged pull request takes it from there.
"""

from __future__ import annotations

from dataclasses import dataclass

from prbot.config.repo import Effective
from prbot.config.server import ApplyOnMerge
from prbot.model import ProjectKey, Sha
from prbot.plans.record import StoredPlan
from prbot.runs.accepting import accept, accounted_for, told_after_merge, was_all
from prbot.runs.applying import nothing_left
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
from prbot.runs.requirements.asking import may_apply_now
from prbot.runs.requirements.plans import (
    chosen_plans,
    needs_applied,
    not_interrupted,
    not_locked,
    plan_is_ready,
)
from prbot.runs.requirements.pulls import mode_allows
from prbot.runs.requirements.standing import beside_the_button, seen_when_asked
from prbot.runs.run import AskKind, Job, JobKind, Run, RunState, Trouble
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import NOTHING_ALLOWED, Scene
from prbot.runs.steps import DropPlans, DropWorkspaces, Finish, FreeLocks, LayOut, StartJob

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


def decide_merged(run: Run, scene: Scene) -> Steps:
    """Steps of a MERGE run, or of an APPLY run on a merged pull request."""
    if not scene.pull.merged:
        return (Finish(RunState.SUPERSEDED),)
    if waits(run):
        return ()
    if apply_jobs(run):  # what was done is told, whatever has become of the rest
        return report_applied(run, scene, _settle(run, scene))
    trouble = run.trouble or scene.rules
    if isinstance(trouble, Trouble):
        return fail(run, scene, trouble)
    if run.ask.by_comment and may_apply_now(run, scene.permission):
        return refuse(run, may_apply_now(run, scene.permission))
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


# --- what is left ------------------------------------------------------------------------


def _what_is_left(run: Run, scene: Scene) -> Left:
    """Projects the merge touched, or that this pull request planned last or still holds,
    less those applied from the head that was merged."""
    reviewed, unreviewed = [], []
    for project in sorted(_touched(run, scene)):
        if _is_applied(project, scene):
            continue
        match = _to_compare_with(run, scene, project)
        if match is None:
            unreviewed.append(project)
        else:
            reviewed.append(match)
    return Left(tuple(reviewed), tuple(unreviewed))


def _touched(run: Run, scene: Scene) -> set[ProjectKey]:
    commit = scene.pull.merge_sha
    laid_out = (r for r in (run, *scene.runs) if r.checkout and r.checkout.commit == commit)
    here = (p.project for p in scene.plans if p.head == scene.pull.head_sha or p.commit == commit)
    current = set(scene.current_projects())
    of_merge = {project for r in laid_out for project in r.projects or ()}
    held = set(_held(run, scene)) & set(scene.begun_projects())
    found = of_merge | (set(here) & current) | held
    return {project for project in found if not run.is_deleted(project)}


def _held(run: Run, scene: Scene) -> tuple[ProjectKey, ...]:
    return tuple(lock.project for lock in scene.locks if lock.holder == run.pull)


def _is_applied(project: ProjectKey, scene: Scene) -> bool:
    ours = (scene.pull.head_sha, scene.pull.merge_sha)
    applied = [p for p in scene.plans if p.project == project and p.applied_at and not p.partial]
    if applied and applied[0].destroys:  # what somebody had destroyed is not made again
        return True
    return any(plan.head in ours or plan.commit in ours for plan in applied)


def _to_compare_with(run: Run, scene: Scene, project: ProjectKey) -> StoredPlan | None:
    """Accepting means the plan of the merge commit itself; else the reviewed head's."""
    if not run.ask.accept_changes:
        return _reviewed(scene, project)
    plans = (plan for plan in scene.plans if plan.project == project)
    return next((plan for plan in plans if plan.commit == scene.pull.merge_sha), None)


def _reviewed(scene: Scene, project: ProjectKey) -> StoredPlan | None:
    """The last plan of the merged head, if it succeeded and was shown before the merge."""
    for run in scene.runs:
        job = _plan_job_before_merge(run, scene, project)
        if job is not None:
            return scene.plan(job.plan_id) if _was_shown(run, scene) else None
    return None


def _had_expired(project: ProjectKey, scene: Scene) -> bool:
    """The last plan of the merged head was too old when the merge came."""
    before = (_plan_job_before_merge(run, scene, project) for run in scene.runs)
    last = next((job for job in before if job is not None), None)
    return last is not None and scene.has_expired(last.plan_id)


def _was_shown(run: Run, scene: Scene) -> bool:
    if run.state in UNSEEN or run.told_at is None:
        return False
    heard = (each.created_at for each in scene.runs if each.ask.kind is AskKind.MERGE)
    return run.told_at <= min(heard, default=run.told_at)


def _plan_job_before_merge(run: Run, scene: Scene, project: ProjectKey) -> Job | None:
    at = run.checkout
    if at is None or at.head != scene.pull.head_sha or at.commit == scene.pull.merge_sha:
        return None
    if run.ask.special:  # planned with arguments: it says nothing of what is merged
        return None
    jobs = (job for job in run.jobs if job.kind is JobKind.PLAN and job.project == project)
    return next(jobs, None)


# --- the merge itself --------------------------------------------------------------------


def _after_merge(run: Run, scene: Scene, rules: Effective) -> Steps:
    left = _what_is_left(run, scene)
    steps = _begin_with(run, scene, rules, left)
    return (*told_after_merge(run, scene), *steps) if steps else ()


def _begin_with(run: Run, scene: Scene, rules: Effective, left: Left) -> Steps:
    if not rules.may_apply or not (left.reviewed or left.unreviewed):
        return (*_settle(run, scene), Finish(RunState.DONE))
    if len(left.unreviewed) > rules.projects_per_run:
        return hold(run, scene, _too_many(len(left.unreviewed)))
    projects = (*(plan.project for plan in left.reviewed), *left.unreviewed)
    locked = not_locked(scene, projects)
    if locked and rules.apply_on_merge is not ApplyOnMerge.NEVER:
        return wait_for(run, locked)
    compared = (StartJob(plan.project, JobKind.PLAN, plan.id) for plan in left.reviewed)
    return (*compared, *(StartJob(project, JobKind.PLAN) for project in left.unreviewed))


def _too_many(number: int) -> str:
    return f"no plan was reviewed of {number} projects, more than are planned without being asked"


def _after_planning_again(run: Run, scene: Scene, rules: Effective) -> Steps:
    if nothing_changes(run, scene):
        return report_applied(run, scene, _settle(run, scene))
    jobs = tuple(job for job in run.jobs if not _applied_meanwhile(job, scene))
    fresh = tuple(p for p in (scene.plan(job.plan_id) for job in jobs) if p is not None)
    why = _why_changed(run, scene, rules, jobs) or _why_hold(run, scene, rules, jobs, fresh)
    return hold(run, scene, why) if why else second_phase(run, scene, fresh)


def _laid_out_before(run: Run, scene: Scene) -> Steps:
    """What was laid out is not the merge commit, so nothing of it must be applied."""
    why = "the merge commit was not known when this began"
    if run.ask.kind is AskKind.MERGE:
        return hold(run, scene, why)
    return refuse(run, (Reason("head", why, "wait for what the merge brings"),))


def _commit(run: Run) -> Sha | None:
    return run.checkout.commit if run.checkout else None


def _applied_meanwhile(job: Job, scene: Scene) -> bool:
    """A comment's apply ended while the merge was being planned: it left nothing to do."""
    reviewed, fresh = scene.plan(job.reviewed), scene.plan(job.plan_id)
    applied = reviewed is not None and reviewed.applied_at is not None
    return applied and fresh is not None and not fresh.summary.has_changes


def _why_changed(run: Run, scene: Scene, rules: Effective, jobs: tuple[Job, ...]) -> str:
    always = rules.apply_on_merge is ApplyOnMerge.ALWAYS and run.ask.kind is AskKind.MERGE
    return "" if always and all_planned(jobs, scene) else why_not_equal(jobs, scene)


def _why_hold(
    run: Run, scene: Scene, rules: Effective, jobs: tuple[Job, ...], fresh: tuple[StoredPlan, ...]
) -> str:
    """Why plans that are as reviewed are not applied; empty when they may be."""
    reasons = mode_allows(rules) + not_locked(scene, tuple(plan.project for plan in fresh))
    changing = {plan.project for plan in fresh if plan.summary.has_changes}
    reasons += accounted_for(run, scene, changing)
    for plan in fresh:
        if plan.summary.has_changes:
            reasons += plan_is_ready(plan, scene, plan.head)
    told = [reason.message for reason in reasons]
    if run.ask.kind is AskKind.MERGE:
        told = [*_why_not_by_itself(run, scene, rules, jobs), *told]
    return "; ".join(told)


def _why_not_by_itself(
    run: Run, scene: Scene, rules: Effective, jobs: tuple[Job, ...]
) -> list[str]:
    """What a merge cannot decide alone, and a person can."""
    told = []
    if run.ask.late:
        told.append("prbot heard of the merge too late to apply it by itself")
    if scene.pull.fork:
        told.append("the head branch lay in a fork, so nothing was planned before the merge")
    if rules.apply_on_merge is ApplyOnMerge.NEVER:
        told.append("`apply_on_merge` is `never` here")
    if not scene.permission.can_write:
        told.append("the merger's write access could not be confirmed")
    unreviewed = [f"`{job.project}`" for job in jobs if job.reviewed is None]
    expired = [f"`{job.project}`" for job in jobs if _had_expired(job.project, scene)]
    if expired:
        told.append(f"the plan that was reviewed of {', '.join(expired)} had expired")
    elif unreviewed:
        told.append(f"no plan of the merged head was reviewed for {', '.join(unreviewed)}")
    interrupted = [f"`{job.project}`" for job in jobs if scene.interrupted(job.project)]
    if interrupted:
        told.append(f"an apply of {', '.join(interrupted)} was interrupted")
    return told


def _settle(run: Run, scene: Scene) -> Steps:
    """Free what is applied; with nothing left, let go of everything but what is unclear."""
    if _commit(run) != scene.pull.merge_sha:
        return ()
    done = frozenset(job.project for job in apply_jobs(run))
    if run.ask.kind is not AskKind.MERGE and _still_open(run, scene, done):
        ended = scene.same_state(done)
        return (FreeLocks(tuple(project for project in _held(run, scene) if project in ended)),)
    clear = (project for project in _held(run, scene) if not scene.interrupted(project))
    return FreeLocks(tuple(clear)), DropPlans(), DropWorkspaces()


def _still_open(run: Run, scene: Scene, done: frozenset[ProjectKey]) -> bool:
    left = _what_is_left(run, scene)
    unplanned = {p for p in left.unreviewed if scene.newest_plan(p) is None} - done
    return bool(unplanned or waiting_plans(scene, done))


# --- by comment, after the merge -----------------------------------------------------------


def _apply_by_comment(run: Run, scene: Scene, rules: Effective) -> Steps:
    if accepting := accept(run, scene, rules):
        return accepting
    left = _what_is_left(run, scene)
    selected, reasons = chosen_plans(scene, run.ask.select, run.ask.plan_id)
    wanted = {plan.project for plan in selected}
    todo = tuple(p for p in left.reviewed if p.project in wanted and has_work(p))
    if not todo and (done := was_all(run, scene)):
        return done
    reasons += mode_allows(rules)
    if not reasons:
        reasons = _why_none(run, left, todo, wanted) or _not_the_named(run, scene, todo)
    reasons += sum((_is_ready(plan, scene) for plan in todo), start=())
    reasons += sum((not_interrupted(plan.project, scene) for plan in todo), start=())
    reasons += needs_applied(run, scene, todo)
    reasons += accounted_for(run, scene, {plan.project for plan in todo})
    reasons += seen_when_asked(run.ask, scene, todo)
    reasons += beside_the_button(run.ask, todo) if todo else ()
    locked = not_locked(scene, tuple(plan.project for plan in todo))
    if reasons:
        return refuse(run, reasons + locked)
    return wait_for(run, locked) if locked else first_phase(run, scene, todo)


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
