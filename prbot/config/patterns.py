"""Regular expressions from configuration files, as Atlantis reads them, without its engine.

Atlantis uses Go's RE2, which never takes long. Python's engine can be made to run for ever,
and a pull request's own file may try. So what people really write is taken, and what could
run away, or means something else here, is refused: no repetition of what itself repeats or
has alternatives, no back-references, no look-around.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import re2

from prbot.errors.configuration import BadExpression

MAX_LENGTH = 300
MAX_REPETITIONS = 4
"""Beside one another. A text of n characters costs at most n to this power."""
MAX_CHOICES = 12
"""`?` and `|` together: each may double the cost."""

_PIECE = re.compile(r"\\[pP]\{|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?\w*[:)]|.", re.DOTALL)
_ESCAPES = frozenset("dDwWsSbBAnrtfv") | frozenset(r"\.+*?()|[]{}^$-/#&~\"'`@!%,:;<=>_ ")


def expression(text: str) -> re.Pattern[str]:
    """Go's meaning of `text`. Raises ValueError(BadExpression), which pydantic places."""
    if len(text) > MAX_LENGTH:
        raise _bad(f"it is longer than {MAX_LENGTH} characters")
    translated = _Translation(text).result()
    try:
        return re.compile(translated)
    except (re.error, OverflowError, RecursionError) as error:
        raise _bad(str(getattr(error, "msg", "it is too large"))) from None


def check_expression(text: str) -> str:
    """The text itself, or ValueError(BadExpression)."""
    expression(text)
    return text


def check_filter(text: str) -> str:
    """The text itself, if `substituted` can take it, or ValueError(BadExpression)."""
    expression(text)
    _linear(text)
    return text


def substituted(text: str, by: Callable[[tuple[str | None, ...]], str], within: str) -> str:
    """`within`, where each match of the expression `text` is what `by` makes of its groups.

    By RE2, in time proportional to `within`: that is what a pull request's own script
    printed, 32,000 characters of its choice, at which Python's engine can be kept for hours.
    """
    replaced: str = _linear(text).sub(lambda match: by(match.groups()), within)
    return replaced


@lru_cache(maxsize=256)
def _linear(text: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        raise _bad(str(error)) from None


def check_slashed(text: str) -> str:
    """`/…/` with an expression in it, as Atlantis writes branches; the text itself."""
    if len(text) < 2 or not (text.startswith("/") and text.endswith("/")):
        raise _bad("it does not begin and end with a slash")
    check_expression(text[1:-1])
    return text


def _bad(problem: str) -> ValueError:
    return ValueError(BadExpression(problem))


class _Translation:
    """One walk over the pieces; a group remembers whether something in it repeats."""

    def __init__(self, text: str) -> None:
        self._pieces = _PIECE.findall(text)
        self._out: list[str] = []
        self._groups: list[bool] = []
        self._closings: list[str] = []
        self._repeats = False
        self._last_repeats = False
        self._count = 0
        self._choices = 0

    def result(self) -> str:
        position = 0
        while position < len(self._pieces):
            position = self._one(position)
        if self._groups:
            raise _bad("a parenthesis is not closed")
        return "".join(self._out) + "".join(self._closings)

    def _one(self, position: int) -> int:
        piece = self._pieces[position]
        if piece in ("*", "+", "?", "{"):
            return self._repetition(position)
        if piece.startswith("(?"):
            self._flags(piece, position)
        elif piece == "(":
            self._open("(")
        elif piece == ")":
            self._close()
        else:
            self._plain(piece)
        return position + 1

    def _plain(self, piece: str) -> None:
        if piece.startswith("\\") and piece[1:2] not in _ESCAPES:
            raise _bad(f"`{piece}` is not known here")
        if piece == "[" or (piece.startswith("[") and "[:" in piece):
            raise _bad("this set of characters is not known here")
        self._last_repeats = False
        if piece == "|":
            self._choice()
        self._out.append(r"\Z" if piece == "$" else piece)

    def _open(self, piece: str) -> None:
        self._groups.append(self._repeats)
        self._closings.append("")
        self._repeats = False
        self._out.append(piece)

    def _close(self) -> None:
        if not self._groups:
            raise _bad("a parenthesis is closed that was not opened")
        self._out.append(self._closings.pop() + ")")
        self._last_repeats = self._repeats
        self._repeats = self._groups.pop() or self._repeats

    def _flags(self, piece: str, position: int) -> None:
        names = piece[2:-1]
        if not set(names) <= set("is"):
            raise _bad(f"`{piece}` is not known here")
        if piece.endswith(":"):
            self._open(piece)
            return
        # Go's `(?i)` holds to the end of its group, in Python it needs one of its own
        if position and self._pieces[position - 1] != "(":
            raise _bad(f"`{piece}` must stand at the beginning")
        self._out.append(f"(?{names}:")
        if self._closings:
            self._closings[-1] += ")"
        else:
            self._closings.append(")")

    def _repetition(self, position: int) -> int:
        text = self._pieces[position]
        if position and self._pieces[position - 1] == "(":
            raise _bad("`(?` is known here as `(?i)` and `(?:` only")
        position += 1
        if text == "{":
            rest = "".join(self._pieces[position : position + 8])
            bounds = re.match(r"(\d{1,3})(,(\d{1,3})?)?\}", rest)
            if not bounds:
                raise _bad("`{` needs `\\` before it, or a number after it")
            text += bounds[0]
            position += len(bounds[0])
        if position < len(self._pieces) and self._pieces[position] == "?":
            text += "?"
            position += 1
        self._out.append(text)
        if text[0] == "?":
            self._choice()
            return position
        self._count += 1
        if self._last_repeats or self._count > MAX_REPETITIONS:
            raise _bad("it repeats what repeats, or repeats too often")
        self._repeats = self._last_repeats = True
        return position

    def _choice(self) -> None:
        self._choices += 1
        if self._choices > MAX_CHOICES:
            raise _bad("it has too many alternatives")
        self._repeats = self._last_repeats = True
