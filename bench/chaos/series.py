"""A numbered trial of a series: its class by its number, its moment by the seed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.chaos.strike import CLASSES, drawn
from bench.chaos.trial import WINDOW, Kit, Outcome, tried

DRAWS = 4
"""How often a trial's moment is drawn anew when nobody was hit: the tool had ended, say."""


@dataclass(frozen=True)
class Numbered:
    """A trial's outcome, and the seed of its last draw."""

    number: int
    seed: str
    outcome: Outcome
    seconds: float


def one(kit: Kit, seed: str, lines: int, number: int) -> Numbered:
    """Try until somebody was hit; `lines` is how long the journal gets when nobody is.

    Deterministic in its draws, not in its timing.
    """
    begun = time.monotonic()
    for draw in range(DRAWS):
        words = f"{seed} {number} {draw}"
        outcome = tried(kit, drawn(words, number % len(CLASSES), lines, WINDOW))
        if outcome.hit or not outcome.verdict.good:
            break
    return Numbered(number, words, outcome, time.monotonic() - begun)
