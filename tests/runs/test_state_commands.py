"""`import` and `state rm`: judged like an apply, begun once, then planned again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    CLOSED,
    COMMENTS_ONLY,
    DONE_MERGED,
    DRAFT,
    FORK,
    NO_APPROVALS,
    OTHER_PULL,
    RULES,
    World,
    applying,
    approval,
    at,
    by_comment,
    earlier,
    job,
    lock,
    only,
    plan,
    planned,
    planning,
    words,
)

from prbot.config.environments import Environments, Needs
from prbot.config.per_repository import Allowed
from prbot.config.repo import Effective
from prbot.errors.runs import IllegalTransition
from prbot.model import Permission, RunId, Selector
from prbot.runs.run import (
    STATE_JOBS,
    Ask,
    AskKind,
    JobKind,
    JobState,
    Run,
    RunState,
    check_job_move,
)


def rules(**needs: object) -> Effective:
    usual: dict[str, object] = {"approvals": ()}
    return replace(RULES, environments=Environments(Needs(**{**usual, **needs})))  # type: ignore[arg-type]


NO_EXTRA = rules(extra_arguments=False)
FOR_OTHERS = (("boss",),)
FOR_US = (("writer",),)
LET = frozenset({Allowed.IMPORT, Allowed.STATE_RM})


def wants(kind: AskKind = AskKind.IMPORT, **more: object) -> Ask:
    objects = ("a.b", "id") if kind is AskKind.IMPORT else ("a.b", "c.d")
    return replace(by_comment(kind, objects=objects, select=only("a")), **more)  # type: ignore[arg-type]


def world(ask: Ask | None = None, **odd: object) -> World:
    usual: dict[str, object] = {"rules": NO_APPROVALS, "allow": LET}
    return World(ask or wants(), **{**usual, **odd})  # type: ignore[arg-type]


def said_before(minute: float, **odd: object) -> tuple[Run, ...]:
    """The plan of the project, and the same command once before, answered at this minute."""
    run = earlier(state=RunState.REFUSED)
    ask = replace(wants(), **odd)  # type: ignore[arg-type]
    mine = replace(run, id=RunId("r-first"), ask=ask, told_at=at(minute))
    return (mine, earlier(planned(plan("a"))))


BUSY = (earlier(planning(JobState.RUNNING)),)
APPLYING = (earlier(applying(JobState.RUNNING), kind=AskKind.APPLY), earlier(planned(plan("a"))))

ROWS: list[tuple[str, World, str]] = [
    ("import", world(), "import a"),
    ("state rm", world(wants(AskKind.STATE_RM)), "state rm a"),
    ("the one affected project", world(wants(select=Selector())), "import a"),
    ("not allowed", world(allow=frozenset()), "server"),
    ("only the other is allowed", world(allow=frozenset({Allowed.STATE_RM})), "server"),
    ("a reader", world(permission=Permission.READ), "permission"),
    (
        "a server that only comments",
        world(rules=replace(COMMENTS_ONLY, environments=NO_APPROVALS.environments)),
        "mode",
    ),
    ("a draft", world(pull=DRAFT), "draft"),
    ("a fork", world(pull=FORK), "fork"),
    ("closed", world(pull=CLOSED), "open"),
    ("merged", world(pull=DONE_MERGED), "merged"),
    ("two projects", world(projects="a b"), "project"),
    ("no project", world(projects=""), "project"),
    ("apply is others'", world(rules=rules(allowed={"apply": FOR_OTHERS})), "permission"),
    ("import is others'", world(rules=rules(allowed={"import": FOR_OTHERS})), "permission"),
    (
        "import is ours, apply is not",
        world(rules=rules(allowed={"apply": FOR_OTHERS, "import": FOR_US})),
        "import a",
    ),
    (
        "state rm is others'",
        world(wants(AskKind.STATE_RM), rules=rules(allowed={"state rm": FOR_OTHERS})),
        "permission",
    ),
    ("held by another", world(locks=(lock("a", OTHER_PULL),)), "lock"),
    ("being planned", world(others=BUSY), "running"),
    ("being applied", world(others=APPLYING), "running"),
    ("found too late", world(wants(commented_at=at(-60))), "age"),
    ("no approval", world(rules=RULES, reviews=()), "approved"),
    ("approved before it was said", world(rules=RULES), "approved"),
    (
        "approved after it was said",
        world(rules=RULES, others=said_before(3), reviews=(approval(minute=5),)),
        "import a",
    ),
    (
        "approved before it was answered",
        world(rules=RULES, others=said_before(7), reviews=(approval(minute=5),)),
        "approved",
    ),
    (
        "another id was approved",
        world(rules=RULES, others=said_before(3, objects=("a.b", "other"))),
        "approved",
    ),
    (
        "of another project",
        world(rules=RULES, others=said_before(3, select=only("b"))),
        "approved",
    ),
    ("with arguments", world(wants(extra=("-var=x=y",))), "import a"),
    (
        "arguments are forbidden",
        world(wants(extra=("-var=x=y",)), rules=NO_EXTRA),
        "arguments",
    ),
]


@pytest.mark.parametrize(("scene", "expected"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS])
def test_asking(scene: World, expected: str) -> None:
    """It takes the project's lock and begins, or says what is in the way."""
    steps = words(scene.outcome())
    if expected in ("import a", "state rm a"):
        assert steps == {"lock a", expected}
    else:
        assert steps == {f"refuse: {expected}", "refused"}


