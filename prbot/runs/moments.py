"""Moments as people write them on a command line or in a comment."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from prbot.errors.verbs import BadMoment

_SPAN = re.compile(r"(?:([0-9]{1,4})w)?(?:([0-9]{1,4})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m)?")


def coming(text: str, now: datetime) -> datetime:
    """A time with its zone (`2026-03-05T08:00+01:00`) or a span from now on (`90m`, `8h`,
    `2d12h`, `1w`). Raises BadMoment, also when it is not in the future."""
    span = span_in(text)
    moment = now + span if span is not None else _time(text)
    if moment <= now:
        raise BadMoment(text, "it is not in the future")
    return moment


def gone(text: str, now: datetime) -> datetime:
    """A time with its zone, or how long ago: `7d`. Raises BadMoment."""
    span = span_in(text)
    return now - span if span is not None else _time(text)


def span_in(text: str) -> timedelta | None:
    """Weeks, days, hours and minutes in this order; None when the text is no span."""
    match = _SPAN.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return None
    weeks, days, hours, minutes = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text.strip())
        if time.tzinfo is None:
            raise BadMoment(text, "it has no time zone")
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadMoment(text, "it is neither a time nor a span") from None
