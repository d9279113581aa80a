"""When each project is looked at: once in every night's window, spread over it.

Due times are numbers in a table, not the ticks of a clock: what was missed is still due, and
what was done is not due again. A project's moment follows from its name, so that it is the
same on every machine and a thousand projects do not begin at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

SPREAD = 0.75
"""Moments lie in this part of a window; the rest is for what takes longer."""
SOON = timedelta(minutes=30)
"""After which a project is looked at again that somebody held."""
SHORTEST = timedelta(minutes=1)
"""A window is never shorter, also where clocks are put forward over all of it."""
WEEK = 7


class Window(Protocol):
    """Hours of some days in a time zone; an `end` not later than `start` is on the next day."""

    @property
    def days(self) -> frozenset[int]: ...
    @property
    def start(self) -> time: ...
    @property
    def end(self) -> time: ...
    @property
    def zone(self) -> str: ...
    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class Night:
    """One opening of the window, in UTC; the end is outside."""

    begin: datetime
    end: datetime


def last_night(window: Window, now: datetime) -> Night:
    """The newest that has begun."""
    return max(_nights(window, now, True), key=lambda night: night.begin)


def next_night(window: Window, now: datetime) -> Night:
    """The first that begins later."""
    return min(_nights(window, now, False), key=lambda night: night.begin)


@lru_cache(maxsize=64)  # the same for each of a repository's thousand projects
def _nights(window: Window, now: datetime, begun: bool) -> tuple[Night, ...]:
    today = now.astimezone(ZoneInfo(window.zone)).date()
    days = (today + timedelta(days=number) for number in range(-WEEK - 1, WEEK + 2))
    nights = (_night(window, day) for day in days if day.weekday() in window.days)
    return tuple(night for night in nights if (night.begin <= now) is begun)


def _night(window: Window, day: date) -> Night:
    zone = ZoneInfo(window.zone)
    last = day if window.start < window.end else day + timedelta(days=1)
    begin = datetime.combine(day, window.start, zone).astimezone(UTC)
    end = datetime.combine(last, window.end, zone).astimezone(UTC)
    return Night(begin, max(end, begin + SHORTEST))


def moment_in(night: Night, key: str) -> datetime:
    """The moment of the project of this name: the same part of every night."""
    digest = hashlib.sha256(key.encode("utf-8", "replace")).digest()
    part = int.from_bytes(digest[:8], "big") / 2**64
    return night.begin + (night.end - night.begin) * (part * SPREAD)


@dataclass(frozen=True)
class Watched:
    """One project. `checked_at` is when its newest check ended, whatever came of it; `again_at`
    is set while somebody holds it: then it is looked at soon, not skipped."""

    key: str
    checked_at: datetime | None = None
    again_at: datetime | None = None


def due_at(watched: Watched, window: Window, now: datetime, up_since: datetime) -> datetime:
    """When the project is to be looked at next; not later than `now`: it is due.

    `up_since` is since when somebody has watched without a break. What nobody was there for is
    caught up at once, and once; what the window did not reach goes first in the next.
    """
    if watched.again_at is not None:
        return watched.again_at
    night = last_night(window, now)
    if watched.checked_at is not None and watched.checked_at >= night.begin:
        return moment_in(next_night(window, now), watched.key)
    mine = moment_in(night, watched.key)
    if now < night.end:
        return night.begin if _was_left_over(watched, window, night) else mine
    return up_since if up_since > mine else next_night(window, now).begin


def _was_left_over(watched: Watched, window: Window, night: Night) -> bool:
    """The night before did not reach it: it goes first, though its moment is late."""
    before = last_night(window, night.begin - _INSTANT)
    return watched.checked_at is not None and watched.checked_at < before.begin


def in_turn(
    projects: Iterable[Watched], window: Window, now: datetime, up_since: datetime
) -> tuple[Watched, ...]:
    """Those that are due, the least recently checked first."""
    due = ((due_at(each, window, now, up_since), each) for each in projects)
    ready = [(each.checked_at or _NEVER, at, each.key, each) for at, each in due if at <= now]
    return tuple(each for *_, each in sorted(ready, key=lambda row: row[:3]))


_INSTANT = timedelta(microseconds=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


def coverage(projects: Collection[Watched], window: Window, now: datetime) -> str:
    """How many were checked since the newest window began, and how old the oldest check is:
    `1,312 of 1,500; oldest 41 h`."""
    return coverage_since(projects, last_night(window, now).begin, now)


def coverage_since(projects: Collection[Watched], since: datetime, now: datetime) -> str:
    """As `coverage`, of any time."""
    checks = [each.checked_at for each in projects if each.checked_at is not None]
    done = sum(at >= since for at in checks)
    never = len(projects) - len(checks)
    return reach_words(Reach(len(projects), done, never, min(checks, default=None)), now)


@dataclass(frozen=True)
class Reach:
    """How far the checks of a repository's `projects` came: so many are `done` since some
    moment, and of so many `never` one has ended; `oldest` is when the one was checked that waits
    longest. `awaited` are those that are not done, or looked at again, and that nobody holds."""

    projects: int
    done: int
    never: int
    oldest: datetime | None = None
    awaited: int = 0


def reach_words(reach: Reach, now: datetime) -> str:
    """As `coverage`, of what is counted already."""
    words = [f"{reach.done:,} of {reach.projects:,}"]
    if reach.oldest is not None:
        words.append(f"oldest {(now - reach.oldest) // timedelta(hours=1)} h")
    if reach.never:
        words.append(f"{reach.never:,} never")
    return "; ".join(words)
