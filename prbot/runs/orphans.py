"""What is known of states that nothing manages any more, out of the journal.

A run's INVENTORY jobs look at them and write down what they hold; people who accept to leave
something accept exactly what was listed then. Whoever changes the state or the change itself
afterwards is told again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from prbot.model import Login
from prbot.projects.gone import Gone
from prbot.projects.select import matches
from prbot.runs.journal import JournalEntry
from prbot.runs.run import Job, JobKind, JobState, Run, Trouble
from prbot.runs.scene import Scene
from prbot.runs.told import parsed

LISTED, ACCEPTED = "state listed", "orphans accepted"
"""The journal's words; the subject is the job that looked, or the run that accepted."""
MOST = 50
"""Addresses that are written down of one state."""
LONGEST = 300
UNREAD = "unread"


class Fate(StrEnum):
    """What the newest look at a state found."""

    EMPTY = "empty"
    HELD = "held"
    UNREADABLE = "unreadable"
    UNSEEN = "unseen"
    """Nobody has looked yet, or the look was stopped."""


@dataclass(frozen=True)
class Orphan:
    """A state nobody would manage: `count` resources, the first of them in `addresses`.

    `digest` is what somebody accepts; `seen_by` the run that looked, None while UNSEEN.
    """

    gone: Gone
    fate: Fate
    count: int = 0
    addresses: tuple[str, ...] = ()
    trouble: Trouble | None = None
    accepted_by: Login | None = None
    digest: str = ""
    seen_by: Run | None = None

    @property
    def settled(self) -> bool:
        """Nothing is left behind, or somebody said that it may be."""
        return self.fate is Fate.EMPTY or self.accepted_by is not None


def listing(addresses: Sequence[str]) -> str:
    """The journal's line about a state with these resources, as JSON."""
    whole = "\n".join(sorted(addresses))
    shown = [address[:LONGEST] for address in addresses[:MOST]]
    digest = hashlib.sha256(whole.encode()).hexdigest()
    return json.dumps({"count": len(addresses), "addresses": shown, "digest": digest})


def acceptance(orphan: Orphan) -> str:
    """The journal's line about what somebody accepts, as JSON."""
    return json.dumps(_accepts(orphan.gone, orphan.digest), sort_keys=True)


def _accepts(gone: Gone, digest: str) -> dict[str, str]:
    project = gone.project
    named = {"dir": project.dir, "workspace": project.workspace}
    return {**named, "address": gone.address, "now_at": gone.now_at, "digest": digest}


# --- what is known --------------------------------------------------------------------------


def orphans(run: Run, scene: Scene) -> tuple[Orphan, ...]:
    """What became of each state that the run's commit leaves without anybody."""
    return tuple(_orphan(gone, scene) for gone in run.gone)


def open_orphans(run: Run, scene: Scene) -> tuple[Orphan, ...]:
    return tuple(orphan for orphan in orphans(run, scene) if not orphan.settled)


def meant(run: Run) -> tuple[Gone, ...]:
    """The states that the run's command speaks of; names are those of living projects."""
    if run.ask.select.projects:
        return ()
    return tuple(gone for gone in run.gone if matches(gone.project, run.ask.select))


def digests(run: Run, scene: Scene) -> frozenset[tuple[str, str]] | None:
    """What this very run's looks found, to compare with another's; None when one failed."""
    looks = run.jobs_of(JobKind.INVENTORY)
    found = [(str(job.project), _found(scene.journal, job)) for job in looks]
    if any(each is None for _, each in found):
        return None
    return frozenset((name, str(each["digest"])) for name, each in found if each is not None)


def left_words(left: Sequence[Orphan]) -> str:
    """For a check: what stands against the change."""
    count = sum(orphan.count for orphan in left if orphan.fate is Fate.HELD)
    unknown = sum(orphan.fate is not Fate.HELD for orphan in left)
    held = f"{count} resource{'s' * (count != 1)} would be left to nobody"
    blind = f"{unknown} state{'s' * (unknown != 1)} left to nobody could not be read"
    return ", ".join([held] * bool(count) + [blind] * bool(unknown))


def _orphan(gone: Gone, scene: Scene) -> Orphan:
    looked = _newest_look(gone, scene)
    if looked is None:
        return Orphan(gone, Fate.UNSEEN)
    run, job = looked
    found = _found(scene.journal, job)
    if found is None:
        orphan = Orphan(gone, Fate.UNREADABLE, trouble=job.trouble, digest=UNREAD, seen_by=run)
    else:
        count, addresses = int(found["count"]), tuple(map(str, found["addresses"]))
        fate = Fate.HELD if count else Fate.EMPTY
        digest = str(found["digest"])
        orphan = Orphan(gone, fate, count, addresses, digest=digest, seen_by=run)
    return replace(orphan, accepted_by=_accepted_by(orphan, scene.journal))


def _newest_look(gone: Gone, scene: Scene) -> tuple[Run, Job] | None:
    """None also while one is under way: what it will find is not known yet."""
    for run in scene.runs:
        for job in run.jobs_of(JobKind.INVENTORY):
            if job.project == gone.project and gone in run.gone:
                if not job.state.finished:
                    return None
                if not job.state.never_began:
                    return run, job
    return None


def _found(journal: Iterable[JournalEntry], job: Job) -> Mapping[str, Any] | None:
    if job.state is not JobState.LOOKED:
        return None
    mine = [each for each in journal if (each.subject, each.action) == (job.id, LISTED)]
    return parsed(mine[-1].detail) if mine else None


def _accepted_by(orphan: Orphan, journal: Iterable[JournalEntry]) -> Login | None:
    wanted = _accepts(orphan.gone, orphan.digest)
    lines = (each for each in journal if each.action == ACCEPTED)
    return next((each.actor for each in lines if parsed(each.detail) == wanted), None)
