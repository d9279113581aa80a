"""What must hold before something is applied: pure predicates, every reason told at once."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import datetime, timedelta

from prbot.config.repo import Effective
from prbot.model import Permission, PlanId, ProjectKey, PullRequest, Review, ReviewState, Selector
from prbot.plans.record import StoredPlan
from prbot.runs.checks import mark_of
from prbot.runs.locks import blockers
from prbot.runs.named import means, unknown_names
from prbot.runs.run import Ask, JobState, Run
from prbot.runs.say import Reason
from prbot.runs.scene import Scene

Reasons = tuple[Reason, ...]


def may_command(ask: Ask, permission: Permission) -> Reasons:
    """Commands that change something need write access."""
    if permission.can_write:
        return ()
    return (
        Reason(
            "permission",
            f"{ask.actor} has {permission.value} access; `{ask.kind.value}` needs write access",
            "somebody with write access can repeat the command",
        ),
    )


TOO_OLD = timedelta(minutes=30)
"""How late an `apply` may be found: people go on, and no longer expect it."""


def may_apply_now(run: Run, permission: Permission) -> Reasons:
    """Write access, and the comment was not found too late."""
    reasons = may_command(run.ask, permission)
    said_at = run.ask.commented_at
    if said_at is None or run.created_at - said_at <= TOO_OLD:
        return reasons
    too_old = f"the comment of {said_at:%Y-%m-%d %H:%M} UTC is too old"
    return (*reasons, Reason("age", too_old, "say it again"))


def pull_is_fit(pull: PullRequest) -> Reasons:
    """Reasons that lie in the pull request itself, before any plan is looked at."""
    reasons = []
    if pull.fork:
        reasons.append(
            Reason(
                "fork",
                "the head branch lies in a fork, and forks are not run here",
                "push the branch to this repository and open the pull request from there",
            )
        )
    if pull.draft:
        reasons.append(
            Reason("draft", "the pull request is a draft", "mark it as ready for review")
        )
    if not pull.open and not pull.merged:
        reasons.append(Reason("open", "the pull request is closed", "reopen it"))
    if pull.open and pull.mergeable is False:
        reasons.append(
            Reason(
                "mergeable",
                "the pull request conflicts with its base branch",
                "merge or rebase the base branch and push",
            )
        )
    return tuple(reasons)


def mode_allows(rules: Effective) -> Reasons:
    if rules.may_apply:
        return ()
    return (
        Reason(
            "mode",
            "this server plans and comments only",
            "the operator can set `mode: apply` in the server's file",
        ),
    )


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
    if plan.summary.errored or not plan.summary.applyable:
        return (Reason("applyable", f"{name} cannot be applied", again),)
    if plan.state_is_lost:
        return (
            Reason(
                "state",
                f"`{plan.project}` keeps its state in the checkout, where it would be lost",
                "declare a backend outside the repository's directory",
            ),
        )
    if scene.was_tried(plan.id):
        return (Reason("once", f"{name} was started before and is not run twice", again),)
    return ()


def needs_applied(run: Run, scene: Scene, todo: tuple[StoredPlan, ...]) -> Reasons:
    """What a project depends on is applied before it, or together with it."""
    mine = {plan.project for plan in todo}
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


def approved(rules: Effective, scene: Scene, plans: Iterable[StoredPlan]) -> Reasons:
    """Enough other people approved each plan after it stood there, and nobody objects."""
    return approved_since(rules, scene, (_stood_since(plan, scene) for plan in plans), "this plan")


def approved_since(
    rules: Effective, scene: Scene, told: Iterable[datetime | None], what: str
) -> Reasons:
    """`told`: since when each thing to be approved stands there; None while it does not."""
    objections = tuple(
        Reason(
            "approved",
            f"{review.author} requested changes",
            f"{review.author} can approve, or the review can be dismissed",
        )
        for review in scene.reviews
        if review.state is ReviewState.CHANGES_REQUESTED and review.permission.can_write
    )
    given = min((_approvals(since, scene) for since in told), default=rules.approvals)
    if given >= rules.approvals:
        return objections
    missing = Reason(
        "approved",
        f"{given} of {rules.approvals} approvals of {what}",
        f"somebody with write access who is neither {scene.pull.author} nor pushed to it"
        " approves the pull request as it is now",
    )
    return (*objections, missing)


def _approvals(since: datetime | None, scene: Scene) -> int:
    """How many people approved; one who did so twice is one."""
    if since is None:
        return 0
    approvers = {r.author.lower() for r in scene.reviews if _approves(r, scene.pull, since)}
    return len(approvers - scene.pushers())


def _approves(review: Review, pull: PullRequest, since: datetime) -> bool:
    # The same plan at an older commit does not carry its approvals over: until the files
    # a project reads outside its own directory are known, equal plans may still run
    # different scripts. Forges tell whole seconds, so the plan's time is cut to them too.
    return (
        review.state is ReviewState.APPROVED
        and review.author.lower() != pull.author.lower()
        and review.permission.can_write
        and review.commit == pull.head_sha
        and review.submitted_at >= since.replace(microsecond=0)
    )


def _stood_since(plan: StoredPlan, scene: Scene) -> datetime | None:
    """Since when this very content stands in a comment without a different plan between;
    None while it was not told. A plan that is made but not told was seen by nobody."""
    since = scene.told_at(plan)
    for earlier in scene.plans:  # newest first
        if earlier.project != plan.project or earlier.created_at > plan.created_at:
            continue
        if (earlier.hash, earlier.inputs, earlier.head) != (plan.hash, plan.inputs, plan.head):
            break
        since = scene.told_at(earlier) or since
    return since


def seen_when_asked(ask: Ask, scene: Scene, plans: Iterable[StoredPlan]) -> Reasons:
    """Whoever says apply means what stood there when it was said, not what came since."""
    return tuple(
        Reason(
            "seen",
            f"plan {plan.id} of `{plan.project}` was not in the pull request when you asked",
            "read it, then repeat the command",
        )
        for plan in plans
        if ask.commented_at is not None and not _stood_at(ask.commented_at, plan, scene)
    )


def beside_the_button(ask: Ask, plans: Iterable[StoredPlan]) -> Reasons:
    """A button means the plans that its check told of: neither more of them nor others."""
    if ask.check_id is None or ask.mark == mark_of(plans):
        return ()
    other = "the plans are not those that stood beside the button"
    return (Reason("seen", other, "read them, then comment `prbot apply`"),)


def _stood_at(moment: datetime, plan: StoredPlan, scene: Scene) -> bool:
    since = _stood_since(plan, scene)
    return since is not None and moment >= since.replace(microsecond=0)


def not_locked(scene: Scene, projects: tuple[ProjectKey, ...]) -> Reasons:
    return tuple(
        Reason(
            "lock",
            f"`{lock.project}` is held by pull request {lock.holder.number}"
            f" since {lock.since:%Y-%m-%d %H:%M} UTC",
            f"pull request {lock.holder.number} is merged or closed,"
            " or somebody comments `prbot unlock` there",
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
    stand = (p for p in scene.current_projects() if p not in scene.expired_projects())
    projects = tuple(p for p in stand if means(scene, select, p))
    plans = tuple(p for p in map(scene.newest_plan, projects) if p is not None)
    missing = not_yet_planned(scene, select)
    if not plans and not missing:
        return (), (Reason("plan", _nothing_planned(select), "comment `prbot plan`"),)
    return plans, missing


def not_yet_planned(scene: Scene, select: Selector) -> Reasons:
    """Affected projects without a plan: a command that means all of them cannot go on."""
    expired = scene.expired_projects()
    unplanned = (scene.affected() or frozenset()) - set(scene.planned_projects())
    missing = sorted(p for p in unplanned | expired if means(scene, select, p))
    return tuple(_no_plan_of(project, scene) for project in missing)


def _no_plan_of(project: ProjectKey, scene: Scene) -> Reason:
    job = scene.newest_plan_job(project)
    if job is not None and not job.state.finished:
        return Reason("planning", f"`{project}` is being planned", "wait for the plan")
    again = f"comment `prbot plan -d {shlex.quote(project.dir)}`, or apply the others by name"
    if project in scene.expired_projects():
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
