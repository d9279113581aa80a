"""What a command is done to: the words after its verb that are no options.

A plan id for `apply`, addresses for `import` and `state rm`, a reason and a day for
`accept`, a time for `snooze`; nothing for all others.
"""

from __future__ import annotations

from collections.abc import Sequence

from prbot.errors.commands import MissingWords, PlanIdAndSelector, UnexpectedWord
from prbot.intake import values
from prbot.intake.grammar import VERBS, Flag, Words
from prbot.intake.line import echo, lowered
from prbot.model import Selector

Found = tuple[dict[str, Flag], tuple[str, ...]]
"""Flags, and arguments of the tool."""


def objects(verb: str, plain: Sequence[str], select: Selector) -> Found:
    """Raises BadCommand when they are not what the verb wants."""
    match VERBS[verb].words:
        case Words.NONE:
            return {}, _at_most(verb, plain, 0)
        case Words.PLAN_ID:
            return _plan_id(verb, plain, select), ()
        case Words.ADDRESS_AND_ID:
            return {}, _arguments(verb, plain, 2, "an address and an id", "ADDRESS ID")
        case Words.ADDRESSES:
            wanted = max(1, len(plain))
            return {}, _arguments(verb, plain, wanted, "an address", "ADDRESS")
        case Words.REASON_UNTIL_DATE:
            return _reason_until(verb, plain), ()
        case Words.DURATION:
            return _duration(verb, plain), ()


def _at_most(verb: str, plain: Sequence[str], count: int) -> tuple[str, ...]:
    if len(plain) > count:
        raise UnexpectedWord(verb, echo(plain[count]))
    return tuple(plain)


def _plan_id(verb: str, plain: Sequence[str], select: Selector) -> dict[str, Flag]:
    found = values.plan_id(plain[0]) if plain else None
    _at_most(verb, plain, 0 if found is None else 1)
    if found is None:
        return {}
    if select != Selector():
        raise PlanIdAndSelector
    return {"plan": found}


def _arguments(
    verb: str, plain: Sequence[str], count: int, what: str, example: str
) -> tuple[str, ...]:
    if len(plain) < count:
        raise MissingWords(verb, what, f"{verb} {example}")
    for word in plain:
        values.check(verb, word)
    return _at_most(verb, plain, count)


def _reason_until(verb: str, plain: Sequence[str]) -> dict[str, Flag]:
    if len(plain) < 3 or lowered(plain[-2]) != "until" or not values.is_date(plain[-1]):
        raise MissingWords(verb, "a reason and a day", f"{verb} REASON until 2030-12-31")
    reason = " ".join(plain[:-2])
    values.check("reason", reason)
    return {"reason": reason, "until": plain[-1]}


def _duration(verb: str, plain: Sequence[str]) -> dict[str, Flag]:
    if not plain or not values.is_duration(plain[0]):
        raise MissingWords(verb, "a time, in hours, days or weeks", f"{verb} 7d")
    _at_most(verb, plain, 1)
    return {"for": plain[0]}
