"""What may stand as a value in a command: inside the repository, visible, no option.

Not promised: that a directory exists, or that it stays in the repository once symbolic
links are followed; whoever opens it checks that.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from datetime import date

from prbot.config.globs import MAX_ASTERISKS
from prbot.errors.commands import MissingValue, NoExtra, RefusedExtra, RefusedValue
from prbot.intake.grammar import EXTRA_SWITCHES
from prbot.intake.line import echo
from prbot.model import PlanId

# Terraform: a workspace name must need no escaping in a URL's path
_WORKSPACE = re.compile(r"[A-Za-z0-9_~$&+:=@][A-Za-z0-9_.~$&+:=@-]*")
_PLAN_ID = re.compile(r"p-[0-9a-f]{6,12}", re.IGNORECASE)
_DURATION = re.compile(r"[1-9][0-9]{0,3}[hdw]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def directory(option: str, value: str) -> str:
    """The directory, or the glob of some, in its shortest spelling."""
    _inside(option, value)
    short = posixpath.normpath(value)
    check(option, short)
    return short


def workspace(option: str, value: str) -> str:
    check(option, value)
    if not _WORKSPACE.fullmatch(value) or ".." in value:
        raise RefusedValue(option, echo(value), "it is no workspace name")
    return value


def project(option: str, value: str) -> str:
    """A project's name, or a glob of such; names look like paths, and are none."""
    _inside(option, value)
    return value


def words(option: str, value: str) -> str:
    """A reason or a name, in whatever words."""
    check(option, value)
    return value


def check(option: str, value: str) -> None:
    """Raises MissingValue and RefusedValue."""
    if not value.strip():
        raise MissingValue(option)
    if value.startswith("-"):
        raise RefusedValue(option, echo(value), "it looks like an option")
    if not value.isprintable():
        raise RefusedValue(option, echo(value), "it holds characters that cannot be seen")


def _inside(option: str, value: str) -> None:
    check(option, value)
    if value.startswith("/"):
        raise RefusedValue(option, echo(value), "it is an absolute path")
    if ".." in value.split("/"):
        raise RefusedValue(option, echo(value), "it holds `..`")
    if value.count("*") > MAX_ASTERISKS:
        raise RefusedValue(option, echo(value), f"it has more than {MAX_ASTERISKS} asterisks")


def plan_id(word: str) -> PlanId | None:
    """The plan id that a word is, if it is one."""
    return PlanId(word.lower()) if _PLAN_ID.fullmatch(word) else None


def is_duration(word: str) -> bool:
    """Hours, days or weeks: `12h`, `7d`, `2w`."""
    return bool(_DURATION.fullmatch(word))


def is_date(word: str) -> bool:
    """A day of the calendar: `2026-12-31`."""
    if not _DATE.fullmatch(word):
        return False
    try:
        date.fromisoformat(word)
    except ValueError:
        return False
    return True


# --- what Terraform gets -----------------------------------------------------------------

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*=.*")
_NUMBER = re.compile(r"[1-9][0-9]{0,2}")
_BOOLEANS = ("true", "false")


def for_tool(verb: str, allowed: Sequence[str], typed: Sequence[str]) -> tuple[str, ...]:
    """What stood behind `--`, as typed, once each of it is known to be allowed.

    Read as Terraform's own parser (Go's `flag`) reads it: one dash or two, the value after
    `=` or as the next word. Raises BadCommand for anything else.
    """
    if typed and not allowed:
        raise NoExtra(verb)
    rest = iter(typed)
    for word in rest:
        _check_extra(word, allowed, rest)
    return tuple(typed)


def plainly(typed: Sequence[str]) -> tuple[str, ...]:
    """The same, one word each: `-name=value` or `-name`, however it was spelled."""
    rest, found = iter(typed), []
    for word in rest:
        spelt, equals, value = word.partition("=")
        name = spelt.lstrip("-")
        given = value if equals or name in EXTRA_SWITCHES else next(rest, "")
        found.append(f"-{name}={given}" if given else f"-{name}")
    return tuple(found)


def _check_extra(word: str, allowed: Sequence[str], rest: Iterator[str]) -> None:
    spelt, equals, value = word.partition("=")
    name = spelt.removeprefix("-").removeprefix("-")
    if not spelt.startswith("-") or name not in allowed:
        raise RefusedExtra(echo(word), ", ".join(f"`-{known}`" for known in allowed))
    if name not in EXTRA_SWITCHES:
        _check_argument(spelt, name, value if equals else next(rest, ""))
    elif equals and value not in _BOOLEANS:
        raise RefusedValue(spelt, echo(value), "it is `true` or `false`")


def _check_argument(option: str, name: str, value: str) -> None:
    check(option, value)
    match name:
        case "var-file":
            _inside(option, value)
        case "var" if not _VARIABLE.fullmatch(value):
            raise RefusedValue(option, echo(value), "it is written `NAME=VALUE`")
        case "parallelism" if not _NUMBER.fullmatch(value):
            raise RefusedValue(option, echo(value), "it is a number from 1 to 999")
