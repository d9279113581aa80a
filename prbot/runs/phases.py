"""The two phases of every apply, by comment or on merge.

First every plan that was not made from the very commit at hand is made again and
compared with the reviewed one; only when all of them are equal, the second phase
applies. So a change in one project keeps all of them back.
"""

from __future__ import annotations

from prbot.model import ProjectKey
from prbot.plans.record import StoredPlan
from prbot.runs.aftermath import looks, reports
from prbot.runs.planning import applies_on_merge, head_of, result_of
from prbot.runs.run import AskKind, Job, JobKind, JobState, Run, RunState
from prbot.runs.say import ApplyReport, HoldReport, ProjectResult, Reason, Waiting
from prbot.runs.scene import Scene
from prbot.runs.steps import (
    Check,
    Finish,
    FreeLocks,
    Say,
    SetStatus,
    StartJob,
    Step,
    TakeLocks,
    Verdict,
    Wait,
)

Steps = tuple[Step, ...]


def has_work(plan: StoredPlan) -> bool:
    """Not applied, and applying it would do something (or it is broken)."""
    return plan.applied_at is None and (plan.summary.has_changes or plan.summary.errored)


def first_phase(run: Run, scene: Scene, plans: tuple[StoredPlan, ...]) -> Steps:
    """Make again what was made from another commit, or before a wait; else skip it."""
    commit = run.checkout.commit if run.checkout else None
    if run.state is not RunState.RESUMED and all(plan.commit == commit for plan in plans):
        return second_phase(run, scene, plans)
    pending = SetStatus(head_of(run, scene), Check.APPLY, Verdict.PENDING, "planning again")
    return (pending, *(StartJob(plan.project, JobKind.PLAN, plan.id) for plan in plans))


def second_phase(run: Run, scene: Scene, plans: tuple[StoredPlan, ...]) -> Steps:
    """Lock all, then apply all that change something; `plans` must have been judged."""
    todo = tuple(plan for plan in plans if plan.summary.has_changes)
    return (
        TakeLocks(scene.same_state(plan.project for plan in todo)),
        SetStatus(head_of(run, scene), Check.APPLY, Verdict.PENDING, "applying"),
        *(StartJob(plan.project, JobKind.APPLY, plan.id) for plan in todo),
    )


def wait_for(run: Run, reasons: tuple[Reason, ...]) -> Steps:
    """Rest until others let go, and say once for whom; `wait_is_over` goes on."""
    if run.state is RunState.WAITING:
        return ()
    told = Waiting(run.ask.kind.value, run.ask.actor, reasons)
    return (Say(f"{run.id}-waits", told), Wait())


def apply_jobs(run: Run) -> tuple[Job, ...]:
    return tuple(job for job in run.jobs if job.kind is JobKind.APPLY)


def waits(run: Run) -> bool:
    return not all(job.state.finished for job in run.jobs)


def fresh_plans(run: Run, scene: Scene) -> tuple[StoredPlan, ...]:
    """The plans the first phase made."""
    return tuple(p for p in (scene.plan(job.plan_id) for job in run.jobs) if p is not None)


def nothing_changes(run: Run, scene: Scene) -> bool:
    """Everything was planned again, and there is nothing left to do."""
    fresh = fresh_plans(run, scene)
    return len(fresh) == len(run.jobs) and not any(plan.summary.has_changes for plan in fresh)


def all_planned(jobs: tuple[Job, ...], scene: Scene) -> bool:
    """Each job made its plan, and the plan is still there: a close may have dropped it."""
    return all(job.state is JobState.PLANNED and scene.plan(job.plan_id) for job in jobs)


def why_not_equal(jobs: tuple[Job, ...], scene: Scene) -> str:
    """In a sentence, why the plans made again do not allow an apply; empty when they do."""
    if not all_planned(jobs, scene):
        return "not everything could be planned again"
    if any(job.differences for job in jobs):
        return "the plan has changed since it was reviewed"
    return ""