@pytest.mark.parametrize("kind", STATE_JOBS)
def test_afterwards(kind: JobKind) -> None:
    """It tells what came of it, and plans again what was changed, and nothing else."""
    ask = wants(AskKind(kind.value))

    def after(state: JobState) -> set[str]:
        return words(world(ask, jobs=(job(kind, state),)).outcome())

    assert after(JobState.RUNNING) == set()
    assert after(JobState.CHANGED) == {"state-changed", "plan a"}
    assert after(JobState.FAILED) == {"state-changed", "failed"}
    assert after(JobState.INTERRUPTED) == {"state-changed", "interrupted"}
    made = plan("a", 2, run="r-now")
    done = world(ask, jobs=(job(kind, JobState.CHANGED), planned(made)), plans=(made, plan("a")))
    assert {"state-changed", "report", "done"} <= words(done.outcome())


@pytest.mark.parametrize("kind", STATE_JOBS)
@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.DROPPED, JobState.BLOCKED])
def test_never_twice(kind: JobKind, state: JobState) -> None:
    """It is never begun again once it runs, nor said not to have been begun."""
    with pytest.raises(IllegalTransition):
        check_job_move(kind, JobState.RUNNING, state)


def test_others_wait() -> None:
    """It keeps applies and unlocks away while it runs."""
    others = (earlier(job(JobKind.IMPORT, JobState.RUNNING)), earlier(planned(plan("a"))))
    for kind, reason in ((AskKind.APPLY, "applying"), (AskKind.UNLOCK, "applying")):
        assert f"refuse: {reason}" in words(World(by_comment(kind), others=others).outcome())


WAITS = earlier(kind=AskKind.APPLY, state=RunState.WAITING, select=only("a"))


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (Selector(), {"stop r-earlier", "cancelled", "done"}),
        (only("a"), {"stop r-earlier", "cancelled", "done"}),
        (only("b"), {"refuse: running", "refused"}),
    ],
)
def test_cancel_gives_up_what_it_names(select: Selector, expected: set[str]) -> None:
    """It leaves alone what waits for another project."""
    asked = World(by_comment(AskKind.CANCEL, select=select), others=(WAITS,))
    assert words(asked.outcome()) == expected


def test_version() -> None:
    """It tells prbot's own version to who can read, and the tools to who can write."""
    ask = by_comment(AskKind.VERSION)
    assert words(World(ask, permission=Permission.READ).outcome()) == {"versions", "done"}
    assert words(World(ask).outcome()) == {"version a"}
    looked = World(ask, jobs=(job(JobKind.VERSION, JobState.LOOKED),))
    assert words(looked.outcome()) == {"versions", "done"}
