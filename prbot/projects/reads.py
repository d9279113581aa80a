"""Which files a project reads, as far as its code tells; where it does not, all there are.

A project reads its own directory and those of its modules, down to the next directory with
code, and what it names elsewhere. Prose is left out unless it is named. A project that starts
programs may read anything: its directories count whole, and so does the directory of
whatever its text names outside of them, for scripts call their neighbours.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from prbot.projects.affected import LOCK_FILE, PROSE
from prbot.projects.facts import FileFacts, Origin, Read
from prbot.projects.graph import Graph
from prbot.projects.listing import directory_of, joined
from prbot.projects.patterns import matches

Files = Mapping[str, str]
"""Blob ids, or the targets of links, by path."""


@dataclass(frozen=True)
class Reads:
    """`groups` are files by the name of what brings them, `trees` whole directories."""

    groups: Mapping[str, Files]
    trees: frozenset[str]


def reads(
    graph: Graph, directory: str, dirs: Sequence[str], var_files: Iterable[str], runs: bool
) -> Reads:
    """`dirs` are the project's own directory and its modules', whose facts the graph knows;
    `var_files` are relative to the project. `runs`: its workflow starts programs."""
    found = _Found(graph, directory, tuple(dirs), runs)
    found.own()
    for module in dirs:
        found.named(module)
    for name in var_files:
        found.file(Read(name, Origin.ROOT), directory)
    return Reads(found.groups, frozenset(found.trees))


@dataclass
class _Found:
    graph: Graph
    directory: str
    dirs: tuple[str, ...]
    by_workflow: bool
    groups: dict[str, dict[str, str]] = field(default_factory=dict)
    trees: set[str] = field(default_factory=set)

    @cached_property
    def runs(self) -> bool:
        facts = (facts for module in self.dirs for facts in self._facts(module))
        return self.by_workflow or any(each.runs for each in facts)

    def _facts(self, module: str) -> Iterator[FileFacts]:
        return (facts for _, facts in self.graph.code.get(module, ()))

    # --- the project's own directories --------------------------------------------------------

    def own(self) -> None:
        if self.runs:
            self.trees |= set(self.dirs)
        for module in self.dirs:
            for path in self._below(module):
                if not self.runs:
                    self._add(f"{module}/", path)
                elif path in self.graph.listing.links:
                    self._target(f"{module}/", path)

    def _below(self, module: str) -> Iterator[str]:
        """Down to the next directory with code."""
        for directory in self._owned.get(module, ()):
            paths = self.graph.listing.directories[directory]
            yield from (path for path in paths if not self._is_left_out(path))

    @cached_property
    def _owned(self) -> Mapping[str, list[str]]:
        """Directories by the nearest one around them that has code."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for directory in self.graph.listing.directories:
            found[self._owner(directory)].append(directory)
        return found

    def _owner(self, directory: str) -> str:
        code = self.graph.listing.code
        while directory != "." and directory not in code:
            directory = directory_of(directory)
        return directory

    def _is_left_out(self, path: str) -> bool:
        return path.endswith(PROSE) or posixpath.basename(path) == LOCK_FILE

    def _add(self, group: str, path: str) -> None:
        files = self.groups.setdefault(group, {})
        if path in self.graph.listing.links:
            files[path] = f"-> {self.graph.listing.links[path]}"
            self._target(group, path)
        else:
            files[path] = self.graph.listing.files[path]

    def _target(self, group: str, link: str) -> None:
        real, _ = self.graph.listing.followed(link)
        if real is not None:
            self._place(real, group)

    # --- what is named ------------------------------------------------------------------------

    def named(self, module: str) -> None:
        for facts in self._facts(module):
            for read in facts.reads:
                self.file(read, module)
            for read in facts.climbs:
                self._climb(read, module)

    def file(self, read: Read, module: str) -> None:
        place = joined(self._base(read, module), read.path)
        if place is None:
            return
        if not read.glob:
            self._place(place, place)
        elif place == "**" or place.endswith("/**"):
            self._whole(place[:-2].rstrip("/") or ".")
        else:
            for path in self.graph.listing.files:
                if matches(".", (place,), path):
                    self._add(place, path)

    def _climb(self, read: Read, module: str) -> None:
        place = joined(self._base(read, module), read.path)
        if place is None or place in self.dirs:
            return
        if self.runs and place in self.graph.listing.files:
            self._whole(directory_of(place))
        else:
            self._place(place, place)

    def _base(self, read: Read, module: str) -> str:
        return self.directory if read.origin is Origin.ROOT else module

    def _place(self, place: str, group: str) -> None:
        """A file, or all that is below a directory."""
        real, passed = self.graph.listing.followed(place)
        for link in passed:
            self.groups.setdefault(group, {})[link] = f"-> {self.graph.listing.links[link]}"
        if real is None:
            return
        if real in self.graph.listing.files:
            self.groups.setdefault(group, {})[real] = self.graph.listing.files[real]
        else:
            self._whole(real)

    def _whole(self, directory: str) -> None:
        """A pattern or an interpolation may stand in it: then from where it is literal."""
        cut = min((at for sign in "*?[" if (at := directory.find(sign)) >= 0), default=None)
        literal = directory if cut is None else directory_of(directory[:cut])
        if literal in self._directories:
            self.trees.add(literal)

    @cached_property
    def _directories(self) -> frozenset[str]:
        """All that hold anything, directly or further down."""
        found = {"."}
        for directory in self.graph.listing.directories:
            while directory not in found:
                found.add(directory)
                directory = directory_of(directory)
        return frozenset(found)
