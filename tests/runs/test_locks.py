"""What ends frees exactly the locks it owns, and what fails frees none that may matter."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    CLOSED,
    DONE_MERGED,
    OTHER_PULL,
    PULL,
    PUSHED,
    World,
    after_merge,
    applying,
    by_comment,
    by_event,
    earlier,
    lock,
    plan,
    planned,
    planning,
    words,
)

from prbot.model import PullRef, RepoRef
from prbot.runs.locks import Lock
from prbot.runs.run import AskKind, JobState, RunState


def of_another(project: str, repo: str = "acme/infra-prod", forge: str = "github") -> Lock:
    """The lock of the pull request with our number in another repository."""
    holder = PullRef(RepoRef(forge, repo), PULL.number)
    return replace(lock(project, holder), repo=holder.repo)


OTHERS = (
    lock("b", OTHER_PULL),
    of_another("a"),
    of_another("a", "acme/infr"),
    of_another("a", "prod/acme/infra"),
    of_another("a", "acme/infra", "elsewhere"),
)
"""Nothing of this is ever ours."""
HELD = (lock("a"), *OTHERS)
MADE = earlier(planned(plan("a")))
APPLY = by_comment(AskKind.APPLY)
PLAN = by_event()


def tried(state: JobState, run_state: RunState) -> object:
    return earlier(applying(state), kind=AskKind.APPLY, state=run_state)


TRIED = (tried(JobState.FAILED, RunState.FAILED), MADE)
AFTER_MERGE = after_merge("a", 2)

ROWS: dict[str, tuple[World, set[str]]] = {
    "close": (World(by_event(AskKind.CLOSE), pull=CLOSED, locks=HELD), {"free a"}),
    "close, holding nothing": (World(by_event(AskKind.CLOSE), pull=CLOSED, locks=OTHERS), set()),
    "close after a time-out of the apply": (
        World(by_event(AskKind.CLOSE), pull=CLOSED, locks=HELD, others=TRIED),  # type: ignore[arg-type] # rows
        set(),
    ),
    "close after an apply that was dropped": (
        World(
            by_event(AskKind.CLOSE),
            pull=CLOSED,
            locks=HELD,
            others=(tried(JobState.DROPPED, RunState.FAILED), MADE),  # type: ignore[arg-type] # rows
        ),
        {"free a"},
    ),
    "merge, applied": (
        World(
            by_event(AskKind.MERGE),
            pull=DONE_MERGED,
            plans=(AFTER_MERGE, plan("a")),
            jobs=(planned(AFTER_MERGE, reviewed=1), applying(JobState.APPLIED, number=2)),
            locks=HELD,
        ),
        {"free a"},
    ),
    "merge, timed out": (
        World(
            by_event(AskKind.MERGE),
            pull=DONE_MERGED,
            plans=(AFTER_MERGE, plan("a")),
            jobs=(planned(AFTER_MERGE, reviewed=1), applying(JobState.FAILED, number=2)),
            locks=HELD,
        ),
        set(),
    ),
    "unlock": (World(by_comment(AskKind.UNLOCK), locks=HELD), {"free a"}),
    "a plan that failed": (World(PLAN, jobs=(planning(JobState.FAILED),), locks=OTHERS), set()),
    "a plan that failed after an apply": (
        World(PLAN, jobs=(planning(JobState.FAILED),), locks=HELD, others=TRIED),  # type: ignore[arg-type] # rows
        set(),
    ),
    "a plan that timed out on a newer commit": (
        World(PLAN, pull=PUSHED, jobs=(planning(JobState.FAILED),), laid_out_at=None, locks=HELD),
        set(),
    ),
    "an apply whose planning again failed": (
        World(APPLY, jobs=(planning(JobState.FAILED),), locks=OTHERS),
        set(),
    ),
    "an apply that failed or timed out: it may have changed something": (
        World(APPLY, jobs=(applying(JobState.FAILED),), locks=HELD),
        set(),
    ),
    "an apply that was interrupted": (
        World(APPLY, jobs=(applying(JobState.INTERRUPTED),), locks=HELD),
        set(),
    ),
    "an apply that was applied: held until the merge": (
        World(APPLY, jobs=(applying(JobState.APPLIED),), locks=HELD),
        set(),
    ),
    "an apply that was cancelled before it began": (
        World(APPLY, jobs=(applying(JobState.DROPPED),), locks=HELD),
        {"free a"},
    ),
    "one of two was cancelled before it began": (
        World(
            APPLY,
            projects="a c",
            plans=(plan("c", 3), plan("a")),
            jobs=(applying(JobState.APPLIED), applying(JobState.DROPPED, "c", 3)),
            locks=(*HELD, lock("c")),
        ),
        {"free c"},
    ),
    "cancelled before it began, after an earlier apply that failed": (
        World(
            APPLY,
            plans=(plan("a", 2), plan("a")),
            jobs=(applying(JobState.DROPPED, number=2),),
            locks=HELD,
            others=TRIED,  # type: ignore[arg-type] # rows
        ),
        set(),
    ),
    "cancelled before it began, and unlocked by somebody since": (
        World(APPLY, jobs=(applying(JobState.DROPPED),), locks=OTHERS),
        set(),
    ),
}


@pytest.mark.parametrize(("world", "expected"), ROWS.values(), ids=ROWS.keys())
def test_what_is_freed(world: World, expected: set[str]) -> None:
    """It frees what this very pull request holds for nothing, and nobody else's."""
    told = words(world.outcome())
    assert told != set()
    assert {word for word in told if word.startswith("free")} == expected
