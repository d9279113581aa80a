"""Text of a configuration file to tokens, after HCL's syntax specification.

Templates are cut open: the tokens inside `${…}` come as tokens, between OPEN and CLOSE of
their template. One pass with two regular expressions, none of which can backtrack far.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from prbot.projects.syntax import Doubt

MAX_DEPTH = 100
"""Brackets and templates within one another; deeper is nobody's infrastructure."""


class Kind(IntEnum):
    NEWLINE = 1
    NAME = 2
    NUMBER = 3
    TEXT = 4
    """A whole quoted text without interpolation; the token's text has the quotes."""
    OPEN = 5
    CLOSE = 6
    CHARS = 7
    """Literal characters within a template."""
    INSERT = 8
    """`${` or `%{` within a template; ends with a PUNCT `}`."""
    PUNCT = 9
    END = 10


Token = tuple[Kind, str, int]
"""Kind, text as written, position in the file."""

_CODE = re.compile(
    r"""[ \t]*(?:
      (?P<name>[^\W\d][\w-]*)
    | (?P<newline>\r?\n)
    | (?P<blank>\#[^\n]*|//[^\n]*|/\*(?s:.*?)\*/|~(?=\})|\Z)
    | (?P<heredoc><<-?[^\W\d][\w.-]*[ \t]*\r?\n)
    | (?P<sign>\.\.\.|=>|==|!=|<=|>=|&&|\|\||::|[-+*/%!<>=?:.,])
    | (?P<text>"(?:[^"\\\n$%]|\\[^\n]|\$\$\{|%%\{|[$%](?!\{))*")
    | (?P<bracket>[(){}\[\]])
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<open>")
    )""",
    re.VERBOSE,
)
_QUOTED = re.compile(r'(?:[^"\\\n$%]|\\[^\n]|\$\$\{|%%\{|[$%](?!\{))+')
_HEREDOC = re.compile(r"(?:[^$%]|\$\$\{|%%\{|[$%](?!\{))+")


_PLAIN = {
    "name": Kind.NAME,
    "newline": Kind.NEWLINE,
    "sign": Kind.PUNCT,
    "text": Kind.TEXT,
    "number": Kind.NUMBER,
}
"""Groups whose tokens stand for themselves."""


@dataclass(slots=True)
class _Template:
    """A template we are in: `end` is a heredoc's last position, -1 for a quoted text."""

    end: int
    after: int
    braces: int = 0


def tokens(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """All tokens of text[start:end], without blanks and comments, END last. Raises Doubt."""
    return _Lexer(text, start, len(text) if end is None else end).run()


class _Lexer:
    def __init__(self, text: str, start: int, end: int) -> None:
        self.text, self.position, self.end = text, start, end
        self.found: list[Token] = []
        self.templates: list[_Template] = []
        """Templates around the present position; one with braces > 0 is within `${…}`."""
        self.depth = 0

    def run(self) -> list[Token]:
        while self.position < self.end:
            if self.templates and not self.templates[-1].braces:
                self._template(self.templates[-1])
            else:
                self._code()
        if self.templates:
            raise Doubt(self.end, "the end of the file")
        self.found.append((Kind.END, "the end of the file", self.end))
        return self.found

    def _code(self) -> None:
        """Up to and with the next token that leads deeper or out; most do neither."""
        text, end, found, position = self.text, self.end, self.found, self.position
        while position < end:
            match = _CODE.match(text, position, end)
            if match is None:
                sign = text[position:].lstrip(" \t")[:1]
                raise Doubt(position, sign, certain=sign == "\\")
            position = match.end()
            group = match.lastgroup or ""
            kind = _PLAIN.get(group)
            if kind is not None:
                found.append((kind, match[group], match.start(group)))
            elif group != "blank":
                self.position = position
                self._turn(group, match[group], match.start(group))
                return
        self.position = position

    def _turn(self, group: str, sign: str, here: int) -> None:
        if group == "bracket":
            self._bracket(sign, here)
        elif group == "open":
            self._enter(_Template(-1, -1), here, sign)
        else:
            self._heredoc(sign, here)

    def _bracket(self, sign: str, here: int) -> None:
        self.found.append((Kind.PUNCT, sign, here))
        if sign in "([{":
            self._deeper(here)
        else:
            self.depth -= 1
        if self.templates and sign in "{}":
            self.templates[-1].braces += 1 if sign == "{" else -1

    def _deeper(self, here: int) -> None:
        self.depth += 1
        if self.depth + 2 * len(self.templates) > MAX_DEPTH:
            raise Doubt(here, self.text[here], certain=True)

    def _enter(self, template: _Template, here: int, sign: str) -> None:
        self.templates.append(template)
        self.found.append((Kind.OPEN, sign, here))
        self._deeper(here)

    def _leave(self, sign: str, here: int) -> None:
        self.templates.pop()
        self.depth -= 1
        self.found.append((Kind.CLOSE, sign, here))

    def _heredoc(self, head: str, here: int) -> None:
        word = head.strip().lstrip("<").lstrip("-")
        last = re.compile(rf"^[ \t]*{re.escape(word)}(?=[ \t]*\r?$)", re.MULTILINE)
        closing = last.search(self.text, self.position, self.end)
        if closing is None:
            raise Doubt(here, head.strip())
        self._enter(_Template(closing.start(), closing.end()), here, head)

    def _template(self, template: _Template) -> None:
        here, quoted = self.position, template.end < 0
        limit = self.end if quoted else template.end
        if not quoted and here >= limit:
            self.position = template.after
            self._leave("", here)
            return
        chars = (_QUOTED if quoted else _HEREDOC).match(self.text, here, limit)
        if chars is not None:
            self.position = chars.end()
            self.found.append((Kind.CHARS, chars[0], here))
        elif self.text.startswith(("${", "%{"), here):
            self._insert(template, here)
        elif quoted and self.text[here] == '"':
            self.position += 1
            self._leave('"', here)
        else:
            raise Doubt(here, "an unfinished text")

    def _insert(self, template: _Template, here: int) -> None:
        self.position += 2 + self.text.startswith("~", here + 2)
        self.found.append((Kind.INSERT, self.text[here : here + 2], here))
        template.braces = 1
        self._deeper(here)
