"""When a pull request is merged by itself, and when it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    DONE_MERGED,
    NEW_HEAD,
    RULES,
    World,
    applying,
    by_comment,
    by_event,
    earlier,
    keys,
    plan,
    planned,
    planning,
    pull,
    words,
)

from prbot.config.per_repository import Allowed
from prbot.config.repo import Automerge, MergeMethod
from prbot.plans.record import StoredPlan
from prbot.projects.gone import Gone
from prbot.runs.run import Ask, AskKind, JobState

LET = frozenset({Allowed.AUTOMERGE})
ON = replace(RULES, automerge=Automerge())
SQUASH = replace(RULES, automerge=Automerge(method=MergeMethod.SQUASH, delete_branch=True))
DONE = plan("a", 1, applied=True)
NOTHING = plan("b", 2, changes=0)
OPEN = plan("b", 2)
TARGETED = replace(DONE, inputs=replace(DONE.inputs, asked=("-target=x",)))


def applied(*plans: StoredPlan, **odd: object) -> World:
    """An apply of project `a` that ended well, with these plans in the pull request."""
    usual: dict[str, object] = {
        "rules": ON,
        "allow": LET,
        "jobs": (applying(JobState.APPLIED),),
        "plans": plans,
        "projects": "a b",
    }
    return World(by_comment(AskKind.APPLY), **{**usual, **odd})  # type: ignore[arg-type]


NO_MERGE = by_comment(AskKind.APPLY, no_merge=True)
FAILED = (planned(DONE), planning(JobState.FAILED, "b"))

ROWS: list[tuple[str, World, str]] = [
    ("all of it", applied(DONE), "merge merge"),
    ("the rest has no changes", applied(DONE, NOTHING), "merge merge"),
    ("as configured", applied(DONE, rules=SQUASH), "merge squash change"),
    ("not configured", applied(DONE, rules=RULES), ""),
    ("not allowed", applied(DONE, allow=frozenset()), ""),
    ("asked not to", replace(applied(DONE), ask=NO_MERGE), ""),
    ("something is left", applied(DONE, OPEN), ""),
    ("something is not planned", applied(DONE, others=(earlier(*FAILED),)), ""),
    ("only a part was applied", applied(TARGETED), ""),
    ("it failed", applied(DONE, jobs=(applying(JobState.FAILED),)), ""),
    ("it was interrupted", applied(DONE, jobs=(applying(JobState.INTERRUPTED),)), ""),
    ("the head moved on", applied(DONE, pull=pull(head_sha=NEW_HEAD), laid_out_at=DONE.head), ""),
    ("a draft by now", applied(DONE, pull=pull(draft=True)), ""),
    ("closed by now", applied(DONE, pull=pull(open=False)), ""),
    ("a fork", applied(DONE, pull=pull(head_repo="stranger/infra")), ""),
    ("a state is left to nobody", applied(DONE, gone=(Gone(keys("old")[0]),)), ""),
    ("merged by now", applied(DONE, pull=DONE_MERGED), ""),
]


@pytest.mark.parametrize(("world", "expected"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS])
def test_merging(world: World, expected: str) -> None:
    """It merges once everything is applied, if repository and operator want it."""
    merging = {word for word in words(world.outcome()) if word.startswith("merge ")}
    assert merging == ({expected} if expected else set())


@pytest.mark.parametrize("ask", [by_event(AskKind.PLAN), by_comment(AskKind.PLAN)])
def test_only_an_apply_merges(ask: Ask) -> None:
    """It does not merge because a plan has nothing to do."""
    jobs = (planned(replace(NOTHING, run_id="r-now")),)  # type: ignore[arg-type]
    world = World(ask, rules=ON, allow=LET, jobs=jobs, plans=(NOTHING,), projects="b")
    assert not any(word.startswith("merge ") for word in words(world.outcome()))
