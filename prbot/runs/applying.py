"""How an apply goes on, by comment or on merge.

Both go through the same two phases. First every plan that was not made from the very
commit at hand is made again and compared with the reviewed one; only when all of them
are equal, the second phase applies. So a change in one project keeps all of them back.
"""

from __future__ import annotations

from dataclasses import dataclass

from prbot.config.repo import Effective
from prbot.config.server import ApplyOnMerge
from prbot.model import ProjectKey, Sha
from prbot.plans.record import StoredPlan
from prbot.runs.planning import fail, refuse, result_of
from prbot.runs.requirements import (
    Reasons,
    approved,
    chosen_plans,
    may_command,
    mode_allows,
    not_locked,
    plan_is_ready,
    pull_is_fit,
)
from prbot.runs.run import AskKind, Job, JobKind, JobState, Run, RunState, Trouble
from prbot.runs.say import ApplyReport, HoldReport, ProjectResult, Reason
from prbot.runs.scene import NOTHING_ALLOWED, Scene
from prbot.runs.steps import (
    Check,
    DropWorkspaces,
    Finish,
    FreeLocks,
    LayOut,
    Say,
    SetStatus,
    StartJob,
    Step,
    TakeLocks,
    Verdict,
)

Steps = tuple[Step, ...]


# --- by comment, on an open pull request -----------------------------------------------


def decide_apply(run: Run, scene: Scene) -> Steps:
    """Steps of an APPLY run on a pull request that is not merged."""
    if run.trouble is not None:
        return fail(run, scene, run.trouble)
    if isinstance(scene.rules, Trouble):
        return fail(run, scene, scene.rules)
    if run.jobs:
        return _go_on(run, scene)
    early = may_command(run.ask, scene.permission)
    if early:
        return refuse(run, early)
    if run.checkout is None or scene.rules is None:
        return (LayOut(),)
    plans, reasons = chosen_plans(scene, run.ask.select, run.ask.plan_id)
    reasons += _why_not(scene, scene.rules, plans)
    if reasons:
        return refuse(run, reasons)
    todo = tuple(plan for plan in plans if _left(plan))
    if not todo:
        return refuse(run, (_nothing_left(plans),))
    return _first_phase(run, scene, todo)


def _why_not(scene: Scene, rules: Effective, plans: tuple[StoredPlan, ...]) -> Reasons:
    todo = tuple(plan for plan in plans if _left(plan))
    ready = (plan_is_ready(plan, scene, scene.pull.head_sha) for plan in todo)
    return (
        mode_allows(rules)
        + pull_is_fit(scene.pull)
        + sum(ready, start=())
        + (approved(rules, scene, todo) if todo else ())
        + not_locked(scene, tuple(plan.project for plan in todo))
    )


def _left(plan: StoredPlan) -> bool:
    return plan.applied_at is None and (plan.summary.has_changes or plan.summary.errored)


def _nothing_left(plans: tuple[StoredPlan, ...]) -> Reason:
    done = any(plan.applied_at for plan in plans)
    what = "everything planned is applied already" if done else "the plan has no changes"
    return Reason("changes", f"there is nothing to apply: {what}", "push a change to apply one")


# --- after the merge ---------------------------------------------------------------------


@dataclass(frozen=True)
class Left:
    """What a merged pull request still has to settle."""

    reviewed: tuple[StoredPlan, ...]
    unreviewed: tuple[ProjectKey, ...]


def decide_merged(run: Run, scene: Scene) -> Steps:
    """Steps after a merge: apply what was reviewed and is unchanged, hold the rest."""
    if run.ask.kind is AskKind.MERGE and not scene.pull.merged:
        return (Finish(RunState.SUPERSEDED),)
    if run.trouble is not None:
        return fail(run, scene, run.trouble)
    if isinstance(scene.rules, Trouble):
        return fail(run, scene, scene.rules)
    if run.jobs:
        return _go_on(run, scene)
    if run.ask.by_comment and may_command(run.ask, scene.permission):
        return refuse(run, may_command(run.ask, scene.permission))
    if run.checkout is None or scene.rules is None:
        return (LayOut(),)
    left = _what_is_left(run, scene)
    if not left.reviewed and not left.unreviewed:
        return _nothing_after_merge(run, scene)
    if run.ask.by_comment:
        return _apply_after_merge(run, scene, scene.rules, left)
    hold = _why_hold(scene, scene.rules, left)
    if hold:
        return _plan_and_hold(left)
    return _first_phase(run, scene, left.reviewed)


def _what_is_left(run: Run, scene: Scene) -> Left:
    """Projects the merge touched or that were planned, less what is settled.

    Settled is what was applied from the head that was merged, or whose reviewed plan
    of that head had nothing to do and that the merge did not touch otherwise.
    """
    accept = run.ask.accept_changes
    commit = run.checkout.commit if run.checkout else None
    reviewed, unreviewed = [], []
    for project in sorted({*(run.projects or ()), *scene.planned_projects()}):
        plans = [plan for plan in scene.plans if plan.project == project]
        if any(plan.applied_at and _of_this_merge(plan, scene, commit) for plan in plans):
            continue
        match = next((p for p in plans if _counts_as_reviewed(p, scene, commit, accept)), None)
        if match is None:
            unreviewed.append(project)
        else:
            reviewed.append(match)
    return Left(tuple(reviewed), tuple(unreviewed))


