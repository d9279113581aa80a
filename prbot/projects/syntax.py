"""The shape of a configuration file, as far as prbot asks: blocks, attributes, literals.

Three readers make it (our scanner, python-hcl2, JSON), so that what is read from it is
written once. Not promised: the value of anything that must be evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Template:
    """A text in quotes or a heredoc; interpolations stand in it as they were written.

    `literal`: there are none.
    """

    text: str
    literal: bool = True


@dataclass(frozen=True, slots=True)
class Other:
    """Any expression that is neither a text, a list nor a mapping, as it was written."""

    text: str


Value = Template | Other | tuple["Value", ...] | Mapping[str, "Value"]


@dataclass(frozen=True, slots=True)
class Call:
    """A function call: its name and its first arguments, as far as they are texts."""

    name: str
    arguments: tuple[Value, ...]


@dataclass(slots=True)
class Block:
    """One block, or the file itself (then `type` is empty). `line` counts from 1."""

    type: str = ""
    labels: tuple[str, ...] = ()
    line: int = 1
    attributes: dict[str, Value] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def of(self, type: str) -> Iterator[Block]:  # noqa: A002 - the language's own word
        return (block for block in self.blocks if block.type == type)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's blocks, and the calls of functions that read files, wherever they stand."""

    body: Block
    calls: tuple[Call, ...] = ()


class Doubt(Exception):
    """What stands at `position` is not what the scanner knows; `near` are its characters.

    `certain`: it is none of the language, or too deep, and no other reader need be asked.
    """

    def __init__(self, position: int, near: str, certain: bool = False) -> None:
        super().__init__(position, near)
        self.position = position
        self.near = near
        self.certain = certain


READING = frozenset(
    {"file", "fileexists", "filebase64", "templatefile", "filemd5", "filesha1", "filesha256"}
    | {"filesha512", "filebase64sha256", "filebase64sha512", "fileset"}
)
"""Terraform's functions that read files (its documentation, Functions, Filesystem and Hash)."""
