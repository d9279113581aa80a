"""The line of a comment that may hold a command, cut into words as a shell would.

Nothing is ever passed to a shell: `$(…)`, `;` and `*` stay what they are. Blanks of every
script part words, because phones and word processors type them unseen.
"""

from __future__ import annotations

import shlex

from prbot.errors.commands import CommandTooLong, OpenQuote

MAX_CHARACTERS = 10_000
MAX_WORDS = 300
"""Beyond what anybody types, and short of what makes matching slow."""

BLANKS = "".join(char for char in map(chr, range(0x3001)) if char.isspace())
"""The last of Unicode's is U+3000."""
_MARK = "\ufeff"


def first_line(body: str) -> tuple[str, bool]:
    """The line that may hold a command, and whether anything else is said below it."""
    lines = peeled(body).splitlines() or [""]
    return peeled(lines[0]), any(peeled(line) for line in lines[1:])


def peeled(text: str) -> str:
    """Without blanks and back-quotes around it, nor a byte-order mark before it."""
    return text.lstrip(_MARK).strip().strip("`").strip()


def head(text: str) -> tuple[str, str]:
    """The first word, and all that follows it."""
    first, *rest = text.split(None, 1) or [""]
    return first, rest[0] if rest else ""


def lowered(word: str) -> str:
    """In lower case, ASCII only: the Kelvin sign becomes no k."""
    return word.lower() if word.isascii() else word


def split(text: str) -> list[str]:
    """The words of a line. Raises OpenQuote and CommandTooLong."""
    if len(text) > MAX_CHARACTERS:
        raise CommandTooLong(MAX_CHARACTERS, MAX_WORDS)
    reader = shlex.shlex(text, posix=True, punctuation_chars=False)
    reader.whitespace = BLANKS
    reader.whitespace_split = True
    reader.commenters = ""
    try:
        words = list(reader)
    except ValueError:
        raise OpenQuote from None
    if len(words) > MAX_WORDS:
        raise CommandTooLong(MAX_CHARACTERS, MAX_WORDS)
    return words


def echo(typed: str) -> str:
    """What was typed, short and with nothing that any renderer would act on."""
    plain = "".join(char if char.isalnum() or char in "-_./=* " else "?" for char in typed[:40])
    return plain + "..." * (len(typed) > 40)
