"""Where things stand in a configuration file: attributes, literals and blocks, by position.

For whoever changes a file and leaves every other byte as it is. The scanner's tokens say where
things stand; what they mean is read as far as it is a literal, and nothing is evaluated.
Positions count characters of the text, which is the file's without a byte order mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from prbot.projects.expression import CallAt, expression
from prbot.projects.scan import unescaped
from prbot.projects.syntax import Doubt
from prbot.projects.tokens import Kind, Token, tokens


class Form(StrEnum):
    """How a literal is written."""

    TEXT = "text"
    HEREDOC = "heredoc"
    NUMBER = "number"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as it stands there; `value` is what it means."""

    start: int
    end: int
    form: Form
    value: str | int | Decimal | bool | None


@dataclass(frozen=True, slots=True)
class Computed:
    """Anything that would have to be evaluated."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a list (`key` None, `sign` -1) or of an object, whose `key` is also None where
    it is computed. `sign` is where `=` or `:` stands. `comma` is behind the comma that follows,
    -1 for none; `line_end` where its line ends, -1 where something else follows there."""

    start: int
    end: int
    value: Node
    key: str | None = None
    sign: int = -1
    comma: int = -1
    line_end: int = -1


@dataclass(frozen=True, slots=True)
class Listed:
    start: int
    end: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    start: int
    end: int
    items: tuple[Item, ...]


Node: TypeAlias = Literal | Computed | Listed | Mapped


@dataclass(frozen=True, slots=True)
class Attribute:
    """`line_end` as in `Item`."""

    name: str
    start: int
    sign: int
    value: Node
    line_end: int


@dataclass(slots=True)
class Place:
    """A block, or the file itself (its `type` is empty). `opened` is behind its `{`, `end`
    behind its `}`."""

    type: str
    labels: tuple[str, ...]
    start: int
    opened: int
    end: int = 0
    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: list[Place] = field(default_factory=list)

    def of(self, kind: str) -> Iterator[Place]:
        """The blocks right in it that are of this type."""
        return (block for block in self.blocks if block.type == kind)


def places(text: str) -> Place:
    """Everything in a file. Raises Doubt."""
    reader = _Reader(text, tokens(text))
    whole = Place("", (), 0, 0, len(text))
    reader.body(whole, Kind.END)
    return whole


_WORDS = {"true": True, "false": False, "null": None}
_INDENT = re.compile(r"[ \t]*")


