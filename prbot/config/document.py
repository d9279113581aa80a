"""YAML text to plain values, remembering in which line each stood.

PyYAML's own loader keeps the last of two equal keys and forgets lines; both matter in a
file that decides on safety. So the node tree is read here, one scalar at a time, with
bounds: the repository's file comes from people who may not mean well.

Not promised: merge keys (`<<`), several documents in one file, tags beyond YAML's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from prbot.errors import (
    BadConfiguration,
    DuplicateKey,
    MergeKey,
    NotAWord,
    NotYaml,
    PrbotError,
    TooComplex,
)

Place = tuple[str | int, ...]
"""Where a value stands: keys and list indices from the top, as pydantic's `loc`."""

MAX_CHARACTERS = 256 * 1024
MAX_VALUES = 20_000
MAX_DEPTH = 40


@dataclass(frozen=True)
class Document:
    """A file's values (None for an empty file) and the line of each, counted from 1."""

    path: str
    value: object
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """The line of `place`, or of the nearest enclosing value that stands in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def problem(self, place: Place, problem: PrbotError) -> BadConfiguration:
        """The problem with its place added."""
        return located(self.path, self.line(place), problem)


def located(path: str, line: int, problem: PrbotError) -> BadConfiguration:
    return BadConfiguration(path, line, str(problem), problem.next_step)


def parse(text: str, path: str) -> Document:
    """Read one YAML document. Raises BadConfiguration; `path` only names the file."""
    if len(text) > MAX_CHARACTERS:
        raise located(path, 1, TooComplex())
    reader = _Reader(path)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = None if node is None else reader.value(node, ())
    except RecursionError:
        raise located(path, 1, TooComplex()) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise located(path, line, NotYaml("a character that YAML forbids")) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise located(path, line, NotYaml(error.problem or "unreadable")) from None
    return Document(path, value, reader.lines)


class _Reader:
    """One walk over the node tree; aliases are walked each time, so they count too."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lines: dict[Place, int] = {}
        self._scalars = yaml.SafeLoader("")

    def value(self, node: yaml.Node, place: Place) -> object:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if len(self.lines) > MAX_VALUES or len(place) > MAX_DEPTH:
            raise located(self.path, node.start_mark.line + 1, TooComplex())
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*place, i)) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._key(key_node, line)
            if key in values:
                first = self.lines[(*place, key)]
                raise located(self.path, line, DuplicateKey(key, first))
            self.lines[(*place, key)] = line  # the key's line, also of a value below it
            values[key] = self.value(value_node, (*place, key))
        return values

    def _key(self, node: yaml.Node, line: int) -> str:
        if node.tag == "tag:yaml.org,2002:merge":
            raise located(self.path, line, MergeKey())
        key = self._scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            shown = node.value if isinstance(node, yaml.ScalarNode) else "here"
            raise located(self.path, line, NotAWord(shown[:40]))
        return key

    def _scalar(self, node: yaml.Node) -> object:
        try:
            return self._scalars.construct_object(node)
        except (ValueError, TypeError):  # a date in month 13, a number of 5,000 digits
            problem = NotYaml(f"not a value of {node.tag.rpartition(':')[2]}")
            raise located(self.path, node.start_mark.line + 1, problem) from None
