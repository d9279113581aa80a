"""A look at one project: what is planned, in which order, and that nobody is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from scenes import (
    MERGED,
    NOON,
    REPO,
    WRONG,
    World,
    after_merge,
    job,
    merged,
    of_the_branch,
    planned,
    planning,
    words,
)

from prbot.model import ProjectKey, Sha
from prbot.plans.record import Applied, Inputs
from prbot.runs.drifting import place_for, project_of, same_code
from prbot.runs.queued import place_of
from prbot.runs.run import AskKind, JobKind, JobState

FRESH = after_merge("a", 3, run="r-now")
EMPTY = after_merge("a", 3, run="r-now", changes=0)
BEFORE = Sha("e" * 40)
SAME = Applied(BEFORE, FRESH.inputs, NOON)
OTHER = replace(SAME, inputs=replace(FRESH.inputs, files="other"))
AGAIN = job(JobKind.PLAN_APPLIED, JobState.PLANNED, run="r-now")
DONE, FAILED = {"drop-workspaces", "done"}, {"drop-workspaces", "failed"}


def look(applied: Applied | None = None, **odd: Any) -> World:
    ask = of_the_branch(AskKind.DRIFT, applied=applied)
    usual: dict[str, Any] = {"ask": ask, "pull": merged(head_sha=MERGED), "plans": (), "others": ()}
    return World(**(usual | odd))


def after(*jobs: object, plan: object = FRESH, applied: Applied | None = OTHER) -> World:
    return look(applied, plans=(plan,), jobs=jobs, base=BEFORE)


ROWS = {
    "new": (look(), {"plan a"}),
    "the project is no more": (look(projects="b"), FAILED),
    "planning": (look(jobs=(planning(JobState.RUNNING),)), set()),
    "planned, nothing known as applied": (after(planned(FRESH), applied=None), DONE),
    "planned, the same code is applied": (after(planned(FRESH), applied=SAME), DONE),
    "planned, other code is applied": (after(planned(FRESH)), {"plan what was applied a"}),
    "planned, nothing changes": (after(planned(EMPTY), plan=EMPTY), DONE),
    "planned, the applied commit is not at hand": (
        look(OTHER, plans=(FRESH,), jobs=(planned(FRESH),)),
        DONE,
    ),
    "both are planned": (after(planned(FRESH), AGAIN), DONE),
    "the second cannot be planned": (
        after(planned(FRESH), replace(AGAIN, state=JobState.FAILED)),
        DONE,
    ),
    "it cannot be planned": (look(OTHER, jobs=(planning(JobState.FAILED),)), DONE),
    "planning was stopped": (look(OTHER, jobs=(planning(JobState.DROPPED),)), FAILED),
    "the rules are broken": (look(rules=WRONG), FAILED),
    "the branch is served no more": (look(served=False), {"ignored"}),
}


@pytest.mark.parametrize(("world", "wanted"), ROWS.values(), ids=ROWS)
def test_looks(world: World, wanted: set[str]) -> None:
    """It plans the head, and what was applied where that is other code, and says nothing."""
    assert words(world.outcome()) == wanted


def test_places() -> None:
    """It keeps looks apart from pull requests, from queued commits, and from each other."""
    numbers = {place_for(REPO, number).number for number in (1, 2, 1_000_000)}
    assert len(numbers) == 3
    assert max(numbers) < place_of(REPO, Sha("f" * 40)).number < 0
    assert min(numbers) > -(2**31)
    assert project_of(look().run()) == ProjectKey("a")


def test_a_new_tool_is_no_new_code() -> None:
    """It takes code for the same whichever version planned it, and for other where anything
    that is read is other."""
    inputs = Inputs("f", "l", "terraform 1.9.0", "", (), "", (), "c", (("v", "1"),))
    assert same_code(inputs, replace(inputs, tool="terraform 1.11.4"))
    for name in ("files", "lock_file", "arguments", "configuration"):
        assert not same_code(inputs, replace(inputs, **{name: "x"}))
    assert not same_code(inputs, replace(inputs, variables=()))
    assert not same_code(inputs, replace(inputs, workflow=("run: x",)))
