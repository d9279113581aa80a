"""Which projects a command speaks of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from prbot.config.globs import matches_any
from prbot.model import ProjectKey, Selector
from prbot.projects.affected import affected
from prbot.projects.discovery import Discovery
from prbot.projects.project import Project


def chosen(
    discovery: Discovery, changed: Iterable[str], select: Selector, asked: bool = False
) -> tuple[Project, ...]:
    """What a run is about: without directories the affected projects, in their order.

    `asked`: somebody commented, so those count too that a change alone does not plan. A
    workspace that is named is planned in each chosen directory, because it may exist only in
    the backend and no file tell of it.
    """
    if select.dirs:
        found = tuple(p for p in discovery.projects if _globbed(p.key.dir, select.dirs))
    else:
        found = affected(discovery, changed, asked)
    return _in_workspaces(found, discovery, select.workspaces) if select.workspaces else found


def _in_workspaces(
    found: tuple[Project, ...], discovery: Discovery, workspaces: tuple[str, ...]
) -> tuple[Project, ...]:
    known = {project.key: project for project in discovery.projects}
    wanted = {}
    for project in found:
        for workspace in workspaces:
            key = ProjectKey(project.key.dir, workspace)
            wanted[key] = known.get(key) or replace(project, key=key, name=None)
    return tuple(sorted(wanted.values(), key=lambda project: (project.order, project.key)))


def matches(project: ProjectKey, select: Selector) -> bool:
    """Whether a project is among those a command selects; an empty selector takes all."""
    in_dir = not select.dirs or _globbed(project.dir, select.dirs)
    in_workspace = not select.workspaces or _globbed(project.workspace, select.workspaces)
    return in_dir and in_workspace


def _globbed(name: str, patterns: tuple[str, ...]) -> bool:
    # A name is also taken literally: directories may hold glob characters.
    return name in patterns or matches_any(patterns, name)
