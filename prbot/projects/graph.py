"""Which directories call which, and what waits for what.

Directories are what they are after links; a link to a directory is another name for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from prbot.errors.projects import SourceLeadsNowhere, SourceNotLiteral
from prbot.model import Notice
from prbot.projects.facts import FileFacts, ModuleCall
from prbot.projects.listing import CODE, TOFU, Listing, joined

Node = TypeVar("Node")


@dataclass(frozen=True)
class CallTo:
    """A local module call of the file `path`. `directory` is None when it leads nowhere;
    `passed` are links on the way, and the place itself where nothing is."""

    path: str
    line: int
    source: str
    directory: str | None
    passed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """`facts` by path of a file (never of a link). `tool`: `terraform` reads no `.tofu`
    files; for OpenTofu, or None, one of them wins over a `.tf` file of the same name."""

    listing: Listing
    facts: Mapping[str, FileFacts]
    tool: str | None = None

    @cached_property
    def code(self) -> Mapping[str, tuple[tuple[str, FileFacts], ...]]:
        """By directory: the files the tool reads there, under the names they have there."""
        found = {path: tuple(self._read(paths)) for path, paths in self.listing.code.items()}
        return {path: files for path, files in found.items() if files}

    def _read(self, paths: Sequence[str]) -> Iterator[tuple[str, FileFacts]]:
        for path in paths:
            real, _ = self.listing.followed(path)
            if real is not None and real in self.facts and not self.hidden(path):
                yield path, self.facts[real]

    def hidden(self, path: str) -> bool:
        """Whether the tool leaves this configuration file out."""
        if self.tool == "terraform":
            return path.endswith(TOFU) and self._has_terraform(path)
        for plain, winner in zip(CODE[:2], TOFU, strict=True):
            if path.endswith(plain):
                beside = path.removesuffix(plain) + winner
                return beside in self.listing.files or beside in self.listing.links
        return False

    def _has_terraform(self, path: str) -> bool:
        directory = path.rpartition("/")[0] or "."
        return any(not other.endswith(TOFU) for other in self.listing.code.get(directory, ()))

    @cached_property
    def calls(self) -> Mapping[str, tuple[CallTo, ...]]:
        """The local module calls of each directory."""
        return {
            directory: tuple(
                self._call(directory, path, call)
                for path, facts in files
                for call in facts.modules
                if call.is_local
            )
            for directory, files in self.code.items()
        }

    def _call(self, directory: str, path: str, call: ModuleCall) -> CallTo:
        source = (call.source or "").replace("\\", "/")
        place = joined(directory, source)
        if place is None:
            return CallTo(path, call.line, source, None)
        real, passed = self.listing.followed(place)
        if real in self.code:
            return CallTo(path, call.line, source, real, passed)
        return CallTo(path, call.line, source, None, (*passed, *([real] if real else [])))

    @cached_property
    def called(self) -> frozenset[str]:
        """Directories that others call."""
        return frozenset(
            call.directory
            for directory, calls in self.calls.items()
            for call in calls
            if call.directory is not None and call.directory != directory
        )

    def closure(self, directory: str) -> tuple[str, ...]:
        """The directory and all it calls, transitively; itself first, then sorted."""
        found, todo = {directory}, [directory]
        while todo:
            for call in self.calls.get(todo.pop(), ()):
                if call.directory is not None and call.directory not in found:
                    found.add(call.directory)
                    todo.append(call.directory)
        return (directory, *sorted(found - {directory}))

    def warnings(self) -> Iterator[Notice]:
        """What could not be read, and calls that lead nowhere."""
        for path, facts in self.facts.items():
            if facts.problem is not None:
                yield Notice(path, facts.problem.line, facts.problem.message)
            for call in facts.modules:
                if call.source is None:
                    yield Notice(path, call.line, str(SourceNotLiteral(call.name)))
        for calls in self.calls.values():
            for to in calls:
                if to.directory is None:
                    yield Notice(to.path, to.line, str(SourceLeadsNowhere(to.source)))


def circle(edges: Mapping[Node, Iterable[Node]]) -> tuple[Node, ...]:
    """The first circle, its beginning repeated at its end; empty when there is none."""
    done: set[Node] = set()
    for start in edges:
        trail: dict[Node, Iterator[Node]] = {}
        if start not in done:
            trail[start] = iter(edges.get(start, ()))
        while trail:
            node = next(reversed(trail))
            following = next(trail[node], None)
            if following is None:
                done.add(node)
                trail.pop(node)
            elif following in trail:
                names = list(trail)
                return (*names[names.index(following) :], following)
            elif following not in done:
                trail[following] = iter(edges.get(following, ()))
    return ()


def ranks(edges: Mapping[Node, Iterable[Node]], least: Mapping[Node, int]) -> dict[Node, int]:
    """A number for each node: at least its `least`, and above those of its edges' ends.

    There must be no circle.
    """
    found: dict[Node, int] = {}
    for start in least:
        todo = [start]
        while todo:
            node = todo[-1]
            if node in found:
                todo.pop()
                continue
            missing = [end for end in edges.get(node, ()) if end not in found]
            if missing:
                todo += missing
                continue
            todo.pop()
            behind = (found[end] + 1 for end in edges.get(node, ()))
            found[node] = max([least[node], *behind])
    return found


def knots(edges: Mapping[Node, Iterable[Node]]) -> dict[Node, int]:
    """A number for each node, equal for those that reach one another; each edge once.

    Tarjan's algorithm, without recursion: https://doi.org/10.1137/0201010
    """
    walk = _Knots(edges)
    for start in edges:
        if start not in walk.low:
            walk.from_(start)
    return walk.found


class _Knots(Generic[Node]):
    """`low` is the earliest node of the stack that a node is known to reach, by number."""

    def __init__(self, edges: Mapping[Node, Iterable[Node]]) -> None:
        self.edges = edges
        self.low: dict[Node, int] = {}
        self.found: dict[Node, int] = {}
        self._stack: list[Node] = []

    def from_(self, start: Node) -> None:
        trail = [self._enter(start)]
        while trail:
            node, number, ends = trail[-1]
            for end in ends:
                if end not in self.low:
                    trail.append(self._enter(end))
                    break
                if end not in self.found:
                    self.low[node] = min(self.low[node], self.low[end])
            else:
                trail.pop()
                self._leave(node, number)
                if trail and node not in self.found:
                    above = trail[-1][0]
                    self.low[above] = min(self.low[above], self.low[node])

    def _enter(self, node: Node) -> tuple[Node, int, Iterator[Node]]:
        number = self.low[node] = len(self.low)
        self._stack.append(node)
        return node, number, iter(self.edges.get(node, ()))

    def _leave(self, node: Node, number: int) -> None:
        if self.low[node] != number:
            return
        while node not in self.found:
            self.found[self._stack.pop()] = number
