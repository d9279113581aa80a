"""What is counted when a trial is over: each figure from where it cannot be talked away.

Second applies are counted from the provider's ledger, comments on the forge, events from
the forge's own list; only locks and outcomes are taken from prbot's database.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.chaos.books import AskedRun
from bench.chaos.journey import BOT, Journey
from bench.chaos.strike import Scene

MARKER = re.compile(r"<!-- prbot:[^:]*:\d+:(\S+) -->")
INTERRUPTED = re.compile(r"interrupted", re.IGNORECASE)


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
    made, runs = scene.creates(), scene.books.runs()
    complete = bool(made) and _recorded(state) >= things
    outcomes = scene.books.intents()
    cut = "interrupted" in outcomes or (bool(made) and not complete)
    said = [c.body for c in journey.opened.comments if c.user.login == BOT]
    topics = [match[1] for body in said if (match := MARKER.search(body))]
    asked = [comment.id for comment in journey.asked]
    return Verdict(
        lost=lost(asked, journey.opened.merged, runs, topics),
        duplicates=duplicates(topics, runs),
        second=second_applies(made),
        orphans=len(scene.books.locks()),
        interrupted=int(cut),
        reported=int(cut and any(INTERRUPTED.search(body) for body in said)),
        faults=tuple(_faults(journey, scene, outcomes, complete)),
    )


def lost(asked: Sequence[int], merged: bool, runs: Sequence[AskedRun], told: Sequence[str]) -> int:
    """Commands (ids of their comments) without an answer, an opening without a plan, a
    merge without a run. `told` is what the bot's comments are about; mostly ids of runs."""
    answered = {run.comment_id for run in runs if run.id in told}
    by_event = {run.kind for run in runs if run.comment_id is None}
    missed = [comment for comment in asked if comment not in answered]
    unheard = ["open"] if "plan" not in by_event or not told else []
    unheard += ["merge"] if merged and "merge" not in by_event else []
    return len(missed) + len(unheard)


def duplicates(topics: Sequence[str], runs: Sequence[AskedRun]) -> int:
    """Comments beyond the first with the same marker, or in answer to the same thing."""
    why = {run.id: _cause(run) for run in runs}
    again = Counter(topics)
    causes = Counter(why.get(topic, topic) for topic in again)
    return sum(n - 1 for n in again.values()) + sum(n - 1 for n in causes.values())


def _cause(run: AskedRun) -> str:
    return str(run.comment_id) if run.comment_id else f"{run.kind} of {run.head}"


def second_applies(made: Sequence[tuple[str, int]]) -> int:
    """Things made again, or processes that made things beyond the first: one apply is all
    that anybody was allowed. `made`: each thing's name and its maker's process id."""
    again = sum(number - 1 for number in Counter(name for name, _ in made).values())
    makers = len({pid for _, pid in made})
    return max(0, again, makers - 1)


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
    if tools := scene.crew.tools():
        yield f"{len(tools)} processes of tools still run"
