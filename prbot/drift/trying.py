"""What corrections that were tried tell the next one, how one ends, and which are meant.

A correction is noted when it is asked for, begun as a run when nothing else looks at its
project, and settled with what its run came to, in the transaction that keeps that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from prbot.config.drift import Reaction
from prbot.drift.checking import CLEAN
from prbot.drift.correcting import Attempt, Ended
from prbot.drift.issue import Section
from prbot.drift.rules import AT_REST, Decided, Drift
from prbot.drift.state import Correction
from prbot.runs.reasons import Reason, Reasons
from prbot.runs.run import JobKind, JobState, Run

REVERT, AUTO = "revert", "auto"
APPLYING = (REVERT, AUTO)
"""Corrections that are applies; the others are pull requests."""
REFUSED = "refused"
"""How one ends that never began to apply, or was not proposed."""
MENDED = "mended"
"""An interrupted one, once a plan has shown that nothing is left to do."""


def under_way(one: Correction) -> bool:
    """It is asked for, or being carried out."""
    return one.how in APPLYING and one.outcome is None


def fingerprint(facts: Iterable[str]) -> str:
    """Equal for what an issue tells alike of a project."""
    return hashlib.sha256(json.dumps(sorted(set(facts))).encode()).hexdigest()


def attempts_of(corrections: Iterable[Correction]) -> tuple[Attempt, ...]:
    """Those that began to be carried out."""
    return tuple(
        Attempt(one.at, fingerprint(one.facts), None if one.outcome is None else Ended(one.outcome))
        for one in corrections
        if one.how in APPLYING and one.run is not None and _counts(one)
    )


def _counts(one: Correction) -> bool:
    return one.outcome is None or one.outcome in set(Ended)


def decided_of(section: Section) -> tuple[Decided, ...]:
    """What is to be done about each attribute that drifted, as people answered to it."""
    return tuple(
        Decided(Drift(one.address, "", one.attribute, one.verdict), one.action)
        for one in section.found
    )


def kept_back(section: Section) -> Reasons:
    """What a rule, or a person, leaves as it is: the plan would change it with the rest."""
    left = [
        one.name
        for one in section.found
        if one.action is Reaction.IGNORE and one.verdict not in AT_REST
    ]
    if not left:
        return ()
    what = "what is left as it is" if len(left) > 1 else f"`{left[0]}`, which is left as it is"
    way = "put the rest right from a pull request, or by hand"
    return (Reason("ignored", f"the plan would change {what}", way),)


def outcome_of(run: Run, section: Section | None) -> str:
    """How a correction ended. An apply of which no end is known is interrupted; one that no
    plan proves has failed."""
    applies = run.jobs_of(JobKind.APPLY)
    if not applies or applies[-1].state.never_began:
        return REFUSED
    if applies[-1].state is JobState.INTERRUPTED or not applies[-1].state.finished:
        return Ended.INTERRUPTED.value
    proven = section is not None and section.verdict in CLEAN
    if applies[-1].state is JobState.APPLIED and proven:
        return Ended.PROVEN.value
    return Ended.FAILED.value


def unproven(corrections: Iterable[Correction]) -> tuple[Correction, ...]:
    """Those that were interrupted, and that no plan has put an end to: one that changes nothing."""
    return tuple(one for one in corrections if one.outcome == Ended.INTERRUPTED)
