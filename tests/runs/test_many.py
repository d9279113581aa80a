"""What a decision costs that speaks of many projects: the service does nothing else meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

from scenes import World, by_comment, earlier, keys, plan, planned, words

from prbot.runs.decide import decide
from prbot.runs.run import AskKind


def of_many(count: int) -> World:
    """All of them planned by one run, approved, and to be applied."""
    names = " ".join(f"p{number}" for number in range(count))
    plans = tuple(plan(name, number) for number, name in enumerate(names.split()))
    made = replace(earlier(*map(planned, plans)), projects=keys(names))
    return World(ask=by_comment(AskKind.APPLY), plans=plans, others=(made,), projects=names)


@contextmanager
def counted() -> Iterator[list[int]]:
    """How many calls of Python are made inside: what a clock says depends on the machine."""
    calls = [0]

    def count(frame: FrameType, event: str, arg: object) -> None:
        calls[0] += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def cost(count: int) -> int:
    world = of_many(count)
    run = world.laid_out(world.run())
    scene = world.scene(run)
    with counted() as calls:
        steps = decide(run, scene)
    assert "apply p0=p0" in words(steps)
    return calls[0]


def test_many_projects() -> None:
    """It costs twice as much of twice as many projects: nobody is looked up among all others."""
    assert cost(160) < 3 * cost(80)
