"""Which projects a change touches, and which of them a command speaks of.

Zero configuration: a directory that holds Terraform files is a project, and it is
affected when one of its own Terraform files changed. Directories below one named
`modules` hold modules, not projects. Following modules, symlinks and read files to
the projects that use them is not promised here yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from prbot.config.globs import matches_any
from prbot.model import ProjectKey, Selector

CODE = (".tf", ".tf.json", ".tofu", ".tofu.json")
"""Files that make a directory a root module."""
RELATED = (*CODE, ".tfvars", ".tfvars.json")
"""Files whose change makes a project affected, beside its lock file."""
LOCK_FILE = ".terraform.lock.hcl"
NO_PROJECTS = frozenset({"modules", ".terraform"})
"""Directories below which nothing is a project: modules, and what `init` downloads."""


def projects_of(paths: Iterable[str], ignore: tuple[str, ...] = ()) -> tuple[ProjectKey, ...]:
    """Every project of a commit, given all its file paths; `ignore` are globs of directories."""
    dirs = {_dir(path) for path in paths if _is(path, CODE)}
    return tuple(
        sorted(ProjectKey(d) for d in dirs if not _is_no_root(d) and not _globbed(d, ignore))
    )


def affected(projects: Iterable[ProjectKey], changed: Iterable[str]) -> tuple[ProjectKey, ...]:
    """The projects of which a Terraform file changed, in order."""
    touched = {_dir(path) for path in changed if _is(path, RELATED) or _name(path) == LOCK_FILE}
    return tuple(project for project in projects if project.dir in touched)


def chosen(
    projects: tuple[ProjectKey, ...], changed: Iterable[str], select: Selector
) -> tuple[ProjectKey, ...]:
    """What a plan command speaks of: without a selector the affected projects.

    A workspace that is named is planned in each chosen directory, because it exists
    only in the backend and no file tells of it.
    """
    if not select.dirs:
        found = affected(projects, changed)
    else:
        found = tuple(project for project in projects if _globbed(project.dir, select.dirs))
    if not select.workspaces:
        return found
    return tuple(sorted(ProjectKey(p.dir, w) for p in found for w in set(select.workspaces)))


def matches(project: ProjectKey, select: Selector) -> bool:
    """Whether a project is among those a command selects; an empty selector takes all."""
    in_dir = not select.dirs or _globbed(project.dir, select.dirs)
    in_workspace = not select.workspaces or _globbed(project.workspace, select.workspaces)
    return in_dir and in_workspace


def touches_modules(changed: Iterable[str]) -> bool:
    """Whether code changed that is a module's, so that projects may be affected unseen."""
    return any(_is(path, CODE) and _is_no_root(_dir(path)) for path in changed)


def _globbed(name: str, patterns: tuple[str, ...]) -> bool:
    # A name is also taken literally: directories may hold glob characters.
    return name in patterns or matches_any(patterns, name)


def _is(path: str, endings: tuple[str, ...]) -> bool:
    """Of one of these kinds, and not hidden: the tool does not load hidden files."""
    return path.endswith(endings) and not _name(path).startswith(".")


def _name(path: str) -> str:
    return PurePosixPath(path).name


def _dir(path: str) -> str:
    return PurePosixPath(path).parent.as_posix()


def _is_no_root(directory: str) -> bool:
    return not NO_PROJECTS.isdisjoint(PurePosixPath(directory).parts)
