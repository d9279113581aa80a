"""What `unlock`, `help`, a hint and a finished run come to."""

from __future__ import annotations

import pytest
from scenes import (
    CLOSED,
    DONE_MERGED,
    FORK,
    OTHER_PULL,
    World,
    applying,
    by_comment,
    by_event,
    earlier,
    lock,
    only,
    plan,
    planned,
    words,
)

from prbot.model import Permission
from prbot.runs.run import AskKind, JobState, RunState
from prbot.runs.say import Hint, Unlocked
from prbot.runs.steps import Say

UNLOCK = by_comment(AskKind.UNLOCK)
HELP = by_comment(AskKind.HELP)
HINT = by_comment(AskKind.HINT, message="`plam` is no command. Did you mean `prbot plan`?")
MINE = (lock("a"),)


def trying(state: JobState, run_state: RunState) -> tuple[object, ...]:
    return (
        earlier(applying(state), kind=AskKind.APPLY, state=run_state),
        earlier(planned(plan("a"))),
    )


ROWS = {
    "unlock ours": (World(UNLOCK, locks=MINE), {"free a", "unlocked", "done"}),
    "unlock nothing": (World(UNLOCK), {"unlocked", "done"}),
    "unlock ours beside another's": (
        World(UNLOCK, locks=(lock("a"), lock("b", OTHER_PULL))),
        {"free a", "unlocked", "done"},
    ),
    "unlock only another's": (
        World(UNLOCK, locks=(lock("a", OTHER_PULL),)),
        {"unlocked", "done"},
    ),
    "unlock selected": (
        World(by_comment(AskKind.UNLOCK, select=only("b")), locks=(lock("a"), lock("b"))),
        {"free b", "unlocked", "done"},
    ),
    "unlock while an apply runs": (
        World(UNLOCK, locks=MINE, others=trying(JobState.RUNNING, RunState.WORKING)),  # type: ignore[arg-type] # rows
        {"refuse: applying", "refused"},
    ),
    "unlock while an apply waits": (
        World(UNLOCK, locks=MINE, others=trying(JobState.QUEUED, RunState.WORKING)),  # type: ignore[arg-type] # rows
        {"refuse: applying", "refused"},
    ),
    "unlock another project while an apply runs": (
        World(
            by_comment(AskKind.UNLOCK, select=only("b")),
            locks=(lock("a"), lock("b")),
            others=trying(JobState.RUNNING, RunState.WORKING),  # type: ignore[arg-type] # rows
        ),
        {"refuse: applying", "refused"},
    ),
    "unlock after an interruption": (
        World(UNLOCK, locks=MINE, others=trying(JobState.INTERRUPTED, RunState.INTERRUPTED)),  # type: ignore[arg-type] # rows
        {"free a", "unlocked", "done"},
    ),
    "unlock by a reader": (
        World(UNLOCK, locks=MINE, permission=Permission.READ),
        {"refuse: permission", "refused"},
    ),
    "unlock by an outsider": (
        World(UNLOCK, locks=MINE, permission=Permission.NONE),
        {"ignored"},
    ),
    "unlock on a closed pull request": (
        World(UNLOCK, locks=MINE, pull=CLOSED),
        {"free a", "unlocked", "done"},
    ),
    "unlock on a merged pull request": (
        World(UNLOCK, locks=MINE, pull=DONE_MERGED),
        {"free a", "unlocked", "done"},
    ),
    "help": (World(HELP), {"help", "done"}),
    "help for a reader": (World(HELP, permission=Permission.READ), {"help", "done"}),
    "help for a reader's fork": (
        World(HELP, permission=Permission.READ, pull=FORK),
        {"help", "done"},
    ),
    "help for an outsider": (World(HELP, permission=Permission.NONE), {"ignored"}),
    "help where the branch is not served": (World(HELP, served=False), {"ignored"}),
    "hint": (World(HINT), {"hint", "refused"}),
    "hint for a reader": (World(HINT, permission=Permission.READ), {"hint", "refused"}),
    "hint for an outsider": (World(HINT, permission=Permission.NONE), {"ignored"}),
}


@pytest.mark.parametrize(("world", "expected"), ROWS.values(), ids=ROWS)
def test_small(world: World, expected: set[str]) -> None:
    """It answers at once, without laying anything out."""
    assert words(world.outcome()) == expected


@pytest.mark.parametrize("kind", list(AskKind))
@pytest.mark.parametrize("state", [state for state in RunState if state.finished])
def test_finished_runs_rest(kind: AskKind, state: RunState) -> None:
    """It has no step for a run that is finished, however the world looks."""
    assert World(by_event(kind), state=state).outcome() == ()
    assert World(by_comment(kind), state=state, jobs=()).outcome() == ()


def test_unlocked_names_what_it_freed() -> None:
    """It names exactly the projects it freed."""
    steps = ROWS["unlock selected"][0].outcome()
    (said,) = [s.message for s in steps if isinstance(s, Say)]
    assert isinstance(said, Unlocked)
    assert [str(project) for project in said.projects] == ["b"]


def test_hint_says_what_the_parser_said() -> None:
    """It passes the hint on as it is."""
    steps = ROWS["hint"][0].outcome()
    assert [s.message for s in steps if isinstance(s, Say)] == [Hint(HINT.message)]
