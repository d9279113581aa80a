"""What was reviewed of a merged head, and what a merge cannot decide alone.

A merge is itself a decision, so no approvals are asked for here: the branch's protection
guards it. Whatever it lacks beside, a person can give by `apply`.
"""

from __future__ import annotations

from prbot.config.repo import Effective
from prbot.config.server import ApplyOnMerge
from prbot.model import ProjectKey
from prbot.runs.left import plan_job_before_merge, was_shown
from prbot.runs.requirements.approvals import not_alone
from prbot.runs.requirements.people import permitted
from prbot.runs.run import AskKind, Job, JobState, Run
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import Scene


def not_by_itself(run: Run, scene: Scene, rules: Effective, jobs: tuple[Job, ...]) -> Reasons:
    """What a merge cannot decide alone, and a person can."""
    projects = tuple(job.project for job in jobs)
    told = list(never_by_itself(run, scene, rules, projects))
    told += _unreviewed([job.project for job in jobs if job.reviewed is None], scene)
    interrupted = [f"`{job.project}`" for job in jobs if scene.interrupted(job.project)]
    if interrupted:
        was = f"an apply of {', '.join(interrupted)} was interrupted"
        told.append(Reason("interrupted", was, "mend what it left, then comment `prbot plan`"))
    return tuple(told)


def _unreviewed(projects: list[ProjectKey], scene: Scene) -> list[Reason]:
    """What was not reviewed, by the reason why not."""
    found: dict[tuple[str, str], list[str]] = {}
    for project in projects:
        for why in _why_unreviewed(project, scene):
            found.setdefault(why, []).append(f"`{project}`")
    return [
        Reason(requirement, f"{words.format(', '.join(names))}", ACCEPT)
        for (requirement, words), names in found.items()
    ]


NONE = "no plan of the merged head was reviewed for {}"
_Why = tuple[str, str]
"""A requirement, and a sentence with a place for projects."""


def _why_unreviewed(project: ProjectKey, scene: Scene) -> tuple[_Why, ...]:
    merged = scene.pull.merge_sha
    before = ((run, plan_job_before_merge(run, scene, project)) for run in scene.runs)
    last = next(((run, job) for run, job in before if job is not None), None)
    if last is None:
        theirs = [p for p in scene.plans if p.project == project and p.commit != merged]
        if any(plan.head == scene.pull.head_sha for plan in theirs):  # with arguments
            return (("reviewed", f"{NONE}, but one with arguments"),)
        older = (("head", "the plan of {} is of another head than the merged one"),)
        return (*older, ("reviewed", NONE)) if theirs else (("plan", NONE),)
    run, job = last
    if scene.plan(job.plan_id) is None and scene.has_expired(job.plan_id):
        return (("expired", "the plan that was reviewed of {} had expired"),)
    if job.state is JobState.FAILED:
        return (("failed", f"{NONE}: it failed"),)
    if job.state is not JobState.PLANNED:
        return (("planning", f"{NONE}: it was not made yet"),)
    if not was_shown(run, scene):
        return (("seen", f"{NONE}: it was not shown before the merge"),)
    return (("reviewed", NONE),)


ACCEPT = "read the plan, then comment `prbot apply --accept-changes`"


def never_by_itself(
    run: Run, scene: Scene, rules: Effective, projects: tuple[ProjectKey, ...]
) -> Reasons:
    """What no waiting mends."""
    told = []
    if run.ask.late:
        late = "prbot heard of the merge too late to apply it by itself"
        told.append(Reason("age", late, ACCEPT))
    if scene.pull.fork:
        fork = "the head branch lay in a fork, so nothing was planned before the merge"
        told.append(Reason("fork", fork, ACCEPT))
    if rules.apply_on_merge is ApplyOnMerge.NEVER:
        told.append(Reason("mode", "`apply_on_merge` is `never` here", "comment `prbot apply`"))
    if not scene.permission.can_write:
        access = "the merger's write access could not be confirmed"
        told.append(Reason("permission", access, "somebody with write access can apply it"))
    told += not_alone(run.ask, scene, rules, projects)
    return (*told, *_permitted_by_somebody(run, scene, rules, projects))


def _permitted_by_somebody(
    run: Run, scene: Scene, rules: Effective, projects: tuple[ProjectKey, ...]
) -> Reasons:
    """By the merger, or by whoever said `apply` of the merged head before: that apply was laid
    out, so its author could write."""
    head = scene.pull.head_sha
    asked = (r for r in scene.runs if r.ask.kind is AskKind.APPLY and r.checkout)
    before = (r.ask for r in asked if r.checkout and r.checkout.head == head)
    refused = [permitted(ask, scene, rules, projects, "apply") for ask in (run.ask, *before)]
    return () if any(not reasons for reasons in refused) else refused[0]
