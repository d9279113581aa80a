"""Whose turn it is: which checks begin now, and which are put off, and until when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from prbot.drift.schedule import SOON, Window, due_at, in_turn
from prbot.drift.state import Standing
from prbot.model import ProjectKey


@dataclass(frozen=True)
class Room:
    """How many more checks may begin; `per_environment` may be under way at once in each
    environment of the repository, None: any number."""

    checks: int
    per_environment: int | None = None


@dataclass(frozen=True)
class Turn:
    """`begin` in their order; `later` with when they are looked at instead, and why."""

    begin: tuple[Standing, ...]
    later: tuple[Standing, ...]


def due(
    standings: Iterable[Standing], window: Window, now: datetime, up_since: datetime
) -> tuple[Standing, ...]:
    """What is due and not under way: what somebody asked for first, then the least recently
    checked."""
    free = {each.key: each for each in standings if each.run is None}
    turn = in_turn((each.watched for each in free.values()), window, now, up_since)
    ready = [free[watched.key] for watched in turn]
    return tuple(sorted(ready, key=lambda standing: standing.asked_at is None))


def take_turn(
    standings: tuple[Standing, ...],
    ready: Iterable[Standing],
    held: Mapping[ProjectKey, str],
    room: Room,
    now: datetime,
) -> Turn:
    """`ready` are those due, of the repository's `standings`; `held` says in words by what a
    project is. What finds no room is still due, and its turn comes first next time."""
    going = Counter(each.environment for each in standings if each.run is not None)
    begin: list[Standing] = []
    later: list[Standing] = []
    for standing in ready:
        if standing.project in held:
            words = held[standing.project]
            later.append(replace(standing, again_at=now + SOON, held=words, asked_at=None))
        elif len(begin) < room.checks and _fits(going[standing.environment], room):
            going[standing.environment] += 1
            begin.append(standing)
    return Turn(tuple(begin), tuple(later))


def _fits(going: int, room: Room) -> bool:
    return room.per_environment is None or going < room.per_environment


def replanned(
    standings: Iterable[Standing], window: Window, now: datetime, up_since: datetime
) -> tuple[Standing, ...]:
    """Those that are looked at at another time than is written."""
    times = ((each, due_at(each.watched, window, now, up_since)) for each in standings)
    return tuple(replace(each, due_at=at) for each, at in times if each.due_at != at)
