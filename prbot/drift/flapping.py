"""What drifts, is gone, and drifts again within days: told once as flapping, and not each time.

As monitors have it, with two thresholds, so that flapping does not itself flap: an attribute
flaps when it came or went at BEGINS of the checks of a week, and holds still again when it did
so at no more than ENDS of them. With one check a night that is every second night, and once a
week (Nagios: above 50 percent of the last checks, and below 20).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from prbot.drift.issue import Kept, Move, News, Section, news
from prbot.drift.state import Standing, Trace
from prbot.drift.verdict import BLIND

WEEK = timedelta(days=7)
BEGINS, ENDS = 4, 1
MOST = 200
"""Attributes of one project that are watched, those that changed most first."""


@dataclass(frozen=True)
class Flap:
    """One attribute that comes and goes, named as news are; so often within a WEEK."""

    name: str
    times: int


def traced(trace: Trace, section: Section) -> Trace:
    """What goes on after this check. One that could not see changes nothing but the time."""
    now = section.checked_at
    blind = section.verdict in BLIND
    here = trace.here if blind else _acting(section)
    drifted = trace.drifted if blind else section.digests
    changed = here.symmetric_difference(trace.here)
    moments = {name: _young(past, now) for name, past in trace.changes.items()}
    moments |= {name: (*moments.get(name, ()), now) for name in changed}
    most = sorted(moments, key=lambda name: (-len(moments[name]), name))[:MOST]
    kept = {name: moments[name] for name in most if moments[name]}
    flapping = (name for name, past in kept.items() if _flaps(len(past), name in trace.flapping))
    found = replace(trace, here=here, drifted=drifted)
    return replace(found, changes=kept, flapping=frozenset(flapping))


def _acting(section: Section) -> frozenset[str]:
    return frozenset(one.name for one in section.acting)


def _young(moments: tuple[datetime, ...], now: datetime) -> tuple[datetime, ...]:
    return tuple(at for at in moments if now - at < WEEK)


def _flaps(times: int, flapped: bool) -> bool:
    return times > ENDS if flapped else times >= BEGINS


def flaps_of(standing: Standing) -> tuple[Flap, ...]:
    trace = standing.trace
    return tuple(
        Flap(f"{standing.key}: {name}", len(trace.changes[name])) for name in sorted(trace.flapping)
    )


def names_of(flaps: tuple[Flap, ...]) -> frozenset[str]:
    return frozenset(flap.name for flap in flaps)


def steady(told: News, flapping: frozenset[str]) -> News:
    """The news without what comes and goes all the time."""
    return News(
        tuple(name for name in told.added if name not in flapping),
        tuple(name for name in told.gone if name not in flapping),
        tuple(name for name in told.altered if name not in flapping),
    )


def steadied(move: Move, kept: Kept | None, after: Kept | None, flapping: frozenset[str]) -> Move:
    """What becomes of the issue where only what flaps is new: nobody hears of it while it is
    open, and what somebody closed stays so. What was over is not: it is opened again."""
    if kept is None or after is None or move not in (Move.TELL, Move.REOPEN):
        return move
    told = news(kept.facts, after.facts)
    if told == News() or steady(told, flapping) != News():
        return move
    if kept.open:
        return Move.EDIT
    return Move.NONE if kept.by_person else move