class _Reader:
    """`at` is the next token. Recursion is bounded by the lexer's depth."""

    def __init__(self, text: str, found: list[Token]) -> None:
        self.text, self.tokens, self.at = text, found, 0
        self.calls: list[CallAt] = []

    def body(self, block: Place, end: Kind) -> None:
        while True:
            kind, sign, position = self.tokens[self.at]
            self.at += 1
            if kind is Kind.NEWLINE:
                continue
            if kind is Kind.NAME:
                self._item(block, sign, position)
            elif kind is end and (end is Kind.END or sign == "}"):
                block.end = position + (end is not Kind.END)
                return
            else:
                raise Doubt(position, sign)

    def _item(self, block: Place, name: str, position: int) -> None:
        kind, sign, where = self.tokens[self.at]
        if kind is Kind.PUNCT and sign == "=":
            if name in block.attributes:
                raise Doubt(position, name)
            first = self.at + 1
            self.at = expression(self.tokens, first, self.calls)
            value = self.value(first, self.at)
            line_end = self._line_end(self.at)
            block.attributes[name] = Attribute(name, position, where, value, line_end)
        else:
            self._block(block, name, position)

    def _block(self, around: Place, name: str, position: int) -> None:
        labels = []
        while self.tokens[self.at][0] in (Kind.NAME, Kind.TEXT):
            labels.append(_plain(self.tokens[self.at][1]))
            self.at += 1
        kind, sign, brace = self.tokens[self.at]
        if kind is not Kind.PUNCT or sign != "{":
            raise Doubt(brace, sign)
        self.at += 1
        inner = Place(name, tuple(labels), position, brace + 1)
        self.body(inner, Kind.PUNCT)
        around.blocks.append(inner)

    def _line_end(self, at: int) -> int:
        kind, _, position = self.tokens[at]
        return position if kind in (Kind.NEWLINE, Kind.END) else -1

    # --- values ------------------------------------------------------------------------------

    def value(self, first: int, last: int) -> Node:
        """Of the tokens from `first` up to `last`, which is not among them."""
        kind, sign, start = self.tokens[first]
        end = self._end(last - 1)
        if last - first == 1:
            return self._single(kind, sign, start, end)
        if last - first == 2 and sign == "-" and self.tokens[first + 1][0] is Kind.NUMBER:
            return Literal(start, end, Form.NUMBER, _number(f"-{self.tokens[first + 1][1]}"))
        if self._closing(first) != last - 1:
            return Computed(start, end)
        if kind is Kind.OPEN:
            return self._template(first, last, start, end)
        if sign == "[":
            return self._listed(first, last, start, end)
        return self._mapped(first, last, start, end) if sign == "{" else Computed(start, end)

    def _single(self, kind: Kind, sign: str, start: int, end: int) -> Node:
        if kind is Kind.TEXT:
            return Literal(start, end, Form.TEXT, unescaped(sign[1:-1]))
        if kind is Kind.NUMBER:
            return Literal(start, end, Form.NUMBER, _number(sign))
        if kind is Kind.NAME and sign in _WORDS:
            return Literal(start, end, Form.WORD, _WORDS[sign])
        return Computed(start, end)

    def _template(self, first: int, last: int, start: int, end: int) -> Node:
        head = self.tokens[first][1]
        if any(kind is Kind.INSERT for kind, _, _ in self.tokens[first:last]) or head == '"':
            return Computed(start, end)
        raw = self.text[start + len(head) : self.tokens[last - 1][2]]
        if "\r" in raw:  # what becomes of line ends of this kind is the tool's to say
            return Computed(start, end)
        text = raw.replace("$${", "${").replace("%%{", "%{")
        value = flush(text) if head.startswith("<<-") else text
        return Literal(start, end, Form.HEREDOC, value)

    def _listed(self, first: int, last: int, start: int, end: int) -> Node:
        if self._is_for(first):
            return Computed(start, end)
        parts = self._parts(first + 1, last - 1, lines=False)
        return Listed(start, end, tuple(self._entry(*part, keyed=False) for part in parts))

    def _mapped(self, first: int, last: int, start: int, end: int) -> Node:
        if self._is_for(first):
            return Computed(start, end)
        parts = self._parts(first + 1, last - 1, lines=True)
        return Mapped(start, end, tuple(self._entry(*part, keyed=True) for part in parts))

    def _is_for(self, at: int) -> bool:
        at = self._forward(at + 1)
        kind, sign, _ = self.tokens[at]
        return kind is Kind.NAME and sign == "for" and self.tokens[at + 1][0] is not Kind.PUNCT

    def _entry(self, first: int, last: int, keyed: bool) -> Item:
        key, sign, begin = None, -1, first
        if keyed:
            kind, written, _ = self.tokens[first]
            begin = self._sign(first, last)
            sign = self.tokens[begin][2]
            if begin == first + 1 and kind in (Kind.NAME, Kind.TEXT):
                key = _plain(written)
            begin = self._forward(begin + 1)
        after = self._forward(last)
        comma = self.tokens[after]
        has_comma = comma[0] is Kind.PUNCT and comma[1] == ","
        line_end = self._line_end(after + 1 if has_comma else last)
        return Item(
            start=self.tokens[first][2],
            end=self._end(last - 1),
            value=self.value(begin, last),
            key=key,
            sign=sign,
            comma=comma[2] + 1 if has_comma else -1,
            line_end=line_end,
        )

    def _sign(self, first: int, last: int) -> int:
        """Where the `=` or `:` between a key and its value stands."""
        depth = 0
        for at in range(first, last):
            kind, sign, _ = self.tokens[at]
            if depth == 0 and kind is Kind.PUNCT and sign in ("=", ":"):
                return at
            depth += _steps(kind, sign)
        raise Doubt(self.tokens[first][2], self.tokens[first][1])

    def _parts(self, first: int, last: int, lines: bool) -> list[tuple[int, int]]:
        """Ranges between commas (and ends of `lines`) at this depth, empty ones left out."""
        parts, begin, depth = [], first, 0
        for at in range(first, last + 1):
            kind, sign, _ = self.tokens[at]
            ends = (kind is Kind.PUNCT and sign == ",") or (lines and kind is Kind.NEWLINE)
            if at == last or (depth == 0 and ends):
                parts.append(self._trimmed(begin, at))
                begin = at + 1
            depth += _steps(kind, sign)
        return [(start, end) for start, end in parts if start < end]

    def _trimmed(self, first: int, last: int) -> tuple[int, int]:
        while first < last and self.tokens[first][0] is Kind.NEWLINE:
            first += 1
        while first < last and self.tokens[last - 1][0] is Kind.NEWLINE:
            last -= 1
        return first, last

    def _forward(self, at: int) -> int:
        while self.tokens[at][0] is Kind.NEWLINE:
            at += 1
        return at

    def _closing(self, first: int) -> int:
        depth = 0
        for at in range(first, len(self.tokens)):
            depth += _steps(self.tokens[at][0], self.tokens[at][1])
            if depth == 0:
                return at if at > first else -1
        return -1

    def _end(self, at: int) -> int:
        """Behind a token. The end of a heredoc is its closing word, which is no token."""
        kind, sign, position = self.tokens[at]
        if kind is not Kind.CLOSE or sign:
            return position + len(sign)
        closing = re.compile(r"[ \t]*[\w.-]+").match(self.text, position)
        return closing.end() if closing else position


def flush(text: str) -> str:
    """What `<<-` makes of a text: the smallest indentation of its lines is taken from each."""
    lines = text.split("\n")
    indented = [_INDENT.match(line) for line in lines if line.strip()]
    least = min((len(found[0]) for found in indented if found), default=0)
    return "\n".join(line[least:] if line.strip() else line.lstrip(" \t") for line in lines)


def _number(text: str) -> int | Decimal:
    value = Decimal(text)
    return int(value) if re.fullmatch(r"-?\d+", text) else value


def _plain(written: str) -> str:
    return unescaped(written[1:-1]) if written.startswith('"') else written


def _steps(kind: Kind, sign: str) -> int:
    """How much deeper a token leads."""
    if kind in (Kind.OPEN, Kind.INSERT):
        return 1
    if kind is Kind.CLOSE:
        return -1
    return (sign in "([{") - (sign in ")]}") if kind is Kind.PUNCT else 0
