"""Commands that name projects, on a pull request where some have names."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    World,
    applying,
    by_comment,
    earlier,
    keys,
    lock,
    only,
    plan,
    planned,
    planning,
    words,
)

from prbot.model import Selector
from prbot.runs.run import AskKind, JobState, Placed, Run, RunState, Trouble
from prbot.runs.say import Reason, Refusal
from prbot.runs.steps import Say

NAMES = {"a": "net", "b:blue": "app", "c": None}
PLANS = (plan("a", 1), plan("b:blue", 2), plan("c", 3))


def placed(run: Run) -> Run:
    """The run, with the names its projects had."""
    rows = tuple(Placed(keys(key)[0], name=name) for key, name in NAMES.items())
    return replace(run, placed=rows, projects=keys(" ".join(NAMES)))


PLANNED = placed(earlier(*map(planned, PLANS)))
LOCKS = (lock("a"), lock("b:blue"), lock("c"))


def asking(kind: AskKind, *names: str, others: tuple[Run, ...] = (PLANNED,)) -> World:
    ask = by_comment(kind, select=Selector(projects=names))
    return World(ask, plans=PLANS, others=others, locks=LOCKS)


RUNNING = placed(
    earlier(
        planning(JobState.RUNNING),
        planning(JobState.QUEUED, "b:blue"),
        planning(JobState.QUEUED, "c"),
        state=RunState.WORKING,
    )
)
ROWS = {
    "apply one": (asking(AskKind.APPLY, "net"), {"lock a", "apply a=p1"}),
    "apply one with a workspace": (
        asking(AskKind.APPLY, "app"),
        {"lock b (blue)", "apply b (blue)=p2"},
    ),
    "apply by a glob, nameless ones left out": (
        asking(AskKind.APPLY, "*"),
        {"lock a,b (blue)", "apply a=p1", "apply b (blue)=p2"},
    ),
    "apply what nothing is called": (asking(AskKind.APPLY, "nte"), {"refuse: project", "refused"}),
    "apply, half of it unknown": (
        asking(AskKind.APPLY, "net", "nte"),
        {"refuse: project", "refused"},
    ),
    "apply by a directory's name": (asking(AskKind.APPLY, "c"), {"refuse: project", "refused"}),
    "unlock one": (asking(AskKind.UNLOCK, "net"), {"free a", "unlocked", "done"}),
    "unlock what nothing is called": (
        asking(AskKind.UNLOCK, "nte"),
        {"refuse: project", "refused"},
    ),
    "cancel one": (
        asking(AskKind.CANCEL, "app", others=(RUNNING,)),
        {"stop plan b (blue)", "cancelled", "done"},
    ),
    "cancel what nothing is called": (
        asking(AskKind.CANCEL, "nte", others=(RUNNING,)),
        {"refuse: project", "refused"},
    ),
    "cancel where nothing was ever laid out": (
        asking(AskKind.CANCEL, "net", others=()),
        {"refuse: project", "refused"},
    ),
    "unlock one while it is applied": (
        asking(
            AskKind.UNLOCK,
            "net",
            others=(earlier(applying(JobState.RUNNING), kind=AskKind.APPLY), PLANNED),
        ),
        {"refuse: applying", "refused"},
    ),
}


@pytest.mark.parametrize(("world", "expected"), ROWS.values(), ids=ROWS)
def test_named(world: World, expected: set[str]) -> None:
    """It does what is asked of exactly the named projects, or nothing."""
    assert words(world.outcome()) == expected


def test_probable_name() -> None:
    """It says which name was probably meant."""
    (said,) = (s for s in asking(AskKind.APPLY, "nte").outcome() if isinstance(s, Say))
    assert isinstance(said.message, Refusal)
    assert said.message.reasons == (
        Reason(
            "project",
            "no project is named `nte` among the planned ones",
            "Did you mean `net`?",
        ),
    )


def test_a_renamed_project() -> None:
    """It goes by the name of the newest plan."""
    newer = replace(
        placed(earlier(planned(plan("a", 4)))), placed=(Placed(keys("a")[0], name="lan"),)
    )
    others = (newer, PLANNED)
    assert words(asking(AskKind.UNLOCK, "lan", others=others).outcome()) >= {"free a"}
    assert "free a" not in words(asking(AskKind.UNLOCK, "net", others=others).outcome())


def test_a_name_that_is_not_there_leaves_the_checks_alone() -> None:
    """It refuses `plan -p` of an unknown name: the code is no worse for it."""
    wrong = Trouble("no project is named `nte`", "Did you mean `net`?", refused=True)
    ask = by_comment(AskKind.PLAN, select=Selector(projects=("nte",)))
    assert words(World(ask, broken=wrong).outcome()) == {"refuse: project", "refused"}
    other = by_comment(AskKind.PLAN, select=only("a"))
    assert "failure" in words(World(other, broken=Trouble("It broke.")).outcome())
