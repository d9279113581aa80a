"""How names and values of a plan stand in a line of text: printable, short, and veiled.

This makes values readable and storable (no control character, no half of a surrogate
pair); it does not make them safe in Markdown, which is the business of `comments`.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal

from prbot.plans.plan import Json, PathStep
from prbot.plans.sensitive import SENSITIVE, Veil

LONGEST_VALUE = 240
"""Characters of one value in one line."""

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_INDEX = re.compile(r'\["(?:[^"\\]|\\.)*"\]')


def printable(text: str) -> str:
    """Line ends become `\\n`; other control characters and lone surrogates become `\ufffd`."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def single_line(text: str, longest: int) -> str:
    """The text on one line, its end cut off when it is longer than `longest`."""
    line = " ".join(printable(text[: longest + 1]).split("\n"))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def address_text(address: str, hide: Veil) -> str:
    """An address for people; an instance key that holds a secret is hidden."""
    veiled = _INDEX.sub(lambda key: f"[{hide.over(key.group()[1:-1])}]", address)
    return single_line(veiled, 500)


def path_text(path: tuple[PathStep, ...], hide: Veil) -> str:
    """`tags.team`, `rule[0].name`, `labels["a b"]`.

    The first step is an attribute's name and stays; further ones may be keys of a map.
    """
    return "".join(_step(step, hide, first=at == 0) for at, step in enumerate(path))


def _step(step: PathStep, hide: Veil, first: bool) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if not first and hide.hides(step):
        return f"[{SENSITIVE}]"
    if _PLAIN_NAME.match(step):
        return step if first else f".{step}"
    return f"[{_quoted(single_line(step, 120))}]"


def shown(value: Json, hide: Veil) -> str:
    """A JSON value on one line, at most about LONGEST_VALUE characters long."""
    if isinstance(value, str):
        return shown_string(value, hide)
    if isinstance(value, Decimal):
        return str(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return single_line(hide.over(text), LONGEST_VALUE)


def shown_string(value: str, hide: Veil, start: int = 0) -> str:
    """A string in quotes; `start` skips what it has in common with the one it stands beside."""
    if hide.hides(value):
        return hide.over(value)
    skip = max(0, start - 20) if len(value) > LONGEST_VALUE else 0
    part = value[skip : skip + LONGEST_VALUE]
    lead, tail = "…" if skip else "", "…" if skip + LONGEST_VALUE < len(value) else ""
    text = lead + _quoted(printable(part)) + tail
    return f"{text} ({len(value):,} characters)" if lead or tail else text


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
