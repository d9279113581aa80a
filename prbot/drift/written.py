"""A value as HCL that means exactly this value, laid out as `terraform fmt` would.

Texts are quoted so that nothing in them is a template, a control character or an unseen sign:
whoever reviews the code sees what it says.

Source: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md (Template Expressions).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from prbot.plans.plan import Json
from prbot.projects.places import flush

WIDE = 80
"""Characters of a list that stands in one line."""
STEP = "  "

_NAME = re.compile(r"[^\W\d][\w-]*\Z")
_RESERVED = frozenset({"for", "null", "true", "false", "if", "in"})
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_DIGITS = re.compile(r"-?(0|[1-9]\d{0,15})(\.\d{1,6})?\Z")


def quoted(text: str) -> str:
    """In quotes; what is not printable is named by its number."""
    return f'"{"".join(_signs(text))}"'


def _signs(text: str) -> Iterator[str]:
    for at, sign in enumerate(text):
        if sign in _ESCAPES:
            yield _ESCAPES[sign]
        elif sign in "$%" and text.startswith("{", at + 1):
            yield sign * 2
        elif sign.isprintable():
            yield sign
        else:
            yield f"\\u{ord(sign):04X}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08X}"


def number(value: int | float | Decimal) -> str:
    """All of its digits, and no exponent."""
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def scalar(value: Json) -> str:
    """A text, number, bool or null."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else number(value)


def bare(text: str) -> str | None:
    """A text as the number or bool that HCL would turn into the same text; None for others."""
    if text in ("true", "false"):
        return text
    plain = _DIGITS.match(text) and number(Decimal(text)) == text
    return text if plain and text != "-0" else None


def value(one: Json, indent: str, end: str) -> str:
    """Any value; `indent` is that of the line it begins in, `end` ends lines."""
    if isinstance(one, dict):
        lines = entries([(key_text(key), inner) for key, inner in one.items()], indent + STEP, end)
        return f"{{{end}{lines}{end}{indent}}}" if one else "{}"
    if not isinstance(one, list):
        return scalar(one)
    inner = [value(each, indent + STEP, end) for each in one]
    line = f"[{', '.join(inner)}]"
    if len(line) <= WIDE and end not in line:
        return line
    return f"[{end}{''.join(f'{indent}{STEP}{each},{end}' for each in inner)}{indent}]"


def key_text(key: str, quote: bool = False) -> str:
    """A key of an object, in quotes where it must be, or `quote` says so."""
    plain = _NAME.match(key) and key.isascii() and key not in _RESERVED
    return key if plain and not quote else quoted(key)


def entries(
    pairs: Iterable[tuple[str, Json]], indent: str, end: str, width: int = 0, comma: str = ""
) -> str:
    """Lines of an object or a block, the last without its end: `name = value`. Neighbours of one
    line each have their signs below one another, at least `width` behind the name's beginning."""
    known = [(name, value(one, indent, end)) for name, one in pairs]
    lines = []
    for group in _groups(known, end):
        wide = max(width, *(len(name) for name, _ in group)) if group else width
        for name, text in group:
            pad = wide if end not in text else len(name)
            lines.append(f"{indent}{name:<{pad}} = {text}{comma}")
    return end.join(lines)


def _groups(known: Sequence[tuple[str, str]], end: str) -> Iterator[list[tuple[str, str]]]:
    """Runs of lines that stand below one another; a value of several lines is alone."""
    group: list[tuple[str, str]] = []
    for name, text in known:
        if end in text:
            yield from ([group] if group else [])
            yield [(name, text)]
            group = []
        else:
            group.append((name, text))
    if group:
        yield group


def heredoc(text: str, was: str) -> str | None:
    """The text as a heredoc with the marker and the indentation of the one that stands there;
    None where it cannot be one. `was` is all of that one."""
    head, *body, last = was.split("\n")
    word = last.strip()
    lines = text.split("\n")
    if not text.endswith("\n") or not all(sign.isprintable() or sign in "\n\t" for sign in text):
        return None
    if any(line.strip() == word for line in lines):
        return None
    escaped = text.replace("${", "$${").replace("%{", "%%{")
    if not head.startswith("<<-"):
        return f"{head}\n{escaped}{last}"
    first = next((line for line in body if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip(" \t"))]
    inner = [indent + line if line else "" for line in escaped.split("\n")[:-1]]
    whole = "\n".join([*inner, ""])
    return f"{head}\n{whole}{last}" if flush(whole) == escaped else None
