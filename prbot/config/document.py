"""YAML text to plain values, remembering where each stood.

PyYAML's own loader keeps the last of two equal keys and forgets lines; both matter in a
file that decides on safety. So the node tree is read here, one scalar at a time, with
bounds: the repository's file comes from people who may not mean well.

Two dialects: prbot's own is strict; Atlantis's is read as Atlantis reads it, where every
scalar is text until somebody wants a number, and `<<` merges.

Not promised: several documents in one file, tags beyond YAML's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from prbot.errors import PrbotError
from prbot.errors.configuration import (
    BadConfiguration,
    DuplicateKey,
    MergeKey,
    NotAWord,
    NotYaml,
    TooComplex,
)

Place = tuple[str | int, ...]
"""Where a value stands: keys and list indices from the top, as pydantic's `loc`."""

Spot = tuple[int, int]
"""Line and column, both counted from 1."""

MAX_CHARACTERS = 1024 * 1024
MAX_VALUES = 100_000
"""An alias counts each time. Room for 2,000 projects in files that programs wrote."""
MAX_DEPTH = 40
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Dialect:
    """How a file is read.

    `text`: scalars stay the text that was written, null aside; `merges`: `<<` is honoured.
    """

    text: bool = False
    merges: bool = False


OWN = Dialect()
ATLANTIS = Dialect(text=True, merges=True)


@dataclass(frozen=True)
class Document:
    """A file's values (None for an empty file) and the spot of each."""

    path: str
    value: object
    spots: Mapping[Place, Spot]

    def spot(self, place: Place) -> Spot:
        """The spot of `place`, or of the nearest enclosing value that stands in the file."""
        while place and place not in self.spots:
            place = place[:-1]
        return self.spots.get(place, (1, 1))

    def line(self, place: Place) -> int:
        return self.spot(place)[0]

    def problem(self, place: Place, problem: PrbotError) -> BadConfiguration:
        """The problem with its place added."""
        return located(self.path, self.spot(place), problem)


def located(path: str, spot: Spot, problem: PrbotError) -> BadConfiguration:
    return BadConfiguration(path, *spot, str(problem), problem.next_step)


def parse(text: str, path: str, dialect: Dialect = OWN) -> Document:
    """Read one YAML document. Raises BadConfiguration; `path` only names the file."""
    if len(text) > MAX_CHARACTERS:
        raise located(path, (1, 1), TooComplex())
    reader = _Reader(path, dialect)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = None if node is None else reader.value(node, ())
    except RecursionError:
        raise located(path, (1, 1), TooComplex()) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        spot = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise located(path, spot, NotYaml("a character that YAML forbids")) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        spot = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise located(path, spot, NotYaml(error.problem or "unreadable")) from None
    return Document(path, value, reader.spots)


def written(value: object) -> str:
    """Plain values as YAML that `parse` reads back, keys in the order they have."""
    return yaml.safe_dump(value, sort_keys=False, width=100)


class _Reader:
    """One walk over the node tree; aliases are walked each time, so they count too."""

    def __init__(self, path: str, dialect: Dialect) -> None:
        self.path = path
        self.spots: dict[Place, Spot] = {}
        self._dialect = dialect
        self._seen = 0
        self._scalars = yaml.SafeLoader("")

    def value(self, node: yaml.Node, place: Place) -> object:
        self.spots.setdefault(place, _spot(node))
        self._count(node, place)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*place, i)) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _count(self, node: yaml.Node, place: Place) -> None:
        self._seen += 1
        if self._seen > MAX_VALUES or len(place) > MAX_DEPTH:
            raise located(self.path, _spot(node), TooComplex())

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node, merged in self._pairs(node):
            key = self._key(key_node)
            if key in values and merged:
                continue
            if key in values:
                first, _ = self.spots[(*place, key)]
                raise located(self.path, _spot(key_node), DuplicateKey(key, first))
            self.spots[(*place, key)] = _spot(key_node)  # the key's, also of a value below it
            values[key] = self.value(value_node, (*place, key))
        return values

    def _pairs(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node, bool]]:
        """The mapping's own keys first, then those of the mappings it merges, nearest first."""
        merges: list[yaml.Node] = []
        for key, value in node.value:
            if key.tag != _MERGE:
                yield key, value, False
            elif self._dialect.merges:
                merges += value.value if isinstance(value, yaml.SequenceNode) else [value]
            else:
                raise located(self.path, _spot(key), MergeKey())
        for source in merges:
            self._count(source, ())
            if not isinstance(source, yaml.MappingNode):
                raise located(self.path, _spot(source), NotYaml("`<<` merges mappings only"))
            for key, value, _ in self._pairs(source):
                self._count(key, ())
                yield key, value, True

    def _key(self, node: yaml.Node) -> str:
        key = self._scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            shown = node.value if isinstance(node, yaml.ScalarNode) else "here"
            raise located(self.path, _spot(node), NotAWord(shown[:40]))
        return key

    def _scalar(self, node: yaml.Node) -> object:
        if self._dialect.text:
            return None if node.tag == _NULL else node.value
        try:
            return self._scalars.construct_object(node)
        except (ValueError, TypeError):  # a date in month 13, a number of 5,000 digits
            problem = NotYaml(f"not a value of {node.tag.rpartition(':')[2]}")
            raise located(self.path, _spot(node), problem) from None


def _spot(node: yaml.Node) -> Spot:
    return node.start_mark.line + 1, node.start_mark.column + 1