def hold(run: Run, scene: Scene, why: str) -> Steps:
    """Apply nothing, show the new plans, and call those who can judge them."""
    results = tuple(result_of(job, scene) for job in run.jobs)
    people = tuple(
        dict.fromkeys(p for p in (scene.pull.author, scene.pull.merged_by, run.ask.actor) if p)
    )
    return (
        Say(run.id, HoldReport(results, why, people, _accept_with(run, scene))),
        SetStatus(head_of(run, scene), Check.APPLY, Verdict.FAILURE, f"held: {why}"),
        Finish(RunState.HELD),
    )


def _accept_with(run: Run, scene: Scene) -> str:
    if any(job.trouble for job in run.jobs):
        return "plan"
    if not run.jobs:
        return "plan --all"
    return "apply --accept-changes" if scene.pull.merged else "plan"


def report_applied(run: Run, scene: Scene, settled: Steps = ()) -> Steps:
    """Tell what came of the applies; `settled` is done only if all of them succeeded."""
    results = tuple(result_of(job, scene) for job in apply_jobs(run))
    state = _outcome(apply_jobs(run))
    report = ApplyReport(results, run.ask.actor, run.ask.kind is AskKind.MERGE)
    said: Steps = (Say(run.id, report),) if results or run.ask.by_comment else ()
    told = (*said, _verdict(run, scene, results, state), *_let_go(run, scene))
    if looking := looks(run):  # told at once; what was left behind follows
        return (*told, *looking)
    after = settled if state is RunState.DONE else ()
    return (*told, *reports(run, scene), *after, Finish(state))


def _let_go(run: Run, scene: Scene) -> Steps:
    """Nothing was applied where the apply was dropped or skipped: nobody need wait there."""
    dropped = {job.project for job in apply_jobs(run) if job.state.never_began}
    held = {lock.project for lock in scene.locks if lock.holder == run.pull}
    free = set(scene.same_state(dropped)) & held - set(scene.same_state(scene.begun_projects()))
    return (FreeLocks(tuple(sorted(free))),) if free else ()


def _outcome(jobs: tuple[Job, ...]) -> RunState:
    if any(job.state is JobState.INTERRUPTED for job in jobs):
        return RunState.INTERRUPTED
    if any(job.state is not JobState.APPLIED for job in jobs):
        return RunState.FAILED
    return RunState.DONE


def _verdict(
    run: Run, scene: Scene, results: tuple[ProjectResult, ...], state: RunState
) -> SetStatus:
    """The check after an apply. It stays red while something waits for a person."""
    sha, applied = head_of(run, scene), sum(result.applied for result in results)
    if state is not RunState.DONE:
        text = f"{applied} of {len(results)} applied, {state.value}"
        return SetStatus(sha, Check.APPLY, Verdict.FAILURE, text)
    done = frozenset(result.project for result in results)
    if expired := scene.expired_projects() - done:
        text = f"{applied} applied, {len(expired)} expired"
        return SetStatus(sha, Check.APPLY, Verdict.FAILURE, text)
    waiting = waiting_plans(scene, done)
    if not waiting:
        return SetStatus(sha, Check.APPLY, Verdict.SUCCESS, f"{applied} applied")
    text = f"{applied} applied, {len(waiting)} to go"
    tried = any(scene.was_tried(plan.id) for plan in waiting)
    if tried or not applies_on_merge(scene):
        return SetStatus(sha, Check.APPLY, Verdict.FAILURE, text)
    return SetStatus(sha, Check.APPLY, Verdict.SUCCESS, f"{text} on merge")


def waiting_plans(scene: Scene, done: frozenset[ProjectKey]) -> tuple[StoredPlan, ...]:
    """The newest plans, of projects other than `done`, that still have work."""
    newest = map(scene.newest_plan, scene.current_projects())
    return tuple(p for p in newest if p and has_work(p) and p.project not in done)
