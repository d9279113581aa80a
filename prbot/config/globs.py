"""Globs with `!` excludes, as repositories, branches, files and variables are listed.

`*` and `?` stay within one part of a path, `**` crosses parts (`a/**/b` is also `a/b`,
`a/**` is everything below `a`), `[abc]` is a set, `[!abc]` its opposite. Excludes always
win, wherever in the list they stand: the safer reading of a list that two people edit.

Matched by RE2, in time proportional to the text: patterns come from comments and from pull
requests' own files, and Python's engine can be kept for ever by a dozen asterisks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import re2

from prbot.errors.configuration import BadPattern

MAX_ASTERISKS = 20
"""Far beyond need."""
_SET = re.compile(r"\[[!^]?\]?(?:\\.|\[:[a-z]+:\]|[^\]\\])*\]", re.DOTALL)
_IN_SET = re.compile(r"\\(.)|(\[:[a-z]+:\])|(-)|(.)", re.DOTALL)
_DEEP = "(?:[^/]+/)*"


def listed(patterns: Sequence[str], text: str, *, fold_case: bool = False) -> bool:
    """Whether an include matches `text` and no exclude does; an empty list has nothing."""
    includes = [pattern for pattern in patterns if not pattern.startswith("!")]
    excludes = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return matches_any(includes, text, fold_case) and not matches_any(excludes, text, fold_case)


def matches_any(patterns: Sequence[str], text: str, fold_case: bool = False) -> bool:
    """Whether one of the patterns (without excludes) matches all of `text`."""
    return any(_matches(pattern, text, fold_case) for pattern in patterns)


def _matches(pattern: str, text: str, fold_case: bool) -> bool:
    if text == "." or not any(sign in pattern for sign in "*?[\\"):  # no wildcard means the root
        return pattern.casefold() == text.casefold() if fold_case else pattern == text
    compiled = _compiled(pattern, fold_case)
    return compiled is not None and compiled.fullmatch(_text(text)) is not None


@lru_cache(maxsize=8192)
def _compiled(pattern: str, fold_case: bool) -> re2._Regexp | None:
    """None for what can match nothing, such as `[z-a]`."""
    options = re2.Options()
    options.log_errors, options.case_sensitive = False, not fold_case
    parts = _text(pattern).split("/")
    written = "".join(_part(part, last=False) for part in parts[:-1]) + _part(parts[-1], last=True)
    try:
        return re2.compile(written, options)
    except re2.error:
        return None


def _text(text: str) -> str:
    """Names that are not UTF-8 with replacement characters."""
    return text.encode("utf-8", "replace").decode()


def _part(part: str, *, last: bool) -> str:
    if part == "**":
        return _DEEP + "[^/]+" if last else _DEEP
    if part == "*":
        return "[^/]+" if last else "[^/]+/"
    return _signs(part) + ("" if last else "/")


def _signs(part: str) -> str:
    out, at = [], 0
    while at < len(part):
        sign, found = part[at], _SET.match(part, at)
        if found is not None:
            out.append(_set(found[0][1:-1]))
            at = found.end()
            continue
        if sign == "\\" and at + 1 < len(part):
            at += 1
            sign = re2.escape(part[at])
        else:
            sign = {"*": "[^/]*", "?": "[^/]"}.get(sign) or re2.escape(sign)
        out.append(sign)
        at += 1
    return "".join(out)


def _set(body: str) -> str:
    negated = body[:1] in ("!", "^")
    written = "".join(
        named or dash or re2.escape(escaped or plain)
        for escaped, named, dash, plain in _IN_SET.findall(body[negated:])
    )
    return f"[^/{written}]" if negated else f"[{written}]"


def check_pattern(pattern: str) -> str:
    """The pattern itself, or ValueError(BadPattern): what pydantic turns into a place."""
    body = pattern.removeprefix("!")
    if not body.strip():
        raise ValueError(BadPattern("it is empty"))
    if body != body.strip():
        raise ValueError(BadPattern("it begins or ends with a blank"))
    if body.startswith("/") or ".." in body.split("/"):
        raise ValueError(BadPattern("it leads outside"))
    if body.count("*") > MAX_ASTERISKS:
        raise ValueError(BadPattern(f"it has more than {MAX_ASTERISKS} asterisks"))
    return pattern


def check_plain_pattern(pattern: str) -> str:
    """As `check_pattern`, for lists that know no excludes."""
    if pattern.startswith("!"):
        raise ValueError(BadPattern("this list knows no excludes"))
    return check_pattern(pattern)
