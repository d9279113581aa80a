"""Which projects a change affects, and why: what `discovery.py` found, asked for paths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from prbot.model import ProjectKey
from prbot.projects.discovery import Discovery, Inputs
from prbot.projects.listing import VARIABLES, directory_of, is_code
from prbot.projects.patterns import matches
from prbot.projects.project import Project
from prbot.projects.roots import ENV, workspace_of

LOCK_FILE = ".terraform.lock.hcl"
OWN_FILES = frozenset({LOCK_FILE, ".terraform-version", ".opentofu-version"})
"""What counts in a project's own directory, beside code and variables."""
PROSE = (".md", ".rst", ".adoc")
"""Never taken for a file that is read, unless it is named."""
SHOWN = 5
"""Most reasons that are told of one project."""


def affected(
    discovery: Discovery, changed: Iterable[str], asked: bool = False
) -> tuple[Project, ...]:
    """The projects to plan for these changed paths (of deleted files too, and both of a
    renamed one), in the order of the discovery; `because` says why each is affected.

    `asked`: also those that are only planned when somebody asks.
    """
    question = _Asked(discovery)
    reasons: defaultdict[ProjectKey, dict[str, None]] = defaultdict(dict)
    for path in dict.fromkeys(changed):
        for key, reason in question.reasons(path):
            reasons[key][reason] = None
    return tuple(
        replace(project, because=_shortened(list(reasons[project.key])))
        for project in discovery.projects
        if project.key in reasons and (asked or project.autoplan)
    )


def affecting(discovery: Discovery, changed: Iterable[str]) -> Mapping[ProjectKey, tuple[str, ...]]:
    """By project, those of the changed paths that affect it."""
    question = _Asked(discovery)
    found: defaultdict[ProjectKey, dict[str, None]] = defaultdict(dict)
    for path in dict.fromkeys(changed):
        for key, _ in question.reasons(path):
            found[key][path] = None
    return {key: tuple(paths) for key, paths in found.items()}


def _shortened(reasons: list[str]) -> tuple[str, ...]:
    rest = len(reasons) - SHOWN
    return tuple(reasons[:SHOWN]) + ((f"and {rest} more changes",) if rest > 0 else ())


@dataclass(frozen=True)
class _Asked:
    discovery: Discovery

    def reasons(self, path: str) -> Iterator[tuple[ProjectKey, str]]:
        """Each project that the path affects, by its own name or that of a link to it."""
        for name in (path, *self.discovery.graph.listing.aliases.get(path, ())):
            for key in self._candidates(name):
                reason = self._reason(key, name)
                if reason is not None:
                    yield key, f"`{path}` {reason}"

    def _candidates(self, path: str) -> Iterable[ProjectKey]:
        found = dict.fromkeys(self._by_dir.get(directory_of(path), ()))
        found |= dict.fromkeys(self._by_file.get(path, ()))
        found |= dict.fromkeys(self._by_dir.get(self._owner(path), ()))
        found |= dict.fromkeys(self._patterned)
        for glob, keys in self._by_glob.items():
            if _below(glob, path):
                found |= dict.fromkeys(keys)
        return found

    def _reason(self, key: ProjectKey, path: str) -> str | None:
        inputs = self.discovery.inputs[key]
        if inputs.when_modified is not None:
            hit = matches(key.dir, inputs.when_modified, path)
            return "changed, which `when_modified` names" if hit else None
        directory = directory_of(path)
        if is_code(path) and directory in inputs.dirs:
            return self._code_reason(key, path, directory)
        if path in inputs.files:
            return "changed, which it reads"
        if directory == key.dir and path.rpartition("/")[2] in OWN_FILES:
            return "changed"
        if path.endswith(VARIABLES) and self._gives_values(key, path):
            return "changed"
        if inputs.whole and not path.endswith(PROSE) and self._owner(path) == key.dir:
            return "changed, which its workflow may read"
        return "changed, which it may read" if self._may_read(inputs, path) else None

    def _code_reason(self, key: ProjectKey, path: str, directory: str) -> str | None:
        if self.discovery.graph.hidden(path):
            return None
        if directory == key.dir:
            return "changed"
        return f"changed in the module `{directory}`, which it uses"

    def _gives_values(self, key: ProjectKey, path: str) -> bool:
        """Variables beside or below the project's code; those of a workspace, to it."""
        if self._owner(path) != key.dir:
            return False
        in_env = path.removeprefix(f"{key.dir}/").rpartition("/")[0] == ENV
        named = self._workspaces[key.dir]
        if not in_env or named == {"default"}:
            return True
        return workspace_of(path) == key.workspace

    def _may_read(self, inputs: Inputs, path: str) -> bool:
        """A `**` that is no more than a guess stops at prose and at other code."""
        for glob in inputs.globs:
            if not _below(glob, path):
                continue
            guess = glob == "**" or glob.endswith("/**")
            if not guess:
                if matches(".", (glob,), path):
                    return True
            elif not path.endswith(PROSE) and self._owner(path) == self._owner(f"{glob[:-2]}x"):
                return True
        return False

    def _owner(self, path: str) -> str:
        """The nearest directory around a path that has code; `.` when there is none."""
        directory = directory_of(path)
        while directory != "." and directory not in self.discovery.graph.code:
            directory = directory_of(directory)
        return directory

    # --- indexes ---------------------------------------------------------------------------

    @cached_property
    def _by_dir(self) -> Mapping[str, list[ProjectKey]]:
        return self._index(lambda inputs: inputs.dirs)

    @cached_property
    def _by_file(self) -> Mapping[str, list[ProjectKey]]:
        return self._index(lambda inputs: inputs.files)

    @cached_property
    def _by_glob(self) -> Mapping[str, list[ProjectKey]]:
        return self._index(lambda inputs: inputs.globs)

    def _index(self, part: Callable[[Inputs], Iterable[str]]) -> Mapping[str, list[ProjectKey]]:
        found: defaultdict[str, list[ProjectKey]] = defaultdict(list)
        for key, inputs in self.discovery.inputs.items():
            for each in part(inputs):
                found[each].append(key)
        return found

    @cached_property
    def _patterned(self) -> list[ProjectKey]:
        inputs = self.discovery.inputs
        return [key for key, each in inputs.items() if each.when_modified is not None]

    @cached_property
    def _workspaces(self) -> Mapping[str, set[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for key in self.discovery.inputs:
            found[key.dir].add(key.workspace)
        return found


def _below(glob: str, path: str) -> bool:
    """Whether the path begins as the pattern does, up to its first wildcard."""
    literal = glob[: min((glob.find(s) for s in "*?[\\" if s in glob), default=len(glob))]
    return path.startswith(literal)
