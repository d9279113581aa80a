"""Who may `plan`, `unlock` and `cancel` where permissions are set.

In `b` only alice and the team may, in `a` whoever can write. Who may `apply` stands in the
scenes of `prbot explain apply`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from scenes import RULES, WRONG, World, by_comment, by_event, earlier, lock, only, plan, planning

from prbot.config.environments import EnvironmentEntry, Environments, Needs
from prbot.config.repo import Effective
from prbot.model import Login, Permission, PlanId, RunId
from prbot.runs.decide import decide
from prbot.runs.run import Ask, AskKind, JobState, Run, RunState, Trouble
from prbot.runs.say import Refusal
from prbot.runs.steps import FreeLocks, Say, StartJob, StopJob, StopRun

TEAM = "@acme/sre"
WHO = ("alice", TEAM)
GUARDED = Needs(name="prod", allowed=dict.fromkeys(("plan", "unlock", "cancel"), (WHO,)))
RULED = replace(
    RULES,
    environments=Environments(Needs(), ((EnvironmentEntry(match=("b",)), GUARDED),)),
)
NOBODY: Mapping[str, frozenset[str] | None] = {TEAM: frozenset()}
CAROLS: Mapping[str, frozenset[str] | None] = {TEAM: frozenset({"carol"})}
UNKNOWN: Mapping[str, frozenset[str] | None] = {TEAM: None}
ALICE, BOB, CAROL = map(Login, ("alice", "bob", "carol"))


@dataclass(frozen=True)
class Asked:
    """Somebody asks for something, and what is known of the team."""

    ask: Ask
    teams: Mapping[str, frozenset[str] | None]
    rules: Effective | Trouble | None = RULED
    others: tuple[Run, ...] | None = None
    permission: Permission = Permission.WRITE

    def outcome(self) -> str:
        """`refused` for want of permission, or what is done."""
        laid_out = () if self.ask.kind is AskKind.PLAN else None
        plans = (plan("a"), plan("b", 2))
        world = World(
            self.ask,
            projects=" ".join(self.ask.select.dirs) or "a b",
            plans=plans,
            locks=(lock("a"), lock("b")),
            jobs=laid_out,
            others=self.others,
            permission=self.permission,
        )
        run = world.run()
        scene = replace(world.scene(run), rules=self.rules, teams=self.teams)
        steps = decide(run, scene)
        for refusal in (step.message for step in steps if isinstance(step, Say)):
            if isinstance(refusal, Refusal):
                assert {reason.requirement for reason in refusal.reasons} == {"permission"}
                assert not any(isinstance(s, FreeLocks | StopJob | StopRun) for s in steps)
                return "refused"
        done = [
            step for step in steps if isinstance(step, StartJob | FreeLocks | StopJob | StopRun)
        ]
        assert done
        return "done"


def asks(kind: AskKind, actor: Login, *dirs: str, **more: object) -> Ask:
    return by_comment(kind, actor, select=only(*dirs), **more)


RUNNING = (
    earlier(planning(JobState.RUNNING), planning(JobState.RUNNING, "b"), state=RunState.WORKING),
)


def resting(*dirs: str, plan_id: PlanId | None = None) -> tuple[Run, ...]:
    """An apply that waits, and has done nothing yet."""
    run = earlier(kind=AskKind.APPLY, state=RunState.WAITING, select=only(*dirs))
    ask = replace(run.ask, plan_id=plan_id)
    projects = tuple(each.project for each in (plan("a"), plan("b")))
    return (replace(run, id=RunId("r-rests"), ask=ask, projects=projects),)


GUARDS = {
    "whom the list names": (ALICE, ("b",), NOBODY, "done"),
    "whom it names in other letters": (Login("Alice"), ("b",), NOBODY, "done"),
    "a member of the team": (CAROL, ("b",), CAROLS, "done"),
    "somebody else": (BOB, ("b",), CAROLS, "refused"),
    "a team that could not be asked": (CAROL, ("b",), UNKNOWN, "refused"),
    "a team that nobody asked for": (CAROL, ("b",), {}, "refused"),
    "somebody named, although the team could not be asked": (ALICE, ("b",), UNKNOWN, "done"),
    "where everybody may": (BOB, ("a",), CAROLS, "done"),
    "everything, and one of it is guarded": (BOB, (), CAROLS, "refused"),
    "everything, by whom it names": (ALICE, (), NOBODY, "done"),
}
COMMANDS = (AskKind.PLAN, AskKind.UNLOCK, AskKind.CANCEL)


@pytest.mark.parametrize(("actor", "dirs", "teams", "expected"), GUARDS.values(), ids=GUARDS)
@pytest.mark.parametrize("kind", COMMANDS)
def test_guarded(
    kind: AskKind,
    actor: Login,
    dirs: tuple[str, ...],
    teams: Mapping[str, frozenset[str] | None],
    expected: str,
) -> None:
    """It is done for those whom the list names, and for nobody else; all of it or nothing."""
    others = RUNNING if kind is AskKind.CANCEL else None
    assert Asked(asks(kind, actor, *dirs), teams, others=others).outcome() == expected


CANCEL_B = asks(AskKind.CANCEL, BOB, "b")
CANCEL = asks(AskKind.CANCEL, BOB)
P2 = PlanId("p-000002")
ODD = {
    "an event plans what is guarded": (Asked(by_event(AskKind.PLAN), NOBODY), "done"),
    "named, but only reading": (
        Asked(asks(AskKind.UNLOCK, ALICE, "b"), NOBODY, permission=Permission.READ),
        "refused",
    ),
    "unlock without the rules": (
        Asked(asks(AskKind.UNLOCK, ALICE, "b"), NOBODY, rules=WRONG),
        "refused",
    ),
    "cancel without the rules": (Asked(CANCEL_B, NOBODY, rules=WRONG, others=RUNNING), "done"),
    "cancel before they are known": (Asked(CANCEL_B, NOBODY, rules=None, others=RUNNING), "done"),
    "cancel a guarded apply that waits": (
        Asked(CANCEL, NOBODY, others=resting("b")),
        "refused",
    ),
    "cancel one that waits with everything": (Asked(CANCEL, NOBODY, others=resting()), "refused"),
    "cancel one of a guarded plan that waits": (
        Asked(CANCEL, NOBODY, others=resting(plan_id=P2)),
        "refused",
    ),
    "cancel one that waits elsewhere": (Asked(CANCEL, NOBODY, others=resting("a")), "done"),
    "cancel one that waits, by whom it names": (
        Asked(asks(AskKind.CANCEL, ALICE), NOBODY, others=resting("b")),
        "done",
    ),
}


@pytest.mark.parametrize(("asked", "expected"), ODD.values(), ids=ODD)
def test_odd(asked: Asked, expected: str) -> None:
    """What waits is guarded like what runs; only stopping is possible without the rules."""
    assert asked.outcome() == expected
