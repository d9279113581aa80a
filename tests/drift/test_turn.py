"""Whose turn it is: values in, values out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from prbot.config.drift import DriftSettings
from prbot.drift.schedule import SOON
from prbot.drift.state import Standing
from prbot.drift.turn import Room, Turn, due, replanned, take_turn
from prbot.model import ProjectKey, RepoRef, RunId

REPO = RepoRef("gh", "acme/infra")
NOW = datetime(2026, 3, 4, 4, 50, tzinfo=UTC)
"""In the window, after the moment of every project."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
UP = NOW - 30 * DAY
WINDOW = DriftSettings().night


def standing(name: str, **changes: object) -> Standing:
    known = Standing(REPO, ProjectKey(name), environment="prod", checked_at=NOW - DAY)
    return replace(known, **changes)  # type: ignore[arg-type] # rows name fields freely


A, B, C = map(standing, "abc")
OLDER, NEVER = standing("o", checked_at=NOW - 2 * DAY), standing("n", checked_at=None)
ASKED = standing("q", checked_at=NOW - HOUR, asked_at=NOW)
GOING = standing("g", checked_at=NOW - 3 * DAY, run=RunId("r-1"))
DONE = standing("d", checked_at=NOW - HOUR)


def test_who_is_due() -> None:
    """It names what somebody asked for first, then the least recently checked; neither what was
    checked this night, nor what is being checked."""
    ready = due((A, DONE, GOING, OLDER, ASKED, NEVER), WINDOW, NOW, UP)
    assert ready == (ASKED, NEVER, OLDER, A)


def later(standing: Standing) -> Standing:
    return replace(standing, again_at=NOW + SOON, held="held by #7", asked_at=None)


TURNS = {
    "room for all": ((A, B, C), (), Room(5), Turn((A, B, C), ())),
    "room for some": ((A, B, C), (), Room(2), Turn((A, B), ())),
    "no room": ((A, B, C), (), Room(0), Turn((), ())),
    "more under way than there is room for": ((A,), (), Room(-1), Turn((), ())),
    "one is held": ((A, B, C), ("a",), Room(2), Turn((B, C), (later(A),))),
    "one is held that somebody asked for": ((ASKED,), ("q",), Room(2), Turn((), (later(ASKED),))),
    "an environment is full": ((A, B), (), Room(5, 1), Turn((), ())),
    "an environment has room": ((A, B), (), Room(5, 2), Turn((A,), ())),
    "another environment": (
        (A, replace(B, environment=None)),
        (),
        Room(5, 1),
        Turn((replace(B, environment=None),), ()),
    ),
}


@pytest.mark.parametrize(("ready", "held", "room", "turn"), TURNS.values(), ids=TURNS)
def test_turns(ready: tuple[Standing, ...], held: tuple[str, ...], room: Room, turn: Turn) -> None:
    """It begins what there is room for, in its order, and puts off what somebody holds."""
    holds = {ProjectKey(name): "held by #7" for name in held}
    assert take_turn((*ready, GOING), ready, holds, room, NOW) == turn


def test_a_held_project_is_looked_at_soon() -> None:
    """It is due again half an hour later, and not before."""
    put_off = later(A)
    assert due((put_off,), WINDOW, NOW + SOON - timedelta(seconds=1), UP) == ()
    assert due((put_off,), WINDOW, NOW + SOON, UP) == (put_off,)


def test_what_is_written_of_the_next_look() -> None:
    """It changes only where that is another moment."""
    (told,) = replanned((DONE,), WINDOW, NOW, UP)
    assert told.due_at is not None
    assert NOW < told.due_at < NOW + DAY
    assert replanned((told,), WINDOW, NOW, UP) == ()
