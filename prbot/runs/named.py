"""Which projects of a pull request a command means, also by their names.

Names are those of its last plans: a command about plans means what stands there.
"""

from __future__ import annotations

from prbot.errors.projects import NoProjectNamed
from prbot.model import ProjectKey, Selector
from prbot.projects.select import check_names, matches
from prbot.runs.run import AskKind, Run
from prbot.runs.say import Reason
from prbot.runs.scene import Scene


def means(scene: Scene, select: Selector, project: ProjectKey) -> bool:
    """Whether the command speaks of the project; an empty selector takes all."""
    name = scene.name_of(project) if select.projects else None
    return matches(project, select, name)


def concerns(scene: Scene, run: Run, select: Selector) -> bool:
    """Whether the command speaks of a run that waits: of one of the projects it waits for."""
    if select == Selector():
        return True
    plan = scene.plan(run.ask.plan_id)
    found = scene.planned_projects() if run.ask.kind is AskKind.APPLY else run.projects or ()
    mine = (plan.project,) if plan else (p for p in found if means(scene, run.ask.select, p))
    return any(means(scene, select, project) for project in mine)


def unknown_names(scene: Scene, select: Selector) -> tuple[Reason, ...]:
    """Why nothing is done: half of what a command names would surprise."""
    known = {place.name for run in scene.runs for place in run.placed if place.name is not None}
    try:
        check_names(select.projects, sorted(known))
    except NoProjectNamed as error:
        return (Reason("project", f"{error} among the planned ones", error.next_step),)
    return ()
