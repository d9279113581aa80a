"""How a moment may be written, and what is refused rather than guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from prbot.errors.verbs import BadMoment
from prbot.runs.moments import coming, gone
from prbot.runs.requirements.standing import not_before

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)

MOMENTS: dict[str, tuple[str, datetime]] = {
    "minutes": ("90m", NOW + timedelta(minutes=90)),
    "hours": ("8h", NOW + timedelta(hours=8)),
    "days": ("3d", NOW + timedelta(days=3)),
    "weeks": ("1w", NOW + timedelta(weeks=1)),
    "several": ("1w2d3h4m", NOW + timedelta(weeks=1, days=2, hours=3, minutes=4)),
    "blanks around": (" 8h ", NOW + timedelta(hours=8)),
    "a time in UTC": ("2026-03-05T08:00Z", datetime(2026, 3, 5, 8, 0, tzinfo=UTC)),
    "a time elsewhere": ("2026-03-05T08:00+01:00", datetime(2026, 3, 5, 7, 0, tzinfo=UTC)),
    "a time with a blank": ("2026-03-05 08:00:00+01:00", datetime(2026, 3, 5, 7, 0, tzinfo=UTC)),
}


@pytest.mark.parametrize(("text", "moment"), MOMENTS.values(), ids=MOMENTS.keys())
def test_coming(text: str, moment: datetime):
    """It reads spans from now on, and times with a zone."""
    assert coming(text, NOW) == moment


NO_MOMENTS = {
    "nothing": ("", "neither"),
    "a word": ("tomorrow", "neither"),
    "a number": ("8", "neither"),
    "units in another order": ("4m3h", "neither"),
    "a negative span": ("-8h", "neither"),
    "no time at all": ("0h", "not in the future"),
    "a time without a zone": ("2026-03-05T08:00", "no time zone"),
    "a date": ("2026-03-05", "no time zone"),
    "the past": ("2026-03-03T08:00Z", "not in the future"),
    "this moment": ("2026-03-04T10:00Z", "not in the future"),
    "no such day": ("2026-02-30T10:00Z", "neither"),
    "beyond the calendar": ("9999-12-31T23:59-12:00", "neither"),
    "other digits": ("٨h", "neither"),
    "a number of hundreds of digits": (f"{'9' * 400}h", "neither"),
}


@pytest.mark.parametrize(("text", "cause"), NO_MOMENTS.values(), ids=NO_MOMENTS.keys())
def test_what_is_no_moment(text: str, cause: str):
    """It refuses what could be read in two ways, and what is over already."""
    with pytest.raises(BadMoment, match=cause):
        coming(text, NOW)


def test_gone():
    """It reads spans back from now, and any time with a zone."""
    assert gone("7d", NOW) == NOW - timedelta(days=7)
    assert gone("0m", NOW) == NOW
    assert gone("2026-03-03T08:00+01:00", NOW) == datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    assert gone("2027-01-01T00:00Z", NOW) > NOW
    with pytest.raises(BadMoment, match="no time zone"):
        gone("2026-03-03", NOW)


SINCE = NOW.replace(microsecond=500_900)
"""When a plan stood there, by prbot's clock."""

TOLD: dict[str, tuple[datetime, bool]] = {
    "the second before": (NOW - timedelta(seconds=1), False),
    "the same second, told in seconds": (NOW, True),
    "the second after": (NOW + timedelta(seconds=1), True),
    "a millisecond before": (NOW.replace(microsecond=499_000), False),
    "the same millisecond, told in milliseconds": (NOW.replace(microsecond=500_000), True),
    "a millisecond after": (NOW.replace(microsecond=501_000), True),
}


@pytest.mark.parametrize(("told", "counts"), TOLD.values(), ids=TOLD.keys())
def test_as_exact_as_the_forge_tells(told: datetime, counts: bool):
    """It takes what came in the same second only from a forge that tells no more than seconds."""
    assert not_before(told, SINCE) is counts
