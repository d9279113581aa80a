"""Projects as configuration declares them, set against what a commit holds.

What was found and what was declared become one list, by the rules of
`config/project_rules.py`. Raises BadConfiguration, with the line that said so, for what
can have no good meaning; what merely leads nowhere is a warning.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from prbot.config.globs import matches_any
from prbot.config.project_rules import DeclaredProject, DiscoveryMode, ProjectRules
from prbot.errors import PrbotError
from prbot.errors.configuration import BadConfiguration
from prbot.errors.projects import (
    CircularDependencies,
    DirectoryIsGone,
    NameTakenTwice,
    NothingMatches,
    ProjectDeclaredTwice,
    UnknownDependency,
)
from prbot.model import Notice, ProjectKey
from prbot.projects.graph import circle
from prbot.projects.project import Project
from prbot.projects.roots import Root, Roots


@dataclass(frozen=True)
class Chosen:
    """A project of a root module; `declared` is the entry that made it, if one did."""

    key: ProjectKey
    root: Root
    declared: DeclaredProject | None = None

    @property
    def added(self) -> bool:
        """By a pull request's head, so that it takes nothing's place."""
        return self.declared is not None and self.declared.added


def _beside(found: Chosen, declared: Chosen | None) -> Chosen:
    """A found project, with a declaration of it as far as that may not hide its changes."""
    if declared is None or declared.declared is None:
        return found
    if not declared.added:
        return declared
    seen = replace(declared.declared, when_modified=None, autoplan=True, workflow=None)
    return replace(declared, declared=seen)


@dataclass(frozen=True)
class Declarations:
    rules: ProjectRules
    roots: Roots

    @property
    def source(self) -> str:
        return self.rules.source or "prbot.yaml"

    def refusal(self, line: int, error: PrbotError) -> BadConfiguration:
        return BadConfiguration(self.source, line, 1, str(error), error.next_step)

    # --- which projects ------------------------------------------------------------------------

    def chosen(self) -> tuple[Chosen, ...]:
        """Found and declared projects, sorted by key. Raises BadConfiguration."""
        chosen: dict[ProjectKey, Chosen] = {}
        for each in self._declared():
            before = chosen.get(each.key)
            if before is None:
                chosen[each.key] = each
            elif before.added or not each.added:
                chosen[each.key] = self._one_of(before, each)
        declared_dirs = {key.dir for key, each in chosen.items() if not each.added}
        for each in self._found():
            hidden = self.rules.mode is DiscoveryMode.AUTO and each.key.dir in declared_dirs
            if not hidden:
                chosen[each.key] = _beside(each, chosen.get(each.key))
        self._check_names(chosen.values())
        return tuple(chosen[key] for key in sorted(chosen))

    def _found(self) -> Iterator[Chosen]:
        for directory in filter(self.rules.finds_in, self.roots.graph.code):
            root = self.roots.root(directory)
            if root is not None:
                yield from (Chosen(ProjectKey(directory, w), root) for w in root.workspaces)

    def _declared(self) -> Iterator[Chosen]:
        exact = [entry for entry in self.rules.declared if not self._is_glob(entry)]
        every = {_normal(entry.dir) for entry in exact}
        known = {_normal(entry.dir) for entry in exact if not entry.added}
        for entry in self.rules.declared:
            because = f"declared in {self.source}, line {entry.line}"
            nearer = every if entry.added else known
            for directory in self._directories(entry):
                if directory not in nearer or not self._is_glob(entry):
                    root = self.roots.described(directory, because)
                    yield Chosen(ProjectKey(directory, entry.workspace), root, entry)

    def _is_glob(self, entry: DeclaredProject) -> bool:
        written = _normal(entry.dir)
        return any(sign in written for sign in "*?[") and written not in self.roots.graph.code

    def _directories(self, entry: DeclaredProject) -> list[str]:
        written, code = _normal(entry.dir), self.roots.graph.code
        if not self._is_glob(entry):
            return [written] if written in self.roots.graph.listing.directories else []
        return [
            directory
            for directory in code
            if matches_any((written,), directory)
            and (directory not in self.roots.graph.called or self.roots.root(directory))
        ]

    def warnings(self) -> Iterator[Notice]:
        """Entries that lead nowhere in this commit."""
        for entry in self.rules.declared:
            if not self._directories(entry):
                glob = self._is_glob(entry)
                error = NothingMatches(entry.dir) if glob else DirectoryIsGone(entry.dir)
                yield Notice(self.source, entry.line, str(error))

    def _one_of(self, first: Chosen, second: Chosen) -> Chosen:
        one, other = first.declared, second.declared
        if one is None or other is None:
            return second
        raise self.refusal(other.line, ProjectDeclaredTwice(str(second.key), one.line))

    def _check_names(self, chosen: Iterable[Chosen]) -> None:
        lines: dict[str, int] = {}
        for entry in sorted((c.declared for c in chosen if c.declared), key=lambda d: d.line):
            if entry.name is not None:
                if entry.name in lines:
                    raise self.refusal(entry.line, NameTakenTwice(entry.name, lines[entry.name]))
                lines[entry.name] = entry.line

    # --- what they wait for --------------------------------------------------------------------

    def dependencies(self, chosen: Sequence[Chosen]) -> dict[ProjectKey, tuple[ProjectKey, ...]]:
        """Of each project, those it depends on. Raises BadConfiguration."""
        found = {each.key: tuple(self._wanted(each, chosen)) for each in chosen}
        closed = circle(found)
        if closed:
            lines = {each.key: each.declared.line for each in chosen if each.declared}
            names = " → ".join(map(str, closed))
            raise self.refusal(min(lines[key] for key in closed), CircularDependencies(names))
        return found

    def _wanted(self, each: Chosen, chosen: Sequence[Chosen]) -> Iterator[ProjectKey]:
        if each.declared is None:
            return
        seen: set[ProjectKey] = set()
        for name in each.declared.depends_on:
            for key in self._meant(name, each, chosen):
                if key not in seen:
                    seen.add(key)
                    yield key

    def _meant(self, name: str, each: Chosen, chosen: Sequence[Chosen]) -> list[ProjectKey]:
        """By name, else by directory: the same workspace there, else all of them."""
        named = [c.key for c in chosen if c.declared and c.declared.name == name]
        placed = [c.key for c in chosen if c.key.dir == _normal(name)]
        alike = [key for key in placed if key.workspace == each.key.workspace]
        meant = named or alike or placed
        if meant:
            return meant
        line = each.declared.line if each.declared else 1
        raise self.refusal(line, UnknownDependency(name, self._guess(name, chosen)))

    def _guess(self, name: str, chosen: Sequence[Chosen]) -> str:
        names = {c.declared.name for c in chosen if c.declared and c.declared.name}
        known = sorted(names | {c.key.dir for c in chosen})
        close = difflib.get_close_matches(name, known, n=1)
        if close:
            return f"Did you mean `{close[0]}`?"
        return "Write the name or the directory of a project."


def project(chosen: Chosen, depends_on: tuple[ProjectKey, ...], order: int) -> Project:
    """Without reasons of its order."""
    entry = chosen.declared or DeclaredProject(chosen.key.dir)
    return Project(
        key=chosen.key,
        name=entry.name,
        depends_on=depends_on,
        order=order,
        group=entry.order,
        var_files=entry.var_files,
        workflow=entry.workflow,
        tool=entry.tool,
        version=entry.version,
        tool_before=entry.tool_before,
        autoplan=entry.autoplan,
        because=(chosen.root.because,),
    )


def _normal(directory: str) -> str:
    parts = [part for part in directory.split("/") if part not in ("", ".")]
    return "/".join(parts) or "."
