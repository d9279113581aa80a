"""Arguments of a plan that somebody asked for, and what they make of it.

Each is one word as the tool gets it, `-name=value` or `-name` (`intake.values.for_tool`).
"""

from __future__ import annotations

from collections.abc import Iterable

DESTROY = "-destroy"
REFRESH_ONLY = "-refresh-only"
VAR_FILE = "-var-file="
_HARMLESS = ("-parallelism=", "-compact-warnings")
"""They change how a plan is made or told, not what it is."""
_WHOLE = (DESTROY, "-replace=")
"""What such a plan leaves undone is meant to stay so."""


def special(arguments: Iterable[str]) -> bool:
    """The plan is not the one that a merge would bring: a merge never applies it."""
    return any(not word.startswith(_HARMLESS) for word in arguments)


def partial(arguments: Iterable[str]) -> bool:
    """Once it is applied, the project may still not be what its code says."""
    return any(not word.startswith((*_HARMLESS, *_WHOLE)) for word in arguments)


def var_files(arguments: Iterable[str]) -> tuple[str, ...]:
    """The files with variables among them."""
    named = (word for word in arguments if word.startswith(VAR_FILE))
    return tuple(word.removeprefix(VAR_FILE) for word in named)
