"""Which projects a command speaks of."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from prbot.config.globs import matches_any
from prbot.errors.projects import NoProjectNamed
from prbot.model import ProjectKey, Selector
from prbot.projects.affected import affected
from prbot.projects.discovery import Discovery
from prbot.projects.project import Project


def chosen(
    discovery: Discovery, changed: Iterable[str], select: Selector, asked: bool = False
) -> tuple[Project, ...]:
    """What a run is about: without directories or names the affected projects, in their
    order. Raises NoProjectNamed.

    `asked`: somebody commented, so those count too that a change alone does not plan. A
    workspace that is named is planned in each chosen directory, because it may exist only in
    the backend and no file tell of it.
    """
    if select.projects:
        return _named(discovery, select.projects)
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


def _named(discovery: Discovery, wanted: tuple[str, ...]) -> tuple[Project, ...]:
    named = {project.name: project for project in discovery.projects if project.name is not None}
    check_names(wanted, tuple(named))
    return tuple(project for name, project in named.items() if _globbed(name, wanted))


def check_names(wanted: Sequence[str], known: Sequence[str]) -> None:
    """Raises NoProjectNamed for the first that names nothing: half a command is not done."""
    for each in wanted:
        if not any(_globbed(name, (each,)) for name in known):
            near = difflib.get_close_matches(each, known, n=1)
            guess = f"Did you mean `{near[0]}`?" if near else ""
            raise NoProjectNamed(each, guess or "Name its directory by `-d` instead.")


def matches(project: ProjectKey, select: Selector, name: str | None = None) -> bool:
    """Whether a project is among those a command selects; an empty selector takes all.

    `name` is the project's, where it has one.
    """
    if select.projects and (name is None or not _globbed(name, select.projects)):
        return False
    in_dir = not select.dirs or _globbed(project.dir, select.dirs)
    in_workspace = not select.workspaces or _globbed(project.workspace, select.workspaces)
    return in_dir and in_workspace


def _globbed(name: str, patterns: tuple[str, ...]) -> bool:
    # A name is also taken literally: directories may hold glob characters.
    return name in patterns or matches_any(patterns, name)
