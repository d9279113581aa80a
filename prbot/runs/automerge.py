"""Merging by itself, once everything of a pull request is applied.

The forge merges exactly the head that was applied, or refuses; what follows is a merge like any
other, which finds everything applied.
"""

from __future__ import annotations

from prbot.config.per_repository import Allowed
from prbot.config.repo import Bounded, Effective
from prbot.runs.orphans import open_orphans
from prbot.runs.run import JobState, Run
from prbot.runs.scene import Scene
from prbot.runs.steps import MergePull


def merges(run: Run, scene: Scene) -> tuple[MergePull, ...]:
    """The merge that follows an apply which ended well, if it is to follow."""
    rules, pull, here = scene.rules, scene.pull, run.checkout
    if not isinstance(rules, Effective) or rules.automerge is None or here is None:
        return ()
    if Allowed.AUTOMERGE not in scene.allow or run.ask.no_merge:
        return ()
    if not pull.open or pull.draft or pull.fork or here.head != pull.head_sha:
        return ()
    if not _all_applied(scene) or open_orphans(run, scene):
        return ()
    wanted = rules.automerge
    branch = pull.head_branch if wanted.delete_branch else ""
    return (MergePull(here.head, wanted.method.value, branch),)


def _all_applied(scene: Scene) -> bool:
    """What the whole plan of this head found is planned whole, and nothing of it is left."""
    affected = scene.affected()
    if affected is None or scene.expired_projects():
        return False
    for project in affected | set(scene.current_projects()):
        plan, job = scene.newest_plan(project), scene.newest_plan_job(project)
        if plan is None or job is None or job.state is not JobState.PLANNED:
            return False
        if plan.applied_at is None and (plan.special or plan.summary.has_changes):
            return False
        if plan.partial or plan.summary.errored:
            return False
    return True


def not_allowed_here(rules: Effective, scene: Scene) -> tuple[Bounded, ...]:
    """A wish that the operator does not grant this repository."""
    if rules.automerge is None or Allowed.AUTOMERGE in scene.allow:
        return ()
    return (Bounded("automerge", "true", "false"),)
