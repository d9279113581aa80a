"""The one neutraliser: text from outside becomes Markdown that cannot break out.

Every value a template prints passes through one of these functions; `render` refuses
anything else. They return `Safe`, Markdown that

- ends no fence, fold, table cell or code span that it did not begin,
- holds no HTML, image, mention, reference, link or autolink of its own, but for `link` to a
  line of code (in code spans and code blocks GitHub makes none:
  https://docs.github.com/en/get-started/writing-on-github),
- shows invisible characters (bidirectional, zero-width) by their number.

What is not promised: that a text means what it says.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_LOGIN = 60
LONGEST_URL = 1_000

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_BACKQUOTES = re.compile(r"`+")
_SUSPECT = re.compile(r"[^\x20-\x7e\n]")
_INVISIBLE_LETTERS = "\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5"
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\Z")
_PIECE = re.compile(r"`[^`\n]+`|[^\s`]+|`+|\s+")
_WORD = re.compile(r"[(\"']*[^\W\d_]+(?:['’/-][^\W\d_]+)*[.,;:!?)\"']*\Z")
_NUMBER = re.compile(r"\(?[0-9]{1,6}(?:\.[0-9]{1,6})*[.,;:)]*\Z")
_CLOSING = re.compile(r"[.,;:!?)\"']+\Z")
_HEX = re.compile(r"\W*[0-9a-fA-F]{7,}\W*\Z")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?/[A-Za-z0-9._~%/+-]*(?:#L\d+)?\Z")
_SIGNS = frozenset("–—→=… ")


class Safe(str):
    """Markdown that may stand in a comment as it is."""

    __slots__ = ()


def clean(text: str) -> str:
    """Unix line ends and only visible characters, tabs as four blanks."""
    plain = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return _SUSPECT.sub(_visible, plain)


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    if category == "Cc":
        return ""
    hidden = category in ("Cf", "Zl", "Zp", "Co", "Cn") or character in _INVISIBLE_LETTERS
    return f"[U+{ord(character):04X}]" if hidden else character


def one_line(text: str, longest: int) -> str:
    """Cleaned, on one line, its end replaced by `…` when it is longer than `longest`."""
    seen = text[: 4 * longest + 4]
    line = " ".join(clean(seen).split())
    whole = len(line) <= longest and len(seen) == len(text)
    return line if whole else line[: max(0, longest - 1)] + "…"


def code(text: str, longest: int = 300) -> Safe:
    """A code span for running text, lists and headings, on one line."""
    line = one_line(text, longest) or "(empty)"
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return Safe(f"{ticks}{pad}{line}{pad}{ticks}")


def cell(text: str, longest: int = 300) -> Safe:
    """A code span for a table's cell, where a bar would end the cell even in code."""
    line = one_line(text, longest)
    return html_code(line, longest) if "|" in line else code(line, longest)


def html_code(text: str, longest: int = 300) -> Safe:
    """The same as HTML, for places where Markdown is not read, such as `<summary>`."""
    line = one_line(text, longest)
    return Safe(f"<code>{''.join(map(_entity, line))}</code>")


def _entity(character: str) -> str:
    plain = character.isalnum() or character in " -_." or ord(character) > 127
    return character if plain else f"&#{ord(character)};"


def prose(text: str, longest: int = 600) -> Safe:
    """A sentence on one line; code spans in it stay, and any word that could come alive
    (a mention, a reference, a link, a commit id, HTML, emphasis) becomes one."""
    pieces = ""
    for piece in _PIECE.findall(one_line(text, longest)):
        neutral = _piece(piece, pieces)
        # two code spans side by side would be read as one with longer back-quotes
        glue = " " if pieces.endswith("`") and neutral.startswith("`") else ""
        pieces += glue + neutral
    return Safe(pieces)


def _piece(piece: str, before: str) -> str:
    if piece in _SIGNS or (before.endswith("`") and _CLOSING.match(piece)):
        return piece
    inner = piece.strip("`")
    if inner != piece:
        return code(inner or piece)
    # `1.` at the start could begin a list
    number = _NUMBER.match(piece) and (before or piece[-1].isdigit())
    word = (number or _WORD.match(piece)) and not _HEX.match(piece)
    return piece if word else _coded(piece)


def _coded(piece: str) -> str:
    """A comma or colon behind it is the sentence's, not its own."""
    core = piece.rstrip(",;" if piece.startswith(":") else ",;:")
    return f"{code(core)}{piece[len(core) :]}" if core else code(piece)


def fence(text: str, info: str = "text") -> Safe:
    """A fenced code block; `info` is a literal of ours."""
    body = clean(text).strip("\n")
    ticks = "`" * max(3, _longest_run(body) + 1)
    return Safe(f"{ticks}{info}\n{body}\n{ticks}")


def link(text: str, url: str, longest: int = 300) -> Safe:
    """A code span that leads to an address of a forge; by itself where that is none."""
    span = code(text, longest)
    return Safe(f"[{span}]({url})") if _ADDRESS.match(url) and len(url) <= LONGEST_URL else span


def mention(login: str) -> Safe:
    """A live mention: the only one there is. A name that is none becomes a code span."""
    if len(login) <= LONGEST_LOGIN and _LOGIN.match(login):
        return Safe(f"@{login}")
    return code(login, LONGEST_LOGIN)


def _longest_run(text: str) -> int:
    return max(map(len, _BACKQUOTES.findall(text)), default=0)
