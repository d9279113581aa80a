"""What is said and done about an interrupted apply, out of the journal."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from scenes import PULL, World, applying, at, by_comment, earlier, job, lock, only, plan, words

from prbot.model import Permission
from prbot.plans.summary import Counts
from prbot.runs.interrupted import BEGAN, FREED, LOCKED, LOOKED, Found, lock_to_break, report
from prbot.runs.journal import JournalEntry
from prbot.runs.run import AskKind, Job, JobKind, JobState, RunState, Trouble
from prbot.runs.say import InterruptedReport, NextStep, Refusal
from prbot.runs.state_look import Recorded, StateLock
from prbot.runs.steps import Say
from prbot.runs.told import Moment, Told

APPLY = applying(JobState.INTERRUPTED)
BLIND = Trouble("`terraform init` failed.")


def entry(action: str, detail: str, subject: str = APPLY.id) -> JournalEntry:
    return JournalEntry(at(26), PULL, None, subject, action, detail)


def told(moment: Moment, address: str, known: str = "", action: str = "create") -> JournalEntry:
    one = Told(moment, address, action, address.split(".")[0], "id" if known else "", known)
    return entry(moment.value, one.detail)


def looked(*recorded: tuple[str, str], lock: str = "", running: bool = False) -> JournalEntry:
    found = Found(
        tuple(Recorded(*one) for one in recorded), StateLock(lock) if lock else None, running
    )
    return entry(LOOKED, found.detail)


MADE = (told(Moment.BEGAN, "t.a"), told(Moment.COMPLETE, "t.a", "i-1"))
HELD = entry(LOCKED, json.dumps({"id": "L1"}))
FREE = entry(FREED, json.dumps({"id": "L1"}))


def told_of(entries: tuple[JournalEntry, ...], apply: Job = APPLY) -> InterruptedReport:
    return report(apply, entries, plan("a"), BLIND)


@pytest.mark.parametrize(
    ("entries", "lost", "step"),
    [
        ((*MADE, looked()), ["t.a"], NextStep.IMPORT),
        ((*MADE, looked(("t.a", "i-1"))), [], NextStep.PLAN),
        # a replacement: the state still holds the object from before
        ((*MADE, looked(("t.a", "i-0"))), ["t.a"], NextStep.IMPORT),
        ((*MADE, looked(("t.b", "i-1"))), ["t.a"], NextStep.IMPORT),
        # without an id nothing but the address can be compared
        ((told(Moment.COMPLETE, "t.a"), looked(("t.a", ""))), [], NextStep.PLAN),
        ((told(Moment.COMPLETE, "t.a"), looked()), ["t.a"], NextStep.IMPORT),
        ((told(Moment.COMPLETE, "t.a", "i-1", "update"), looked()), [], NextStep.PLAN),
        ((told(Moment.COMPLETE, "t.a", "", "delete"), looked()), [], NextStep.PLAN),
        ((looked(),), [], NextStep.PLAN),
        ((), [], NextStep.LOOK),
        (MADE, [], NextStep.LOOK),
        ((*MADE, looked(running=True)), ["t.a"], NextStep.WAIT),
        ((*MADE, HELD, looked(lock="L1")), ["t.a"], NextStep.UNLOCK),
        ((*MADE, HELD, looked(lock="L1", running=True)), ["t.a"], NextStep.WAIT),
        ((*MADE, HELD, looked(lock="L2")), ["t.a"], NextStep.ASK),
        ((*MADE, looked(lock="L1")), ["t.a"], NextStep.ASK),
        ((*MADE, HELD, looked()), ["t.a"], NextStep.IMPORT),
        # the newest look counts, and other jobs' entries do not
        ((*MADE, looked(), looked(("t.a", "i-1"))), [], NextStep.PLAN),
        ((replace(HELD, subject="j-other"), looked(lock="L1")), [], NextStep.ASK),
    ],
)
def test_what_is_lost_and_what_to_do(
    entries: tuple[JournalEntry, ...], lost: list[str], step: NextStep
) -> None:
    """It names what was created and not recorded, and one step that is safe now."""
    told = told_of(entries)
    assert [one.address for one in told.unrecorded] == lost
    assert told.next is step


def test_nobody_looked() -> None:
    """It tells why, and calls nothing lost that may well be recorded."""
    told = told_of(MADE)
    assert told.blind == BLIND
    assert [one.address for one in told.unsure] == ["t.a"]
    assert told_of((*MADE, looked())).blind is None


def test_what_is_not_known() -> None:
    """It tells begun, failed and never begun changes apart."""
    begun = [told(Moment.BEGAN, f"t.{name}") for name in "abc"]
    ended = [told(Moment.COMPLETE, "t.a", "i-1"), told(Moment.ERRORED, "t.b")]
    five = plan("a")
    five = replace(five, summary=replace(five.summary, counts=Counts(create=4, delete=1)))
    found = report(APPLY, (*begun, *ended, looked()), five, None)
    assert [one.address for one in found.unknown] == ["t.c"]
    assert [one.address for one in found.errored] == ["t.b"]
    assert found.not_begun == 2
    assert report(APPLY, (*begun, *ended, looked()), None, None).not_begun is None


@pytest.mark.parametrize(
    ("entries", "lock_id"),
    [
        ((), None),
        ((HELD,), "L1"),
        ((HELD, looked(lock="L1")), "L1"),
        ((HELD, looked(lock="L2")), None),
        ((HELD, looked()), None),
        ((looked(lock="L1"),), None),
        ((HELD, looked(lock="L1"), FREE), None),
        ((entry(BEGAN, "{}"), entry(LOCKED, "{}")), None),
    ],
)
def test_lock_to_break(entries: tuple[JournalEntry, ...], lock_id: str | None) -> None:
    """It is a lock that the apply was seen to hold, and nobody else's."""
    assert lock_to_break(entries, APPLY.id) == lock_id