def _of_this_merge(plan: StoredPlan, scene: Scene, commit: Sha | None) -> bool:
    return plan.head == scene.pull.head_sha or plan.commit == commit


def _counts_as_reviewed(plan: StoredPlan, scene: Scene, commit: Sha | None, accept: bool) -> bool:
    """Accepting means the plan of the merge commit itself; else the reviewed head's."""
    if accept:
        return plan.commit == commit
    return plan.head == scene.pull.head_sha and plan.commit != commit


def _nothing_after_merge(run: Run, scene: Scene) -> Steps:
    if run.ask.by_comment:
        return refuse(run, (_nothing_left(scene.plans),))
    return (*_settle(run, scene, frozenset()), Finish(RunState.DONE))


def _settle(run: Run, scene: Scene, done: frozenset[ProjectKey]) -> Steps:
    """Free what is settled: the whole hold after a merge run, else what was applied."""
    held = tuple(lock.project for lock in scene.locks if lock.holder == run.pull)
    if run.ask.by_comment:
        held = tuple(project for project in held if project in done)
    return FreeLocks(held), DropWorkspaces()


def _why_hold(scene: Scene, rules: Effective, left: Left) -> str:
    """Why nothing may be applied on this merge; empty when it may."""
    if not rules.may_apply:
        return "this server plans and comments only"
    if scene.pull.fork:
        return "the head branch lay in a fork, so nothing was planned before the merge"
    if rules.apply_on_merge is ApplyOnMerge.NEVER:
        return "`apply_on_merge` is `never` here"
    if not scene.permission.can_write:
        return "the merger's write access could not be confirmed"
    if left.unreviewed:
        names = ", ".join(f"`{project}`" for project in left.unreviewed)
        return f"no plan of the merged commit's head was reviewed for {names}"
    locked = not_locked(scene, tuple(plan.project for plan in left.reviewed))
    return "; ".join(reason.message for reason in locked)


def _plan_and_hold(left: Left) -> Steps:
    """Plan everything that is left at the merge commit, so that people can judge it."""
    compared = [StartJob(p.project, JobKind.PLAN, p.id) for p in left.reviewed]
    return (*compared, *(StartJob(project, JobKind.PLAN) for project in left.unreviewed))


def _apply_after_merge(run: Run, scene: Scene, rules: Effective, left: Left) -> Steps:
    selected, reasons = chosen_plans(scene, run.ask.select, run.ask.plan_id)
    wanted = {plan.project for plan in selected}
    plans = tuple(plan for plan in left.reviewed if plan.project in wanted)
    todo = tuple(plan for plan in plans if _left(plan))
    reasons += mode_allows(rules)
    if not todo and not reasons:
        reasons += (_needs_accepting(run) if left.unreviewed else _nothing_left(plans),)
    reasons += sum((_retry_is_ready(plan, scene) for plan in todo), start=())
    reasons += not_locked(scene, tuple(plan.project for plan in todo))
    if reasons:
        return refuse(run, reasons)
    return _first_phase(run, scene, todo)


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


def _retry_is_ready(plan: StoredPlan, scene: Scene) -> Reasons:
    if plan.state_is_lost or plan.summary.errored or not plan.summary.applyable:
        return plan_is_ready(plan, scene, plan.head)
    made_at_merge = plan.commit == scene.pull.merge_sha
    if made_at_merge and scene.was_tried(plan.id):
        return (
            Reason(
                "once",
                f"plan {plan.id} of `{plan.project}` was started before and is not run twice",
                "comment `prbot plan`, read it, then `prbot apply --accept-changes`",
            ),
        )
    return ()


# --- the two phases ----------------------------------------------------------------------


def _first_phase(run: Run, scene: Scene, plans: tuple[StoredPlan, ...]) -> Steps:
    """Make again what was made from another commit; skip the phase when nothing was."""
    commit = run.checkout.commit if run.checkout else None
    if all(plan.commit == commit for plan in plans):
        return _second_phase(run, scene, plans)
    sha = scene.pull.head_sha
    again = tuple(StartJob(plan.project, JobKind.PLAN, plan.id) for plan in plans)
    return (SetStatus(sha, Check.APPLY, Verdict.PENDING, "planning again"), *again)


def _second_phase(run: Run, scene: Scene, plans: tuple[StoredPlan, ...]) -> Steps:
    todo = tuple(plan for plan in plans if plan.summary.has_changes)
    if not todo:
        return _report_applied(run, scene, ())
    return (
        TakeLocks(tuple(plan.project for plan in todo)),
        SetStatus(scene.pull.head_sha, Check.APPLY, Verdict.PENDING, "applying"),
        *(StartJob(plan.project, JobKind.APPLY, plan.id) for plan in todo),
    )


