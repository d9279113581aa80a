"""Apply windows: on which days, between which hours, of which place.

`Mon-Thu 09:00-16:00 Europe/Berlin`: days (one, a span, or several with commas; left out:
every day), hours (the end is outside; an end that is not later lies on the next day, and the
window belongs to the day it begins on), and a time zone by its name in the IANA database
(left out: UTC). Clocks on the wall decide, so a window keeps its hours when they are put
forward or back: it is then shorter or longer, never moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from prbot.errors.configuration import BadWindow

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|(24:00))")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9+_-]*(/[A-Za-z0-9+_-]+)*")
MIDNIGHT = time(0)
WEEK = 7


@dataclass(frozen=True)
class Window:
    """`days` are 0 (Monday) to 6. It is open from `start` on and no longer at `end`; an `end`
    that is not later than `start` is on the next day. `text` is how it was written."""

    days: frozenset[int]
    start: time
    end: time
    zone: str
    text: str

    def is_open(self, now: datetime) -> bool:
        """`now` is aware of its zone."""
        local = now.astimezone(_zone(self.zone))
        clock, today = local.time(), local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= clock < self.end
        yesterday = (today - 1) % WEEK
        return (today in self.days and clock >= self.start) or (
            yesterday in self.days and clock < self.end
        )

    def opens_after(self, now: datetime) -> datetime:
        """The next moment, in UTC, at which it opens. Where clocks are put forward over its
        beginning, that is the moment they are."""
        local = now.astimezone(_zone(self.zone)).date()
        days = (local + timedelta(days=number) for number in range(-1, 2 * WEEK + 1))
        starts = (self._start_on(day) for day in days if day.weekday() in self.days)
        return next(moment for moment in starts if moment > now)

    def _start_on(self, day: date) -> datetime:
        return datetime.combine(day, self.start, _zone(self.zone)).astimezone(UTC)


def any_open(windows: Iterable[Window], now: datetime) -> bool:
    """Whether one of them is open; where there are none, it is always."""
    known = tuple(windows)
    return not known or any(window.is_open(now) for window in known)


def next_opening(windows: Iterable[Window], now: datetime) -> datetime:
    """When the first of them opens next; there must be one."""
    return min(window.opens_after(now) for window in windows)


@lru_cache(maxsize=1024)
def window_of(text: str) -> Window:
    """Read one. Raises BadWindow."""
    words = text.split()
    days = words.pop(0) if words and not words[0][0].isdigit() else ""
    hours = _HOURS.fullmatch(words.pop(0)) if words else None
    if hours is None:
        raise BadWindow(text, "its hours are not written as 09:00-16:00")
    if len(words) > 1:
        raise BadWindow(text, "too many words")
    start = time(int(hours[1]), int(hours[2]))
    end = MIDNIGHT if hours[5] else time(int(hours[3]), int(hours[4]))
    if start == end and not (hours[5] and start == MIDNIGHT):
        raise BadWindow(text, "it ends when it begins")
    zone = words[0] if words else "UTC"
    _check_zone(text, zone)
    return Window(_days(text, days), start, end, zone, " ".join(text.split()))


def _days(text: str, written: str) -> frozenset[int]:
    if not written:
        return frozenset(range(WEEK))
    found: set[int] = set()
    for part in written.split(","):
        first, _, last = part.partition("-")
        begin, end = _day(text, first), _day(text, last or first)
        found |= {(begin + number) % WEEK for number in range((end - begin) % WEEK + 1)}
    return frozenset(found)


def _day(text: str, word: str) -> int:
    known = [day.lower() for day in DAYS]
    if word.lower() not in known:
        raise BadWindow(text, f"it does not begin with days such as {DAYS[0]}-{DAYS[4]}")
    return known.index(word.lower())


def _check_zone(text: str, name: str) -> None:
    # a path would lead out of the database, and a name of a directory is an odd error
    try:
        if not _ZONE.fullmatch(name):
            raise ZoneInfoNotFoundError(name)
        _zone(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise BadWindow(text, "no time zone has this name") from None


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
