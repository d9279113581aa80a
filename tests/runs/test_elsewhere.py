"""Which plans of other pull requests are made again after an apply, and how they are asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    DONE_MERGED,
    HEAD,
    NEW_HEAD,
    OTHER_PULL,
    World,
    after_merge,
    applying,
    at,
    by_comment,
    by_event,
    keys,
    plan,
    planned,
)

from prbot.model import PullRef, RunId, Selector
from prbot.runs.elsewhere import asks_again
from prbot.runs.run import Ask, AskKind, JobState, Run, RunState
from prbot.runs.steps import PlanAgain

OTHER = OTHER_PULL
REVIEWED, FRESH = plan("a"), after_merge("a", 3, run="r-now")


def applied(*states: str, **odd: object) -> World:
    """An apply by comment; `"a applied"` is how a project's ended."""
    pairs = [state.split() for state in states]
    jobs = tuple(applying(JobState(how), name, n) for n, (name, how) in enumerate(pairs, 1))
    plans = tuple(plan(name, n) for n, (name, _) in enumerate(pairs, 1))
    usual = {"ask": by_comment(AskKind.APPLY), "jobs": jobs, "plans": plans}
    return World(**{**usual, **odd})  # type: ignore[arg-type] # rows name fields freely


CHANGED = {
    "applied": (applied("a applied"), "a"),
    "two": (applied("b applied", "a applied"), "a b"),
    "one never began": (applied("a applied", "b skipped"), "a"),
    "none began": (applied("a dropped"), ""),
    "one failed": (applied("a applied", "b failed"), "a"),
    "failed half-way": (applied("a failed"), ""),
    "interrupted": (applied("a interrupted"), ""),
    "not ended": (applied("a running"), ""),
    "on merge": (
        World(
            ask=by_event(AskKind.MERGE),
            pull=DONE_MERGED,
            plans=(FRESH, REVIEWED),
            jobs=(planned(FRESH, reviewed=1), applying(JobState.APPLIED, number=3)),
        ),
        "a",
    ),
    "applied before it was merged": (
        World(ask=by_event(AskKind.MERGE), pull=DONE_MERGED, plans=(plan("a", applied=True),)),
        "a",
    ),
    "merged without any change": (
        World(ask=by_event(AskKind.MERGE), pull=DONE_MERGED, projects="", plans=()),
        "",
    ),
    "planned": (
        World(ask=by_event(), plans=(FRESH,), jobs=(planned(FRESH),)),
        "",
    ),
}


@pytest.mark.parametrize(("world", "expected"), CHANGED.values(), ids=CHANGED.keys())
def test_what_is_stale(world: World, expected: str) -> None:
    """It names the projects that were applied."""
    found = [step.projects for step in world.outcome() if isinstance(step, PlanAgain)]
    assert found == ([keys(expected)] if expected else [])


def other(ask: Ask, state: RunState = RunState.DONE, number: int = 1) -> Run:
    return Run(RunId(f"r-{number}"), PullRef(OTHER.repo, 9), ask, at(number), state)


OPENED = other(replace(by_event(), base_branch="main"))
PUSHED = other(by_event(head=NEW_HEAD))
COMMENTED = other(by_comment(AskKind.PLAN))
CLOSED = other(by_event(AskKind.CLOSE))
MERGED = other(by_event(AskKind.MERGE))

ASKED = {
    "opened": ((OPENED,), HEAD),
    "pushed since": ((PUSHED, OPENED), NEW_HEAD),
    "planned by comment since": ((COMMENTED, OPENED), HEAD),
    "a draft": ((other(replace(by_event(), draft=True)),), None),
    "never planned by itself": ((COMMENTED,), None),
    "closed": ((CLOSED, OPENED), None),
    "closed, and opened again": ((PUSHED, CLOSED, OPENED), NEW_HEAD),
    "a close that was none": (
        (other(by_event(AskKind.CLOSE), RunState.SUPERSEDED), OPENED),
        HEAD,
    ),
    "merged": ((MERGED, OPENED), None),
    "its apply waits": ((other(by_comment(AskKind.APPLY), RunState.WAITING), OPENED), None),
    "its apply ended": ((other(by_comment(AskKind.APPLY)), OPENED), HEAD),
    "no runs": ((), None),
}


@pytest.mark.parametrize(("runs", "head"), ASKED.values(), ids=ASKED.keys())
def test_who_is_asked(runs: tuple[Run, ...], head: str | None) -> None:
    """It asks at the head that was planned last, of what is open and plans not by itself."""
    asks = asks_again(runs, keys("a"), OTHER)
    assert [ask.head_sha for ask in asks] == ([head] if head else [])


def test_how_it_is_asked() -> None:
    """It asks as the commit's own event did, for the projects alone, and says why."""
    (ask,) = asks_again((OPENED,), keys("b a"), OTHER)
    selected = Selector(dirs=("a", "b"), workspaces=("default",))
    why = f"applied by pull request {OTHER.number}"
    assert ask == replace(OPENED.ask, select=selected, reason=why, applied_by=OTHER)


def test_workspaces_are_asked_one_by_one() -> None:
    """It never asks for a workspace of a directory that has none of that name."""
    asks = asks_again((OPENED,), keys("a:blue b"), OTHER)
    assert [(ask.select.dirs, ask.select.workspaces) for ask in asks] == [
        (("a",), ("blue",)),
        (("b",), ("default",)),
    ]