# --- prbot unlock ---------------------------------------------------------------------------

LEFT = earlier(APPLY, kind=AskKind.APPLY, state=RunState.INTERRUPTED)
ASK = by_comment(AskKind.UNLOCK)


def unlocking(*jobs: Job, **changes: object) -> World:
    world = World(ASK, others=(LEFT,), locks=(lock("a"),), journal=(HELD, looked(lock="L1")))
    return replace(world, jobs=jobs or None, **changes)


FORCING = job(JobKind.FORCE_UNLOCK, JobState.RUNNING)
UNLOCKS = {
    "the apply's lock is left": (unlocking(), {"force unlock a=p1"}),
    "while it is broken": (unlocking(FORCING), set()),
    "broken": (unlocking(replace(FORCING, state=JobState.FREED)), {"state-unlocked", "done"}),
    "could not be broken": (
        unlocking(replace(FORCING, state=JobState.FAILED, trouble=BLIND)),
        {"refuse: state lock", "refused"},
    ),
    "it was broken before": (
        unlocking(journal=(HELD, looked(lock="L1"), FREE)),
        {"unlocked", "free a", "done"},
    ),
    "no lock was seen": (
        unlocking(journal=(looked(lock="L1"),)),
        {"unlocked", "free a", "done"},
    ),
    "another project is meant": (
        unlocking(ask=by_comment(AskKind.UNLOCK, select=only("b"))),
        {"unlocked", "done"},
    ),
    "by somebody who may only read": (
        unlocking(permission=Permission.READ),
        {"refuse: permission", "refused"},
    ),
}


@pytest.mark.parametrize(("world", "expected"), UNLOCKS.values(), ids=UNLOCKS)
def test_unlock(world: World, expected: set[str]) -> None:
    """It breaks the state's lock first and keeps the project; asked again, it lets go."""
    assert words(world.outcome()) == expected


def test_why_it_was_not_broken() -> None:
    """It tells the reason, with the project's name."""
    steps = unlocking(replace(FORCING, state=JobState.FAILED, trouble=BLIND)).outcome()
    (refusal,) = [step.message for step in steps if isinstance(step, Say)]
    assert isinstance(refusal, Refusal)
    assert refusal.reasons[0].message == "`a`: `terraform init` failed."
