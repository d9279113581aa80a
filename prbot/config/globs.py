"""Globs with `!` excludes, as repositories, branches, files and variables are listed.

`*` and `?` stay within one part of a path, `**` crosses parts (`a/**/b` is also `a/b`,
`a/**` is everything below `a`), `[abc]` is a set, `[!abc]` its opposite. Excludes always
win, wherever in the list they stand: the safer reading of a list that two people edit.
"""

from __future__ import annotations

from collections.abc import Sequence

from wcmatch import glob

from prbot.errors import BadPattern

_FLAGS = glob.GLOBSTAR | glob.DOTGLOB | glob.FORCEUNIX
MAX_ASTERISKS = 20
"""Far beyond need, and short of what makes matching slow."""


def listed(patterns: Sequence[str], text: str, *, fold_case: bool = False) -> bool:
    """Whether an include matches `text` and no exclude does; an empty list has nothing."""
    includes = [pattern for pattern in patterns if not pattern.startswith("!")]
    excludes = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return matches_any(includes, text, fold_case) and not matches_any(excludes, text, fold_case)


def matches_any(patterns: Sequence[str], text: str, fold_case: bool = False) -> bool:
    """Whether one of the patterns (without excludes) matches all of `text`."""
    flags = _FLAGS | (glob.IGNORECASE if fold_case else glob.CASE)
    return any(glob.globmatch(text, pattern, flags=flags) for pattern in patterns)


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
