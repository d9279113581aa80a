"""What an interrupted apply left behind, out of the journal and a look at the state.

The journal knows what the apply told while it ran and which lock it held; the look, made
after the crash, what the state recorded of it and who holds the lock now. Nothing here is
guessed: a lock is called the apply's own only when it was seen while the apply ran.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from prbot.plans.record import StoredPlan
from prbot.runs.journal import JournalEntry
from prbot.runs.run import Job, JobKind, JobState, Run, Trouble
from prbot.runs.say import InterruptedReport, NextStep
from prbot.runs.state_look import Recorded, StateLock
from prbot.runs.told import Moment, Told, parsed, told_in

BEGAN, LOCKED, LOOKED, FREED = "apply began", "apply locked", "state looked", "state unlocked"
"""The journal's words, all with the apply's job as their subject."""


@dataclass(frozen=True)
class Found:
    """What a look wrote down. `recorded` holds only objects that the apply told of;
    `running`: something of the tool still ran."""

    recorded: tuple[Recorded, ...]
    lock: StateLock | None
    running: bool = False

    @property
    def detail(self) -> str:
        """As JSON, for the journal."""
        return json.dumps(asdict(self), sort_keys=True)


# --- what the journal holds ---------------------------------------------------------------


def found_in(entries: Iterable[JournalEntry], job_id: str) -> Found | None:
    """The newest look at what this apply left; None when there was none."""
    fields = _newest(entries, job_id, LOOKED)
    if fields is None:
        return None
    lock = fields.get("lock")
    return Found(
        tuple(Recorded(one["address"], one["id"]) for one in fields.get("recorded") or ()),
        StateLock(**lock) if lock else None,
        bool(fields.get("running")),
    )


def own_lock(entries: Iterable[JournalEntry], job_id: str) -> str | None:
    """The id of the lock this apply was seen to hold, unless we have broken it since."""
    known = tuple(entries)
    if _newest(known, job_id, FREED) is not None:
        return None
    fields = _newest(known, job_id, LOCKED) or {}
    return str(fields["id"]) if fields.get("id") else None


def place_in(entries: Iterable[JournalEntry], job_id: str) -> tuple[str, str]:
    """Where this apply's tool was started: the place's id, and the host's name."""
    fields = _newest(entries, job_id, BEGAN) or {}
    return str(fields.get("place", "")), str(fields.get("host", ""))


def lock_to_break(entries: Iterable[JournalEntry], job_id: str) -> str | None:
    """Its own lock's id, unless a look found that the lock is gone or another's by now."""
    known = tuple(entries)
    own, found = own_lock(known, job_id), found_in(known, job_id)
    if found is not None and (found.lock is None or found.lock.id != own):
        return None
    return own


def _newest(entries: Iterable[JournalEntry], job_id: str, action: str) -> dict[str, Any] | None:
    mine = [entry for entry in entries if (entry.subject, entry.action) == (job_id, action)]
    return parsed(mine[-1].detail) if mine else None


def interrupted_job(runs: Iterable[Run], job: Job) -> tuple[Run, Job] | None:
    """The newest interrupted apply of the job's project; `runs` newest first."""
    for run in runs:
        for other in run.jobs:
            stopped = other.kind is JobKind.APPLY and other.state is JobState.INTERRUPTED
            if stopped and other.project == job.project:
                return run, other
    return None


# --- the report -----------------------------------------------------------------------------


def report(
    job: Job, entries: tuple[JournalEntry, ...], plan: StoredPlan | None, blind: Trouble | None
) -> InterruptedReport:
    """What people need to know about the interrupted apply `job`.

    `plan` is the one it applied, if it is still stored; `blind` says why nobody could
    look at the state, when nobody could.
    """
    told, found = told_in(entries, job.id), found_in(entries, job.id)
    recorded = set(found.recorded) if found else set()
    ended = tuple(one for one in told if one.moment is Moment.COMPLETE)
    lost = tuple(one for one in ended if _is_lost(one, recorded)) if found else ()
    lock = found.lock if found else None
    ours = lock is not None and lock.id == own_lock(entries, job.id)
    running = found is not None and found.running
    unknown = _unknown(told)
    return InterruptedReport(
        project=job.project,
        plan=job.reviewed,
        unrecorded=lost,
        unsure=tuple(one for one in ended if one.action == "create") if not found else (),
        unknown=unknown,
        errored=tuple(one for one in told if one.moment is Moment.ERRORED),
        done=tuple(one for one in ended if one not in lost),
        not_begun=_not_begun(told, plan),
        lock=lock,
        lock_is_ours=ours,
        running=running,
        blind=blind if found is None else None,
        next=_next(running, found is None, lock, ours, bool(lost)),
    )


def _is_lost(one: Told, recorded: set[Recorded]) -> bool:
    """Created, and the state does not hold exactly this object."""
    return one.action == "create" and not _is_recorded(one, recorded)


def _is_recorded(one: Told, recorded: set[Recorded]) -> bool:
    if one.id_key == "id":
        return Recorded(one.address, one.id) in recorded
    return any(other.address == one.address for other in recorded)


def _unknown(told: tuple[Told, ...]) -> tuple[Told, ...]:
    """Begun, and no end was told."""
    open_ones: dict[tuple[str, str], Told] = {}
    for one in told:
        if one.moment is Moment.BEGAN:
            open_ones[one.address, one.action] = one
        else:
            open_ones.pop((one.address, one.action), None)
    return tuple(open_ones.values())


def _not_begun(told: tuple[Told, ...], plan: StoredPlan | None) -> int | None:
    """How many planned changes were not even begun; None when the plan is gone."""
    if plan is None:
        return None
    counts = plan.summary.counts
    planned = counts.create + counts.update + counts.replace + counts.delete
    return max(0, planned - len({one.address for one in told}))


def _next(running: bool, blind: bool, lock: StateLock | None, ours: bool, lost: bool) -> NextStep:
    """One step at a time, each safe because those before it were taken."""
    if running:
        return NextStep.WAIT
    if blind:
        return NextStep.LOOK
    if lock is not None:
        return NextStep.UNLOCK if ours else NextStep.ASK
    return NextStep.IMPORT if lost else NextStep.PLAN
