"""Which projects of a pull request a command means, also by their names.

Names are those of its last plans: a command about plans means what stands there.
"""

from __future__ import annotations

from prbot.errors import NoProjectNamed
from prbot.model import ProjectKey, Selector
from prbot.projects.select import check_names, matches
from prbot.runs.say import Reason
from prbot.runs.scene import Scene


def means(scene: Scene, select: Selector, project: ProjectKey) -> bool:
    """Whether the command speaks of the project; an empty selector takes all."""
    name = scene.name_of(project) if select.projects else None
    return matches(project, select, name)


def unknown_names(scene: Scene, select: Selector) -> tuple[Reason, ...]:
    """Why nothing is done: half of what a command names would surprise."""
    known = {place.name for run in scene.runs for place in run.placed if place.name is not None}
    try:
        check_names(select.projects, sorted(known))
    except NoProjectNamed as error:
        return (Reason("project", f"{error} among the planned ones", error.next_step),)
    return ()
