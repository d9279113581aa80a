"""The fast reader of configuration files: strict about shape, blind to meaning.

It reads what Terraform reads and stops in Doubt at anything it does not know for sure;
then python-hcl2 decides (`reference.py`), which is some fifty times slower. HashiCorp's own
parser was considered (pygohcl): it ends the whole process on a file of deeply nested
brackets, and gives neither lines nor the difference between a text and an expression.
"""

from __future__ import annotations

import re

from prbot.projects.expression import CallAt, expression
from prbot.projects.syntax import Block, Call, Doubt, Other, Parsed, Template, Value
from prbot.projects.tokens import Kind, Token, tokens

TOP_BLOCKS = "terraform|provider|module|data|resource|variable|output|locals|moved|import|check"
_TOP = re.compile(rf"^(?:{TOP_BLOCKS})\b[^\n]*\{{", re.MULTILINE)
_VALUED = frozenset({"terraform", "module", "data", "variable"})
"""Top-level blocks whose attributes somebody asks for."""
MAX_PIECES = 2000
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4}|.)|\$\$\{|%%\{")


def scan(text: str) -> Parsed:
    """Read a whole file. Raises Doubt."""
    return _scan(text, 0, len(text))


def salvage(text: str) -> Parsed:
    """Of a broken file, the top-level blocks that can be read by themselves."""
    starts = [match.start() for match in _TOP.finditer(text)][:MAX_PIECES]
    body = Block()
    calls: list[Call] = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        closing = text.find("\n}", start, end)
        try:
            piece = _scan(text, start, end if closing < 0 else closing + 2)
        except Doubt:
            continue
        body.blocks += piece.body.blocks
        calls += piece.calls
    return Parsed(body, tuple(calls))


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _scan(text: str, start: int, end: int) -> Parsed:
    parser = _Parser(text, tokens(text, start, end))
    body = Block()
    parser.body(body, Kind.END, valued=False)
    calls = tuple(parser.call(call) for call in parser.calls)
    return Parsed(body, calls)


class _Parser:
    """`at` is the next token. Recursion is bounded by the lexer's depth."""

    def __init__(self, text: str, found: list[Token]) -> None:
        self.text, self.tokens, self.at = text, found, 0
        self.calls: list[CallAt] = []

    def body(self, block: Block, end: Kind, valued: bool) -> None:
        """Everything up to the END, or the `}` that closes the block."""
        while True:
            kind, text, position = self.tokens[self.at]
            if kind is Kind.NEWLINE:
                self.at += 1
            elif kind is Kind.NAME:
                self._item(block, valued)
            elif kind is end or (end is Kind.PUNCT and text == "}"):
                self.at += 1
                return
            else:
                raise Doubt(position, text)

    def _item(self, block: Block, valued: bool) -> None:
        name, position = self.tokens[self.at][1], self.tokens[self.at][2]
        self.at += 1
        if self.tokens[self.at][1] == "=" and self.tokens[self.at][0] is Kind.PUNCT:
            self._attribute(block, name, valued)
        else:
            self._block(block, name, position, valued)
        self._line_end()

    def _attribute(self, block: Block, name: str, valued: bool) -> None:
        if name in block.attributes:
            raise Doubt(self.tokens[self.at - 1][2], name)
        start = self.at + 1
        self.at = expression(self.tokens, start, self.calls)
        block.attributes[name] = self.value(start, self.at) if valued else _NOT_ASKED

    def _block(self, around: Block, name: str, position: int, valued: bool) -> None:
        labels = []
        while self.tokens[self.at][0] in (Kind.NAME, Kind.TEXT):
            labels.append(_plain(self.tokens[self.at][1]))
            self.at += 1
        if self.tokens[self.at][1] != "{" or self.tokens[self.at][0] is not Kind.PUNCT:
            raise Doubt(self.tokens[self.at][2], self.tokens[self.at][1])
        self.at += 1
        asked = valued or (around.type == "" and name in _VALUED)
        line = line_of(self.text, position) if asked or around.type == "" else around.line
        inner = Block(name, tuple(labels), line)
        self.body(inner, Kind.PUNCT, asked)
        around.blocks.append(inner)

    def _line_end(self) -> None:
        """Each item ends with its line, or with the block around it."""
        kind, text, position = self.tokens[self.at]
        if kind in (Kind.NEWLINE, Kind.END) or (kind is Kind.PUNCT and text == "}"):
            return
        raise Doubt(position, text)

    # --- values ------------------------------------------------------------------------------

    def call(self, call: CallAt) -> Call:
        parts = self._parts(call.start, call.end)
        return Call(call.name, tuple(self.value(start, end) for start, end in parts))

    def value(self, start: int, end: int) -> Value:
        start, end = self._trimmed(start, end)
        kind, text, _ = self.tokens[start]
        if start >= end:
            return Other("")
        if end - start == 1:
            return Template(_plain(text)) if kind is Kind.TEXT else Other(text)
        if self._closing(start) != end - 1:
            return Other(self._source(start, end))
        if kind is Kind.OPEN:
            return self._template(start, end)
        if text == "(":
            return self.value(start + 1, end - 1)
        return self._collection(start, end)

    def _template(self, start: int, end: int) -> Template:
        _, sign, position = self.tokens[start]
        raw = self.text[position + len(sign) : self.tokens[end - 1][2]]
        inner = self.tokens[start:end]
        if any(kind is Kind.INSERT for kind, _, _ in inner):
            return Template(raw, literal=False)
        return Template(raw)

    def _collection(self, start: int, end: int) -> Value:
        if self._names(start + 1, "for"):
            return Other(self._source(start, end))
        parts = self._parts(start + 1, end - 1, lines=self.tokens[start][1] == "{")
        if self.tokens[start][1] == "[":
            return tuple(self.value(*part) for part in parts)
        found: dict[str, Value] = {}
        for first, last in parts:
            key = self.tokens[first]
            if first + 1 < last and self.tokens[first + 1][1] in "=:" and key[0] in _KEYS:
                found[_plain(key[1])] = self.value(first + 2, last)
        return found

    def _names(self, at: int, word: str) -> bool:
        while self.tokens[at][0] is Kind.NEWLINE:
            at += 1
        return self.tokens[at][0] is Kind.NAME and self.tokens[at][1] == word

    def _parts(self, start: int, end: int, lines: bool = False) -> list[tuple[int, int]]:
        """Ranges between commas (and ends of `lines`) at this depth, empty ones left out."""
        parts, first, depth = [], start, 0
        for at in range(start, end):
            kind, text, _ = self.tokens[at]
            depth += _steps(kind, text)
            if depth == 0 and (
                (text == "," and kind is Kind.PUNCT) or (lines and kind is Kind.NEWLINE)
            ):
                parts.append((first, at))
                first = at + 1
        trimmed = (self._trimmed(*part) for part in [*parts, (first, end)])
        return [(first, last) for first, last in trimmed if first < last]

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        while start < end and self.tokens[start][0] is Kind.NEWLINE:
            start += 1
        while start < end and self.tokens[end - 1][0] is Kind.NEWLINE:
            end -= 1
        return start, end

    def _closing(self, start: int) -> int:
        """Where the bracket or template that opens at `start` is closed; -1 if none opens."""
        depth = 0
        for at in range(start, len(self.tokens)):
            depth += _steps(self.tokens[at][0], self.tokens[at][1])
            if depth == 0:
                return at if at > start else -1
        return -1

    def _source(self, start: int, end: int) -> str:
        _, last, position = self.tokens[end - 1]
        return self.text[self.tokens[start][2] : position + len(last)]


_KEYS = (Kind.NAME, Kind.TEXT)
_NOT_ASKED = Other("")


def _steps(kind: Kind, text: str) -> int:
    """How much deeper a token leads."""
    if kind in (Kind.OPEN, Kind.INSERT):
        return 1
    if kind is Kind.CLOSE:
        return -1
    if kind is Kind.PUNCT:
        return (text in "([{") - (text in ")]}")
    return 0


def _plain(written: str) -> str:
    """A name as it is, a quoted text without its quotes and escapes."""
    if not written.startswith('"'):
        return written
    return unescaped(written[1:-1])


def unescaped(text: str) -> str:
    """What a quoted text without interpolations means."""
    if "\\" not in text and "{" not in text:
        return text
    return _ESCAPE.sub(_meant, text)


def _meant(match: re.Match[str]) -> str:
    sign = match[1]
    if sign is None:
        return match[0][1:]
    if len(sign) > 1:
        return chr(int(sign[1:], 16)).encode("utf-8", "replace").decode()
    return _ESCAPES.get(sign, sign)
