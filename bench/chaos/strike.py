"""Who is killed, and when.

A kill point is either a line of the journal (the n-th, whatever it says, and some
milliseconds on) or a moment after the provider's first create. The draw is the seed's.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bench.chaos.books import Books
from bench.chaos.crew import Crew, Member, kill_all, parent


class Victim(StrEnum):
    """Of WORKER, the process alone; of GROUP, with everything it started; of TOOL, Terraform."""

    WORKER = "worker"
    GROUP = "group"
    TOOL = "tool"


class Moment(StrEnum):
    TRANSITION = "at a transition"
    APPLYING = "mid-apply"
    PLANNING = "while planning"


CLASSES: tuple[tuple[Victim, tuple[Moment, ...]], ...] = (
    (Victim.WORKER, (Moment.TRANSITION,)),
    (Victim.WORKER, (Moment.APPLYING,)),
    (Victim.GROUP, (Moment.TRANSITION,)),
    (Victim.GROUP, (Moment.APPLYING,)),
    (Victim.TOOL, (Moment.APPLYING, Moment.APPLYING, Moment.PLANNING)),
)


@dataclass(frozen=True)
class Strike:
    """`line` of the journal counts from 1; `after` are seconds from there, or from the
    first create. `returns`: whether a killed worker is started again when others live."""

    victim: Victim
    moment: Moment
    line: int
    after: float
    by_merge: bool
    returns: bool
    choice: int

    @property
    def title(self) -> str:
        return f"{self.victim}, {self.moment}"


def drawn(seed: str, kind: int, lines: int, window: float) -> Strike:
    """The strike of one trial: class number `kind`, the journal's expected length, and the
    seconds that an apply creates for."""
    draw = random.Random(seed)  # noqa: S311 - to be drawn again the same way
    victim, moments = CLASSES[kind]
    moment = draw.choice(moments)
    latest = window if moment is Moment.APPLYING else 0.3 if moment is Moment.PLANNING else 0.03
    return Strike(
        victim=victim,
        moment=moment,
        line=draw.randint(1, lines),
        after=draw.uniform(0, latest),
        by_merge=draw.random() < 0.5,
        returns=draw.random() < 0.5,
        choice=draw.randrange(1 << 16),
    )


@dataclass(frozen=True)
class Scene:
    """Where the striker looks. `state` is above every state directory of the crew."""

    crew: Crew
    books: Books
    ledger: Path
    state: Path

    def creates(self) -> list[tuple[str, int]]:
        """(name, pid of the provider) of each create, oldest first."""
        lines = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        return [(name, int(pid)) for name, _, pid in (line.partition(" ") for line in lines)]

    def running(self, verbs: tuple[str, ...]) -> Iterator[int]:
        """Process ids of tools at work, from the records beside their output."""
        for record in self.state.glob("jobs/*/*/process.json"):
            try:
                fields = json.loads(record.read_text())
            except (OSError, ValueError):
                continue
            if fields["what"] in verbs and parent(fields["pid"]):
                yield fields["pid"]


@dataclass(frozen=True)
class Struck:
    """`member` died, or tools did: the processes `pids`."""

    pids: tuple[int, ...]
    member: Member | None = None


async def struck(strike: Strike, scene: Scene) -> Struck:
    """Wait for the moment and kill. Waits for ever when the moment never comes; `pids` is
    empty when a tool was to die that had ended by then."""
    await _until(strike, scene)
    await asyncio.sleep(strike.after)
    if strike.victim is Victim.TOOL:
        tools = _tool(strike, scene)
        kill_all(tools)
        return Struck(tuple(tools))
    member = _member(strike, scene)
    scene.crew.expected_dead.add(member.name)
    member.kill(whole=strike.victim is Victim.GROUP)
    return Struck((member.pid,), member)


async def _until(strike: Strike, scene: Scene) -> None:
    def come() -> bool:
        match strike.moment:
            case Moment.TRANSITION:
                return scene.books.transitions() >= strike.line
            case Moment.APPLYING:
                return scene.ledger.exists()
            case Moment.PLANNING:
                return any(scene.running(("init", "plan", "show")))

    while not come():  # noqa: ASYNC110 - a database tells nobody
        await asyncio.sleep(0.01)


def _member(strike: Strike, scene: Scene) -> Member:
    """Whoever applies, if somebody does; else drawn."""
    holders = (scene.crew.of(pid) for _, pid in scene.creates())
    holder = next((member for member in holders if member is not None), None)
    members = scene.crew.members
    return holder or members[strike.choice % len(members)]


def _tool(strike: Strike, scene: Scene) -> list[int]:
    """Terraform alone, its provider goes on: what stands above the provider, or what the
    records name."""
    if strike.moment is Moment.APPLYING:
        above = {parent(pid) for _, pid in scene.creates()}
        return [pid for pid in scene.crew.tools() if pid in above]
    return list(scene.running(("init", "plan", "show")))
