"""What is counted when a trial is over: each figure from where it cannot be talked away.

Second applies are counted from the provider's ledger, comments on the forge, events from
the forge's own list; only locks and outcomes are taken from prbot's database.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.chaos.books import AskedRun
from bench.chaos.journey import BOT, Journey
from bench.chaos.strike import Scene

MARKER = re.compile(r"<!-- prbot:[^:]*:\d+:(\S+) -->")
INTERRUPTED = re.compile(r"interrupted|signal 9", re.IGNORECASE)


@dataclass(frozen=True)
class Verdict:
    """`faults`: anything else that must not be, in sentences."""

    lost: int = 0
    duplicates: int = 0
    second: int = 0
    orphans: int = 0
    interrupted: int = 0
    reported: int = 0
    faults: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        wrong = self.lost + self.duplicates + self.second + self.orphans + len(self.faults)
        return not wrong and self.interrupted == self.reported


def verdict(journey: Journey, scene: Scene, state: Path, things: int) -> Verdict:
    """Judge what is left. `state` is Terraform's, `things` how many were to be created."""
    made = scene.creates()
    complete = bool(made) and _recorded(state) >= things
    outcomes = scene.books.intents()
    cut = "interrupted" in outcomes or (bool(made) and not complete)
    return Verdict(
        lost=len(tuple(_unanswered(journey, scene))),
        duplicates=_duplicates(journey, scene),
        second=_second_applies(made),
        orphans=len(scene.books.locks()),
        interrupted=int(cut),
        reported=int(cut and any(INTERRUPTED.search(body) for body in _said(journey))),
        faults=tuple(_faults(journey, scene, outcomes, complete)),
    )


def _said(journey: Journey) -> list[str]:
    return [c.body for c in journey.opened.comments if c.user.login == BOT]


def _topics(journey: Journey) -> list[str]:
    """What each comment of the bot is about; mostly a run's id."""
    return [match[1] for body in _said(journey) if (match := MARKER.search(body))]


def _unanswered(journey: Journey, scene: Scene) -> Iterator[str]:
    """Commands without an answer, an opening without a plan, a merge without a run."""
    runs, told = scene.books.runs(), set(_topics(journey))
    for comment in journey.asked:
        if not any(run.comment_id == comment.id and run.id in told for run in runs):
            yield comment.body
    by_event = {run.kind for run in runs if run.comment_id is None}
    if "plan" not in by_event or not told:
        yield "open"
    if journey.opened.merged and "merge" not in by_event:
        yield "merge"


def _duplicates(journey: Journey, scene: Scene) -> int:
    """Comments beyond the first with the same marker, or in answer to the same thing."""
    topics = _topics(journey)
    why = {run.id: _cause(run) for run in scene.books.runs()}
    again = Counter(topics)
    causes = Counter(why.get(topic, topic) for topic in again)
    return sum(n - 1 for n in again.values()) + sum(n - 1 for n in causes.values())


def _cause(run: AskedRun) -> str:
    return str(run.comment_id) if run.comment_id else f"{run.kind} of {run.head}"


def _second_applies(made: list[tuple[str, int]]) -> int:
    """Things made again, and processes that made things beyond the first: one apply is
    all that anybody was allowed."""
    again = sum(number - 1 for number in Counter(name for name, _ in made).values())
    makers = len({pid for _, pid in made})
    return max(again, makers - 1)


def _recorded(state: Path) -> int:
    if not state.exists() or not state.stat().st_size:
        return 0
    return len(json.loads(state.read_text())["resources"])


def _faults(
    journey: Journey, scene: Scene, outcomes: list[str | None], complete: bool
) -> Iterator[str]:
    if None in outcomes:
        yield "an apply was begun and never settled"
    if ("applied" in outcomes) and not complete:
        yield "an apply is called applied and is not complete"
    if not outcomes and not scene.creates() and not journey.opened.merged:
        yield "nothing was applied, however often it was asked for"
    for check in ("prbot/plan", "prbot/apply"):
        if (found := journey.verdict(check)) not in ("success", "failure"):
            yield f"the check {check} is {found or 'missing'}"
    for name in scene.crew.died:
        yield f"{name} died by itself"