def _go_on(run: Run, scene: Scene) -> Steps:
    """A run with jobs: wait for them, then enter the second phase, hold, or report."""
    if not all(job.state.finished for job in run.jobs):
        return ()
    applies = tuple(job for job in run.jobs if job.kind is JobKind.APPLY)
    if applies:
        return _report_applied(run, scene, applies)
    fresh = tuple(p for p in (scene.plan(job.plan_id) for job in run.jobs) if p is not None)
    if len(fresh) == len(run.jobs) and not any(plan.summary.has_changes for plan in fresh):
        return _report_applied(run, scene, ())
    why = _why_not_equal(run, scene)
    if why:
        return _hold(run, scene, why)
    blocked = _still_blocked(run, scene, fresh)
    if blocked:
        return _hold(run, scene, "; ".join(reason.message for reason in blocked))
    return _second_phase(run, scene, fresh)


def _still_blocked(run: Run, scene: Scene, fresh: tuple[StoredPlan, ...]) -> Reasons:
    """What may have changed while the plans were made again."""
    rules = scene.rules if isinstance(scene.rules, Effective) else NOTHING_ALLOWED
    reasons = mode_allows(rules) + not_locked(scene, tuple(plan.project for plan in fresh))
    if not scene.pull.merged:
        reasons += pull_is_fit(scene.pull)
        if run.checkout is not None and run.checkout.head != scene.pull.head_sha:
            moved = f"the pull request moved on to {scene.pull.head_sha[:7]}"
            reasons += (Reason("head", moved, "comment `prbot plan`"),)
    return reasons


def _why_not_equal(run: Run, scene: Scene) -> str:
    """In a sentence, why the plans made again do not allow an apply; empty when they do."""
    if any(job.state is not JobState.PLANNED for job in run.jobs):
        return "not everything could be planned again"
    if any(job.differences for job in run.jobs):
        return "the plan has changed since it was reviewed"
    if isinstance(scene.rules, Effective) and run.ask.kind is AskKind.MERGE:
        reviewed = tuple(p for p in (scene.plan(j.reviewed) for j in run.jobs) if p is not None)
        unreviewed = tuple(job.project for job in run.jobs if job.reviewed is None)
        return _why_hold(scene, scene.rules, Left(reviewed, unreviewed))
    return ""


def _hold(run: Run, scene: Scene, why: str) -> Steps:
    results = tuple(result_of(job, scene) for job in run.jobs)
    people = tuple(
        dict.fromkeys(p for p in (scene.pull.author, scene.pull.merged_by, run.ask.actor) if p)
    )
    sha = scene.pull.head_sha
    return (
        Say(run.id, HoldReport(results, why, people, _accept_with(run, scene))),
        SetStatus(sha, Check.APPLY, Verdict.FAILURE, f"held: {why}"),
        Finish(RunState.HELD),
    )


def _accept_with(run: Run, scene: Scene) -> str:
    if any(job.trouble for job in run.jobs):
        return "plan"
    return "apply --accept-changes" if scene.pull.merged else "plan"


def _report_applied(run: Run, scene: Scene, jobs: tuple[Job, ...]) -> Steps:
    results = tuple(result_of(job, scene) for job in jobs)
    state = _outcome(jobs)
    on_merge = run.ask.kind is AskKind.MERGE
    said: Steps = (
        (Say(run.id, ApplyReport(results, run.ask.actor, on_merge)),)
        if results or run.ask.by_comment
        else ()
    )
    settled: Steps = ()
    if state is RunState.DONE and scene.pull.merged:
        settled = _settle(run, scene, frozenset(result.project for result in results))
    return (*said, _apply_verdict(scene, results, state), *settled, Finish(state))


def _outcome(jobs: tuple[Job, ...]) -> RunState:
    if any(job.state is JobState.INTERRUPTED for job in jobs):
        return RunState.INTERRUPTED
    if any(job.state is not JobState.APPLIED for job in jobs):
        return RunState.FAILED
    return RunState.DONE


def _apply_verdict(scene: Scene, results: tuple[ProjectResult, ...], state: RunState) -> SetStatus:
    sha = scene.pull.head_sha
    applied = sum(result.applied for result in results)
    if state is not RunState.DONE:
        text = f"{applied} of {len(results)} applied, {state.value}"
        return SetStatus(sha, Check.APPLY, Verdict.FAILURE, text)
    waiting = {
        plan.project
        for plan in map(scene.newest_plan, scene.planned_projects())
        if plan is not None and _left(plan)
    } - {result.project for result in results}
    if waiting:
        text = f"{applied} applied, {len(waiting)} to go"
        return SetStatus(sha, Check.APPLY, Verdict.PENDING, text)
    return SetStatus(sha, Check.APPLY, Verdict.SUCCESS, f"{applied} applied")
