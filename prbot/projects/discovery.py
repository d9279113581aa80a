"""The projects of a commit: which there are, what each is made of, what waits for what.

No I/O: the caller gives the commit's listing, what its configuration files say (by path;
`adapters/hcl_cache.py` knows), and what was declared. `affected.py` asks the result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from prbot.config.project_rules import ProjectRules
from prbot.errors.projects import ProjectsShareState, StatesReadEachOther, TooManyStateReads
from prbot.model import Notice, ProjectKey
from prbot.projects.declared import Chosen, Declarations, project
from prbot.projects.facts import FileFacts, Origin, Read
from prbot.projects.graph import Graph, knots, ranks
from prbot.projects.listing import Listing, joined
from prbot.projects.project import Project
from prbot.projects.roots import Roots
from prbot.projects.state import Address, address, read_address, told

NO_RULES = ProjectRules()
MOST_READS = 200_000
"""Most reads of states that are followed, each counted for each project it stands in."""


@dataclass(frozen=True)
class Inputs:
    """What a project is made of: the directories of its code (its own first), single
    `files` (also ones that are not there yet), `globs` of paths.

    `when_modified`: patterns that alone decide, where they are given. `whole`: steps of a
    workflow of its own may read anything in its directory.
    """

    dirs: tuple[str, ...]
    files: frozenset[str] = frozenset()
    globs: tuple[str, ...] = ()
    when_modified: tuple[str, ...] | None = None
    whole: bool = False


@dataclass(frozen=True)
class Shared:
    """Projects with one state: none of them can be planned."""

    projects: tuple[ProjectKey, ...]
    error: ProjectsShareState


@dataclass(frozen=True)
class Home:
    """Where a project has its state (None: the code does not tell), and the line that says so."""

    address: Address | None
    path: str
    line: int


@dataclass(frozen=True)
class Discovery:
    """`projects` stand in the order in which they may be planned. `modules` are all other
    directories with code, and projects that are called, with the directories of the
    projects that use them. `shared` are states that several projects would write, `homes`
    the state of each project.
    """

    projects: tuple[Project, ...]
    modules: Mapping[str, tuple[str, ...]]
    warnings: tuple[Notice, ...]
    shared: tuple[Shared, ...]
    inputs: Mapping[ProjectKey, Inputs]
    homes: Mapping[ProjectKey, Home]
    graph: Graph


def discover(
    listing: Listing,
    facts: Mapping[str, FileFacts],
    rules: ProjectRules = NO_RULES,
    tool: str | None = None,
) -> Discovery:
    """All that is known without a change. `tool`: see `Graph`. Raises BadConfiguration."""
    graph = Graph(listing, facts, tool)
    roots = Roots(graph)
    declarations = Declarations(rules, roots)
    chosen = declarations.chosen()
    closures = {each.key.dir: graph.closure(each.key.dir) for each in chosen}
    ordered = _Order(graph, chosen, closures, declarations).projects()
    warnings = {*graph.warnings(), *roots.warnings(), *declarations.warnings(), *ordered.warnings}
    return Discovery(
        projects=ordered.projects,
        modules=_modules(graph, closures),
        warnings=tuple(sorted(warnings, key=lambda w: (w.path, w.line, w.message))),
        shared=tuple(_shared(chosen)),
        inputs={each.key: _inputs(graph, each, closures[each.key.dir]) for each in chosen},
        homes={each.key: _home(each) for each in chosen},
        graph=graph,
    )


def _home(each: Chosen) -> Home:
    where = address(each.root.backend, each.root.cloud, each.key)
    return Home(where, each.root.path, each.root.line)


def _modules(
    graph: Graph, closures: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    users: dict[str, list[str]] = {
        directory: [] for directory in graph.code if directory not in closures
    }
    for directory, closure in closures.items():
        own_calls = {call.directory for call in graph.calls.get(directory, ())}
        for module in closure[1:]:
            users.setdefault(module, []).append(directory)
        if directory in own_calls:
            users.setdefault(directory, []).append(directory)
    return {path: tuple(sorted(users[path])) for path in sorted(users)}


# --- what a project is made of ------------------------------------------------------------------


def _inputs(graph: Graph, chosen: Chosen, closure: tuple[str, ...]) -> Inputs:
    directory = chosen.key.dir
    entry = chosen.declared
    files: set[str] = set()
    globs: set[str] = set()
    for module in closure:
        for call in graph.calls.get(module, ()):
            files.update(_code_of(call.passed, call.directory))
        for read in _reads(graph, module):
            _place(graph, read, directory if read.origin is Origin.ROOT else module, files, globs)
    for name in entry.var_files if entry else ():
        _place(graph, Read(name, Origin.ROOT), directory, files, globs)
    missing = {path for path in files if path.endswith("/")}
    return Inputs(
        dirs=(*closure, *sorted(path.rstrip("/") for path in missing)),
        files=frozenset(files - missing),
        globs=tuple(sorted(globs)),
        when_modified=entry.when_modified if entry else None,
        whole=entry is not None and entry.workflow is not None,
    )


def _code_of(passed: Sequence[str], directory: str | None) -> Iterator[str]:
    """Links on the way to a module; where there is none (yet), its place, with a slash."""
    yield from passed if directory is not None else passed[:-1]
    if directory is None and passed:
        yield f"{passed[-1]}/"


def _reads(graph: Graph, module: str) -> Iterator[Read]:
    return (read for _, facts in graph.code.get(module, ()) for read in facts.reads)


def _place(graph: Graph, read: Read, base: str, files: set[str], globs: set[str]) -> None:
    place = joined(base, read.path)
    if place is None:
        return
    if read.glob:
        globs.add(place)
        return
    real, passed = graph.listing.followed(place)
    files.update([place, *passed, *([real] if real else [])])


# --- order --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ordered:
    projects: tuple[Project, ...]
    warnings: tuple[Notice, ...]


@dataclass(frozen=True)
class _StateEdge:
    """`reader` waits for `writer`, because of a data source of the file `path`."""

    reader: ProjectKey
    writer: ProjectKey
    name: str
    path: str
    line: int


@dataclass(frozen=True)
class _Order:
    graph: Graph
    chosen: tuple[Chosen, ...]
    closures: Mapping[str, tuple[str, ...]]
    declarations: Declarations

    def projects(self) -> _Ordered:
        edges = {k: list(v) for k, v in self.declarations.dependencies(self.chosen).items()}
        kept, warnings = self._state_edges(edges)
        known = {(key, end) for key, ends in edges.items() for end in ends}
        reasons: defaultdict[ProjectKey, list[str]] = defaultdict(list)
        for edge in kept:
            if (edge.reader, edge.writer) not in known:
                known.add((edge.reader, edge.writer))
                edges[edge.reader].append(edge.writer)
            source = f"data.terraform_remote_state.{edge.name}"
            where = f"{edge.path}, line {edge.line}"
            reasons[edge.reader].append(
                f"waits for `{edge.writer}`, whose state `{source}` reads ({where})"
            )
        groups = {each.key: each.declared.order if each.declared else 0 for each in self.chosen}
        order = ranks(edges, groups)
        made = (project(c, tuple(sorted(edges[c.key])), order[c.key]) for c in self.chosen)
        told = (replace(p, because=(*p.because, *reasons[p.key])) for p in made)
        return _Ordered(tuple(sorted(told, key=lambda p: (p.order, p.key))), tuple(warnings))

    def _state_edges(
        self, declared: Mapping[ProjectKey, list[ProjectKey]]
    ) -> tuple[list[_StateEdge], list[Notice]]:
        """Those that close no circle, and a warning for each that would."""
        if not self.declarations.rules.order_by_state:
            return [], []
        read = list(islice(self._reading(), MOST_READS + 1))
        if len(read) > MOST_READS:
            first = read[0]
            return [], [Notice(first.path, first.line, str(TooManyStateReads(MOST_READS)))]
        edges = sorted(read, key=lambda e: (e.reader, e.writer, e.path, e.line))
        together: dict[ProjectKey, set[ProjectKey]] = {k: set(v) for k, v in declared.items()}
        for edge in edges:
            together[edge.reader].add(edge.writer)
        knot = knots(together)
        kept = [edge for edge in edges if knot[edge.reader] != knot[edge.writer]]
        warnings = [
            Notice(e.path, e.line, str(StatesReadEachOther(str(e.reader), str(e.writer))))
            for e in edges
            if knot[e.reader] == knot[e.writer]
        ]
        return kept, warnings

    def _reading(self) -> Iterator[_StateEdge]:
        writers = _by_address(self.chosen)
        for each in self.chosen:
            for module in self.closures[each.key.dir]:
                for path, facts in self.graph.code.get(module, ()):
                    for read in facts.states:
                        found = read_address(read, module, each.key)
                        for writer in writers.get(found, ()) if found else ():
                            if writer.key != each.key:
                                yield _StateEdge(each.key, writer.key, read.name, path, read.line)


def _by_address(chosen: Sequence[Chosen]) -> Mapping[Address, list[Chosen]]:
    found: defaultdict[Address, list[Chosen]] = defaultdict(list)
    for each in chosen:
        where = address(each.root.backend, each.root.cloud, each.key)
        if where is not None:
            found[where].append(each)
    return found


def _shared(chosen: Sequence[Chosen]) -> Iterator[Shared]:
    for where, several in _by_address(chosen).items():
        if len(several) > 1:
            names = " and ".join(f"`{each.key}`" for each in several)
            last = several[-1].root
            keys = tuple(each.key for each in several)
            yield Shared(keys, ProjectsShareState(last.path, last.line, names, told(where)))
