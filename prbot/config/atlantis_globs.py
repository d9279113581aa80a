"""Atlantis's globs of directories in prbot's words.

Atlantis matches with doublestar (https://pkg.go.dev/github.com/bmatcuk/doublestar/v4), which
knows alternatives in braces, `[^…]` as well as `[!…]`, and counts `a` itself to `a/**`.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from prbot.config.globs import check_pattern
from prbot.errors.configuration import BadPattern

MAX_ALTERNATIVES = 64
_BRACES = re.compile(r"\{([^{}]*)\}")


def check_ignored(pattern: str) -> str:
    """The pattern itself, or ValueError(BadPattern)."""
    for glob in globs_of(pattern):
        check_pattern(glob.removeprefix("!"))
    return pattern


Ignored = Annotated[str, AfterValidator(check_ignored)]


def globs_of(pattern: str) -> tuple[str, ...]:
    """The globs that together match what `pattern` does. Raises ValueError(BadPattern)."""
    found: list[str] = []
    for glob in _alternatives(pattern.replace("[^", "[!")):
        found.append(glob)
        if glob.endswith("/**"):
            found.append(glob.removesuffix("/**"))
    return tuple(dict.fromkeys(found))


def _alternatives(pattern: str) -> list[str]:
    """`{a,b}/c` is `a/c` and `b/c`; the innermost braces first."""
    whole = [pattern]
    while any(_BRACES.search(each) for each in whole):
        whole = [
            each[: match.start()] + choice + each[match.end() :]
            for each in whole
            for match in [_BRACES.search(each)]
            if match
            for choice in match[1].split(",")
        ]
        if len(whole) > MAX_ALTERNATIVES:
            raise ValueError(BadPattern("it has too many alternatives"))
    if any(sign in each for each in whole for sign in "{}"):
        raise ValueError(BadPattern("its braces do not pair"))
    return whole
