"""How merged code counts as applied: by its own apply, or by one that holds it too."""

from __future__ import annotations

from prbot.model import ProjectKey, PullRef
from prbot.runs.behind import overtaken_by, to_settle
from prbot.runs.left import is_applied, touched
from prbot.runs.run import Run, RunState
from prbot.runs.say import Settled
from prbot.runs.scene import Scene
from prbot.runs.steps import (
    Check,
    DropPlans,
    DropWorkspaces,
    Finish,
    FreeLocks,
    Say,
    SetStatus,
    Settle,
    Step,
    Verdict,
)

Steps = tuple[Step, ...]


def settling(run: Run, scene: Scene) -> Steps:
    """Note what is applied now, of this merge and of those before it."""
    landings = to_settle(run, scene)
    return (Settle(landings),) if landings else ()


def told_overtaken(run: Run, scene: Scene) -> Steps:
    """We heard of the merge after a later one was applied: nothing is left, and people hear why."""
    found = ((project, overtaken_by(project, scene)) for project in sorted(touched(run, scene)))
    by: dict[int, list[ProjectKey]] = {}
    for project, pull in found:
        if pull is not None and not is_applied(project, scene):
            by.setdefault(pull.number, []).append(project)
    return tuple(
        Say(f"{run.id}-with-{number}", Settled(tuple(projects), number))
        for number, projects in by.items()
    )


def settled_elsewhere(run: Run, scene: Scene, by: PullRef) -> Steps:
    """What of this merge another pull request's apply brought in; the rest stays as it is."""
    own = tuple(one for one in scene.landings if one.pull == run.pull)
    projects = tuple(one.project for one in own if one.settled_by == by)
    told = (Say(run.id, Settled(projects, by.number)),) if projects else ()
    held = (lock.project for lock in scene.locks if lock.holder == run.pull)
    free = FreeLocks(tuple(p for p in held if p in projects and not scene.interrupted(p)))
    if any(one.settled_by is None for one in own):
        return (*told, free, Finish(RunState.DONE))
    words = f"applied with pull request {by.number}"
    green = SetStatus(scene.pull.head_sha, Check.APPLY, Verdict.SUCCESS, words)
    return (*told, green, free, DropPlans(), DropWorkspaces(), Finish(RunState.DONE))
