"""What a run knows of the correction of drift that it is, and where such runs are kept.

A correction applies the default branch's own plan. It has a place of its own beside all pull
requests, with a number that none of theirs, no queue's commit and no look has: what it holds
there, a pull request waits for, as it would for another one.
"""

from __future__ import annotations

from dataclasses import dataclass

from prbot.model import PullRef, RepoRef

_OTHERS = 2**30
"""The places of looks and of a queue's commits lie above."""


@dataclass(frozen=True)
class OfDrift:
    """`id` is the correction's. `by_rule`: nobody asked. `shown` are the facts that the issue
    told of the project, and so what is meant. `place` and `marker` are the issue's, below which
    is told what comes of it; None where there is none."""

    id: str
    by_rule: bool
    shown: tuple[str, ...] = ()
    place: RepoRef | None = None
    marker: str = ""


def correction_place(repo: RepoRef, number: int) -> PullRef:
    """Where the corrections of the project of this number are kept."""
    return PullRef(repo, -1 - _OTHERS - number)


def is_correction(place: PullRef) -> bool:
    return place.number < -_OTHERS


def holder_words(holder: PullRef) -> str:
    """Who holds a project, for people."""
    if is_correction(holder):
        return "a correction of its drift"
    return f"pull request {holder.number}"


def way_to_free(holder: PullRef) -> str:
    """What lets go of it, as part of a sentence."""
    if is_correction(holder):
        return "it ends, or somebody comments `prbot unlock` on the issue about the drift"
    words = holder_words(holder)
    return f"{words} is merged or closed, or somebody comments `prbot unlock` there"
