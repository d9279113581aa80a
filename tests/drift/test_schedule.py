"""When projects are looked at: in the night, spread, caught up once, none forgotten."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pytest

from prbot.config.drift import DriftSettings
from prbot.drift.schedule import (
    SHORTEST,
    SOON,
    Night,
    Watched,
    coverage,
    due_at,
    in_turn,
    last_night,
    moment_in,
    next_night,
)


@dataclass(frozen=True)
class Hours:
    start: time
    end: time
    zone: str = "UTC"
    days: frozenset[int] = frozenset(range(7))


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    """In 2026; the 4th of March is a Wednesday."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


USUAL = Hours(time(1), time(5))
OVER = Hours(time(22), time(6))
BERLIN = Hours(time(1), time(5), "Europe/Berlin")
WEEKDAYS = Hours(time(22), time(6), days=frozenset(range(5)))

NIGHTS: dict[str, tuple[Hours, datetime, Night, Night]] = {
    "by day": (
        USUAL,
        at(4, 12),
        Night(at(4, 1), at(4, 5)),
        Night(at(5, 1), at(5, 5)),
    ),
    "inside": (USUAL, at(4, 3), Night(at(4, 1), at(4, 5)), Night(at(5, 1), at(5, 5))),
    "as it begins": (USUAL, at(4, 1), Night(at(4, 1), at(4, 5)), Night(at(5, 1), at(5, 5))),
    "just before": (USUAL, at(4, 0, 59), Night(at(3, 1), at(3, 5)), Night(at(4, 1), at(4, 5))),
    "over midnight": (OVER, at(4, 3), Night(at(3, 22), at(4, 6)), Night(at(4, 22), at(5, 6))),
    "in another zone": (
        BERLIN,
        at(4, 12),
        Night(at(4, 0), at(4, 4)),
        Night(at(5, 0), at(5, 4)),
    ),
    "clocks go forward in it": (
        BERLIN,
        at(29, 12),
        Night(at(29, 0), at(29, 3)),
        Night(at(29, 23), at(30, 3)),
    ),
    "clocks go back in it": (
        BERLIN,
        at(25, 12, month=10),
        Night(at(24, 23, month=10), at(25, 4, month=10)),
        Night(at(26, 0, month=10), at(26, 4, month=10)),
    ),
    "over a weekend": (
        WEEKDAYS,
        at(8, 12),
        Night(at(6, 22), at(7, 6)),
        Night(at(9, 22), at(10, 6)),
    ),
}


@pytest.mark.parametrize(("window", "now", "last", "following"), NIGHTS.values(), ids=NIGHTS)
def test_nights(window: Hours, now: datetime, last: Night, following: Night) -> None:
    """It keeps to the clocks on the wall, and knows the night that has begun from the next."""
    assert (last_night(window, now), next_night(window, now)) == (last, following)


def test_the_configured_night() -> None:
    """It takes a window as it is configured, the whole day included."""
    settings = DriftSettings(window="Mon-Fri 22:00-06:00 Europe/Berlin")
    assert last_night(settings.night, at(8, 12)) == Night(at(6, 21), at(7, 5))
    day = DriftSettings(window="00:00-24:00").night
    assert last_night(day, at(4, 12)) == Night(at(4, 0), at(5, 0))
    assert last_night(DriftSettings().night, at(4, 12)) == Night(at(4, 1), at(4, 5))


def test_an_hour_that_does_not_exist() -> None:
    """It has a night also where clocks are put forward over the whole of it."""
    window = Hours(time(2), time(3), "Europe/Berlin")
    night = last_night(window, at(29, 12))
    assert night.end - night.begin == SHORTEST


KEY = "github:acme/infra envs/prod default"
UP = at(1, 0)
MINE = moment_in(Night(at(4, 1), at(4, 5)), KEY)
TOMORROW = MINE + timedelta(days=1)

