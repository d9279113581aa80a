"""Which plans a command means, and whether each of them can be applied as it is."""

from __future__ import annotations

import shlex

from prbot.model import PlanId, ProjectKey, Selector
from prbot.plans.record import StoredPlan
from prbot.runs.correction import holder_words, way_to_free
from prbot.runs.locks import blockers
from prbot.runs.named import means, unknown_names
from prbot.runs.run import JobState, Run
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import Scene


def plan_is_ready(plan: StoredPlan, scene: Scene, head: str) -> Reasons:
    """The plan is the newest of its project, of this head, whole, and never tried before."""
    name = f"plan {plan.id} of `{plan.project}`"
    again = f"comment `prbot plan -d {shlex.quote(plan.project.dir)}`"
    newest = scene.newest_plan(plan.project)
    job = scene.newest_plan_job(plan.project)
    if scene.is_applying(plan.project):
        return (Reason("applying", f"`{plan.project}` is being applied", "wait until it ended"),)
    if plan.head != head:
        return (Reason("head", f"{name} was made for {plan.head[:7]}, not for {head[:7]}", again),)
    if newest is not None and newest.id != plan.id:
        return (Reason("newest", f"{name} is outdated by {newest.id}", f"apply {newest.id}"),)
    if job is not None and not job.state.finished:
        return (Reason("planning", f"`{plan.project}` is being planned", "wait for the plan"),)
    if job is not None and job.state is JobState.FAILED:
        return (Reason("failed", f"the newest plan of `{plan.project}` failed", again),)
    if unfit := plan_is_whole(plan):
        return unfit
    if interrupted := not_interrupted(plan.project, scene):
        return interrupted
    return not_tried(plan, scene)


def plan_is_whole(plan: StoredPlan) -> Reasons:
    """It holds all that the project wants, and its state outlives the apply."""
    again = f"comment `prbot plan -d {shlex.quote(plan.project.dir)}`"
    if plan.summary.errored or not plan.summary.applyable:
        name = f"plan {plan.id} of `{plan.project}`"
        return (Reason("failed", f"{name} is not whole and cannot be applied", again),)
    if not plan.state_is_lost:
        return ()
    lost = f"`{plan.project}` keeps its state in the checkout, where it would be lost"
    return (Reason("state", lost, "declare a backend outside the repository's directory"),)


def not_tried(plan: StoredPlan, scene: Scene) -> Reasons:
    if not scene.was_tried(plan.id):
        return ()
    again = f"comment `prbot plan -d {shlex.quote(plan.project.dir)}`"
    name = f"plan {plan.id} of `{plan.project}`"
    return (Reason("once", f"{name} was started before and is not run twice", again),)


def needs_applied(run: Run, scene: Scene, todo: tuple[StoredPlan, ...]) -> Reasons:
    """What a project depends on is applied before it, or together with it."""
    mine = {plan.project for plan in todo if not plan.destroys}  # those go the other way round
    current = set(scene.current_projects()) - mine
    pairs = (
        (place.project, need)
        for place in run.placed
        if place.project in mine
        for need in place.needs
        if need in current and _waits_to_be_applied(scene.newest_plan(need))
    )
    return tuple(
        Reason(
            "dependencies",
            f"`{project}` depends on `{need}`, which is planned and not applied",
            f"apply it first, or both together: `prbot apply -d {shlex.quote(need.dir)}"
            f" -d {shlex.quote(project.dir)}`",
        )
        for project, need in pairs
    )


def _waits_to_be_applied(plan: StoredPlan | None) -> bool:
    return plan is not None and plan.applied_at is None and plan.summary.has_changes


def not_interrupted(project: ProjectKey, scene: Scene) -> Reasons:
    """What an interrupted apply created may not be recorded: planned again without anybody
    looking it would be created twice, and the plan would look as reviewed."""
    if not scene.interrupted(project):
        return ()
    again = f"mend what it left, then comment `prbot plan -d {shlex.quote(project.dir)}`"
    return (Reason("interrupted", f"an apply of `{project}` was interrupted", again),)


def not_locked(scene: Scene, projects: tuple[ProjectKey, ...]) -> Reasons:
    return tuple(
        Reason(
            "lock",
            f"`{lock.project}` is held by {holder_words(lock.holder)}"
            f" since {lock.since:%Y-%m-%d %H:%M} UTC",
            way_to_free(lock.holder),
            comes=True,
        )
        for lock in blockers(scene.locks, scene.pull.ref, scene.same_state(projects))
    )


def chosen_plans(
    scene: Scene, select: Selector, plan_id: PlanId | None
) -> tuple[tuple[StoredPlan, ...], Reasons]:
    """The newest plan of each project a command speaks of, or why there is none."""
    if plan_id is not None:
        plan = scene.plan(plan_id)
        if plan is None:
            return (), (_no_plan(scene, plan_id),)
        return (plan,), ()
    unknown = unknown_names(scene, select)
    if unknown:
        return (), unknown
    forgotten = scene.forgotten_projects()
    stand = (p for p in scene.current_projects() if p not in forgotten)
    projects = tuple(p for p in stand if means(scene, select, p))
    plans = tuple(p for p in map(scene.newest_plan, projects) if p is not None)
    missing = not_yet_planned(scene, select)
    if not plans and not missing:
        return (), (Reason("plan", _nothing_planned(select), "comment `prbot plan`"),)
    return plans, missing


def names_something(run: Run, plans: tuple[StoredPlan, ...]) -> Reasons:
    """A directory that is no project's; the commit was looked through for it."""
    select = run.ask.select
    if plans or run.projects or not select.dirs or run.ask.plan_id is not None:
        return ()
    return (no_such_project(select),)


def no_such_project(select: Selector) -> Reason:
    names = ", ".join(f"`{name}`" for name in select.dirs)
    return Reason(
        "project",
        f"no directory with Terraform files matches {names}",
        "name a directory relative to the repository's root, or a glob of such",
    )


def not_yet_planned(scene: Scene, select: Selector) -> Reasons:
    """Affected projects without a plan: a command that means all of them cannot go on."""
    return tuple(_no_plan_of(project, scene) for project in without_plan(scene, select))


def without_plan(scene: Scene, select: Selector) -> tuple[ProjectKey, ...]:
    """The affected projects a command means that have none, or none any more."""
    unplanned = (scene.affected() or frozenset()) - set(scene.planned_projects())
    every = sorted(unplanned | scene.forgotten_projects())
    return tuple(project for project in every if means(scene, select, project))


def _no_plan_of(project: ProjectKey, scene: Scene) -> Reason:
    job = scene.newest_plan_job(project)
    if job is not None and not job.state.finished:
        return Reason("planning", f"`{project}` is being planned", "wait for the plan")
    again = f"comment `prbot plan -d {shlex.quote(project.dir)}`, or apply the others by name"
    if project in scene.forgotten_projects():
        return Reason("expired", f"the plan of `{project}` has expired", again)
    return Reason("failed", f"`{project}` could not be planned", again)


def _no_plan(scene: Scene, plan_id: PlanId) -> Reason:
    again = "comment `prbot plan`"
    if scene.has_expired(plan_id):
        return Reason("expired", f"plan {plan_id} has expired", again)
    return Reason("plan", f"there is no plan {plan_id} in this pull request", again)


def _nothing_planned(select: Selector) -> str:
    if select == Selector():
        return "nothing is planned in this pull request"
    return "no planned project matches the command"
