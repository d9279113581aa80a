"""A command as a person would type it; reading it back gives the same."""

from __future__ import annotations

import shlex

from prbot.intake.grammar import NAME, VERBS, Flag, Typed, Words
from prbot.model import Selector


def written(typed: Typed) -> str:
    """One line, quoted where words hold what would part them."""
    extra, arguments = apart(typed)
    words = [*_objects(typed), *arguments, *_select(typed.select), *_options(typed)]
    behind = ["--", *extra] if extra else []
    return shlex.join([NAME, *typed.verb.split(), *words, *behind])


def apart(typed: Typed) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands behind `--`, and the addresses that follow it in `extra`."""
    match VERBS[typed.verb].words:
        case Words.ADDRESS_AND_ID:
            return typed.extra[:-2], typed.extra[-2:]
        case Words.ADDRESSES:
            own = tuple(word for word in typed.extra if word.startswith("-"))
            return own, typed.extra[len(own) :]
        case _:
            return typed.extra, ()


def _objects(typed: Typed) -> list[str]:
    flags = dict(typed.flags)
    match VERBS[typed.verb].words:
        case Words.PLAN_ID:
            return [str(flags["plan"])] if "plan" in flags else []
        case Words.REASON_UNTIL_DATE:
            return [str(flags["reason"]), "until", str(flags["until"])]
        case Words.DURATION:
            return [str(flags["for"])]
        case _:
            return []


def _select(select: Selector) -> list[str]:
    given = (("-d", select.dirs), ("-w", select.workspaces), ("-p", select.projects))
    return [word for option, names in given for name in names for word in (option, name)]


def _options(typed: Typed) -> list[str]:
    own = VERBS[typed.verb].options
    return [word for name, flag in typed.flags if name in own for word in _option(name, flag)]


def _option(name: str, flag: Flag) -> list[str]:
    match flag:
        case bool():
            return [f"--{name}"]
        case str():
            return [f"--{name}", flag]
        case _:
            return [word for value in flag for word in (f"--{name}", value)]