DUE: dict[str, tuple[Watched, datetime, datetime, datetime]] = {
    "its moment is to come": (Watched(KEY, at(3, 4)), at(4, 1), UP, MINE),
    "its moment is over, the night is not": (Watched(KEY, at(3, 4)), at(4, 4, 59), UP, MINE),
    "checked this night": (Watched(KEY, MINE), at(4, 4, 59), UP, TOMORROW),
    "checked this night, now it is day": (Watched(KEY, MINE), at(4, 12), UP, TOMORROW),
    "checked by hand yesterday": (Watched(KEY, at(3, 12)), at(4, 4), UP, MINE),
    "checked by hand after the night": (Watched(KEY, at(4, 12)), at(4, 13), UP, TOMORROW),
    "never checked": (Watched(KEY), at(4, 1), UP, MINE),
    "not reached: first of the next night": (Watched(KEY, at(3, 4)), at(4, 5), UP, at(5, 1)),
    "never reached": (Watched(KEY), at(4, 12), UP, at(5, 1)),
    "nobody was there: at once": (Watched(KEY, at(3, 4)), at(4, 12), at(4, 11), at(4, 11)),
    "nobody was there for days: at once, and once": (
        Watched(KEY, at(1, 4)),
        at(4, 12),
        at(4, 11),
        at(4, 11),
    ),
    "caught up": (Watched(KEY, at(4, 12)), at(4, 12, 30), at(4, 11), TOMORROW),
    "somebody came after its moment, in the night": (
        Watched(KEY, at(3, 4)),
        at(4, 4, 50),
        at(4, 4, 40),
        MINE,
    ),
    "somebody was there before its moment": (
        Watched(KEY, at(3, 4)),
        at(4, 5),
        at(4, 0, 30),
        at(5, 1),
    ),
    "held": (Watched(KEY, at(3, 4), at(4, 2) + SOON), at(4, 2), UP, at(4, 2, 30)),
    "held until it is day": (Watched(KEY, at(3, 4), at(4, 6)), at(4, 12), UP, at(4, 6)),
}


@pytest.mark.parametrize(("watched", "now", "up_since", "due"), DUE.values(), ids=DUE.keys())
def test_due(watched: Watched, now: datetime, up_since: datetime, due: datetime) -> None:
    """It is due once a night; what was missed is caught up, what was not reached goes first."""
    assert due_at(watched, USUAL, now, up_since) == due


def test_a_night_is_due_once() -> None:
    """It is looked at once in each of many nights, whenever somebody asks, with a day's downtime
    in between."""
    checked, watched, now = [], Watched(KEY, at(1, 2)), at(1, 12)
    while now < at(12, 0):
        down = at(5, 0) < now < at(6, 12)
        up_since = at(6, 12) if now >= at(6, 12) else at(1, 0)
        if not down and due_at(watched, USUAL, now, up_since) <= now:
            checked.append(now.day)
            watched = Watched(KEY, now)
        now += timedelta(minutes=7)
    assert checked == [2, 3, 4, 6, 7, 8, 9, 10, 11]


def test_the_least_recently_checked_goes_first() -> None:
    """It begins with what was never checked, by their moments, then with the oldest check; what was
    done, and what is to come, has no turn."""
    projects = [Watched("b", at(3, 3)), Watched("c", at(2, 3)), Watched("d"), Watched("a")]
    projects += [Watched("fresh", at(4, 2)), Watched("held", at(1, 0), at(4, 7))]
    turn = in_turn(projects, USUAL, at(4, 4, 30), UP)
    night = last_night(USUAL, at(4, 4, 30))
    never = sorted("ad", key=lambda key: moment_in(night, key))
    assert [each.key for each in turn] == [*never, "c", "b"]


def test_no_burst() -> None:
    """It spreads 1,000 projects over the night: no ten minutes have more than twice their share,
    and none of its first three quarters is empty."""
    night = Night(at(4, 1), at(4, 5))
    moments = [moment_in(night, f"github:acme/infra envs/{n} default") for n in range(1_000)]
    slots = Counter((moment - night.begin) // timedelta(minutes=10) for moment in moments)
    assert set(slots) == set(range(18))
    assert max(slots.values()) <= 2 * 1_000 / 18


def test_a_moment_is_everybodys() -> None:
    """It is the same on every machine, and in every night the same part of it."""
    short, long = Night(at(4, 1), at(4, 2)), Night(at(5, 1), at(5, 3))
    part = moment_in(short, KEY) - short.begin
    assert part == timedelta(seconds=1788, microseconds=849_056)
    assert abs(moment_in(long, KEY) - long.begin - 2 * part) <= timedelta(microseconds=1)
    assert moment_in(short, "a name that is \udcff no text") < short.end


COVERAGE: dict[str, tuple[tuple[Watched, ...], str]] = {
    "nothing to watch": ((), "0 of 0"),
    "all": ((Watched("a", at(4, 2)), Watched("b", at(4, 3))), "2 of 2; oldest 10 h"),
    "some": ((Watched("a", at(4, 2)), Watched("b", at(2, 19))), "1 of 2; oldest 41 h"),
    "some never": ((Watched("a", at(4, 2)), Watched("b")), "1 of 2; oldest 10 h; 1 never"),
    "none": ((Watched("b"),), "0 of 1; 1 never"),
    "many": (
        tuple(Watched(str(n), at(4, 2) if n < 1_312 else at(2, 19)) for n in range(1_500)),
        "1,312 of 1,500; oldest 41 h",
    ),
}


@pytest.mark.parametrize(("projects", "words"), COVERAGE.values(), ids=COVERAGE.keys())
def test_coverage(projects: tuple[Watched, ...], words: str) -> None:
    """It tells how much of the newest night was done, and what was not."""
    assert coverage(projects, USUAL, at(4, 12)) == words
