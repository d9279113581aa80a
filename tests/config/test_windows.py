"""Apply windows: when they are open, by the clocks on the wall of their place."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.config.windows import any_open, next_opening, window_of
from prbot.errors.configuration import BadWindow

OFFICE = "Mon-Thu 09:00-16:00 Europe/Berlin"
NIGHT = "Fri 22:00-02:00 Europe/Berlin"

OPEN = [
    # Berlin is an hour ahead in winter, two in summer; 2026-03-04 is a Wednesday
    (OFFICE, "2026-03-04T07:59:59", False),
    (OFFICE, "2026-03-04T08:00:00", True),
    (OFFICE, "2026-03-04T14:59:59", True),
    (OFFICE, "2026-03-04T15:00:00", False),
    (OFFICE, "2026-03-06T10:00:00", False),
    (OFFICE, "2026-07-01T07:00:00", True),
    (OFFICE, "2026-07-01T06:59:59", False),
    (OFFICE, "2026-07-01T14:00:00", False),
    (NIGHT, "2026-03-06T20:59:00", False),
    (NIGHT, "2026-03-06T21:00:00", True),
    (NIGHT, "2026-03-07T00:59:00", True),
    (NIGHT, "2026-03-07T01:00:00", False),
    (NIGHT, "2026-03-06T00:30:00", False),
    # a Sunday on which clocks go from 02:00 to 03:00 there, at 01:00 UTC
    ("Sun 02:30-04:00 Europe/Berlin", "2026-03-29T00:59:59", False),
    ("Sun 02:30-04:00 Europe/Berlin", "2026-03-29T01:00:00", True),
    ("Sun 02:30-04:00 Europe/Berlin", "2026-03-29T02:00:00", False),
    # and one on which they go back from 03:00 to 02:00, so that 02:30 is twice
    ("Sun 02:00-03:00 Europe/Berlin", "2026-10-25T00:30:00", True),
    ("Sun 02:00-03:00 Europe/Berlin", "2026-10-25T01:30:00", True),
    ("Sun 02:00-03:00 Europe/Berlin", "2026-10-25T02:00:00", False),
    ("Sat-Mon 10:00-11:00", "2026-03-01T10:30:00", True),
    ("Sat-Mon 10:00-11:00", "2026-03-04T10:30:00", False),
    ("Mon,Wed 10:00-11:00 UTC", "2026-03-04T10:30:00", True),
    ("Mon,Wed 10:00-11:00 UTC", "2026-03-03T10:30:00", False),
    ("09:00-17:00 Asia/Kolkata", "2026-03-04T03:30:00", True),
    ("09:00-17:00 Asia/Kolkata", "2026-03-04T11:30:00", False),
    ("wed 00:00-24:00", "2026-03-04T23:59:59", True),
    ("wed 00:00-24:00", "2026-03-05T00:00:00", False),
    ("Wed 20:00-24:00", "2026-03-04T23:59:59", True),
    ("Wed 20:00-24:00", "2026-03-05T00:00:00", False),
    ("Mon 08:00-10:00 Asia/Tokyo", "2026-03-01T23:30:00", True),
]


@pytest.mark.parametrize(("text", "moment", "is_open"), OPEN)
def test_open(text: str, moment: str, is_open: bool) -> None:
    """It is open from its beginning on and no longer at its end, in its own time zone."""
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert window_of(text).is_open(now) is is_open


def test_no_window_is_always() -> None:
    """It is always open where there is none, and while any of several is."""
    now = datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert any_open((), now)
    assert any_open((window_of(NIGHT), window_of(OFFICE)), now)
    assert not any_open((window_of(NIGHT),), now)


OPENS = [
    (OFFICE, "2026-03-04T07:00:00", "2026-03-04T08:00:00"),
    (OFFICE, "2026-03-04T12:00:00", "2026-03-05T08:00:00"),
    (OFFICE, "2026-03-05T15:00:00", "2026-03-09T08:00:00"),
    (OFFICE, "2026-03-27T15:00:00", "2026-03-30T07:00:00"),  # summer time began meanwhile
    (NIGHT, "2026-03-07T01:00:00", "2026-03-13T21:00:00"),
    ("Wed 09:00-10:00", "2026-03-04T10:00:00", "2026-03-11T09:00:00"),
]


@pytest.mark.parametrize(("text", "moment", "opens"), OPENS)
def test_next_opening(text: str, moment: str, opens: str) -> None:
    """It says when it opens next, over weekends and changes of the clocks."""
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert next_opening([window_of(text)], now) == datetime.fromisoformat(opens).replace(tzinfo=UTC)


def test_first_of_several() -> None:
    now = datetime(2026, 3, 6, 12, tzinfo=UTC)
    both = [window_of(OFFICE), window_of(NIGHT)]
    assert next_opening(both, now) == window_of(NIGHT).opens_after(now)


@given(st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)), st.sampled_from([OFFICE, NIGHT]))
def test_never_open_before_it_opens(moment: datetime, text: str) -> None:
    """It is shut until it opens, to the minute, whatever the time of the year."""
    window, now = window_of(text), moment.replace(tzinfo=UTC)
    opens = window.opens_after(now)
    assert now < opens <= now + timedelta(days=8)
    assert window.is_open(opens)
    assert not window.is_open(opens - timedelta(minutes=1))


BAD = {
    "": "hours",
    "Mon-Thu": "hours",
    "09:00": "hours",
    "9:00-16:00": "hours",
    "09:00-25:00": "hours",
    "24:00-25:00": "hours",
    "09:60-16:00": "hours",
    "Mon–Thu 09:00-16:00": "days",
    "Mo-Do 09:00-16:00": "days",
    "Mon-Thu-Fri 09:00-16:00": "days",
    "Mon, Wed 09:00-16:00": "hours",
    "Mon 09:00-09:00": "ends when it begins",
    "Mon 09:00-16:00 Europe/Berlinn": "no time zone",
    "Mon 09:00-16:00 ../../etc/passwd": "no time zone",
    "Mon 09:00-16:00 Europe": "no time zone",
    "Mon 09:00-16:00 /Europe/Berlin": "no time zone",
    "Mon 09:00-16:00 Europe/Berlin please": "too many words",
}


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str) -> None:
    """It refuses what could be read in two ways, and says what is wrong."""
    with pytest.raises(BadWindow) as caught:
        window_of(text)
    assert BAD[text] in str(caught.value)
    assert "Mon-Thu 09:00-16:00" in caught.value.next_step


def test_without_the_systems_zones() -> None:
    """It knows its zones where the system has no zone files, as in a small image."""
    asked = (
        "import zoneinfo; assert zoneinfo.TZPATH == ();"
        " from prbot.config.windows import window_of;"
        f" print(window_of({OFFICE!r}).zone)"
    )
    known = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "PYTHONTZPATH": ""},  # no directory is searched
        capture_output=True,
        text=True,
        check=False,
    )
    assert (known.stdout, known.stderr) == ("Europe/Berlin\n", "")
