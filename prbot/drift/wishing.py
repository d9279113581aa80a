"""What becomes of somebody's word that a pull request shall correct drift.

A check's plan is thrown away, so the word is kept until a check of the project has seen anew
what is live. What the issue showed them is what they meant: other drift is not proposed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prbot.config.drift import Proposal, Reaction
from prbot.drift.adopt import Refusal
from prbot.drift.correcting import Situation, why_not_correct, why_not_revert
from prbot.drift.issue import Section, facts_of
from prbot.drift.proposing import PROPOSED, branch_of
from prbot.drift.reading import TAKEN_BACK
from prbot.drift.rules import Beyond
from prbot.drift.state import Correction
from prbot.drift.trying import fingerprint
from prbot.model import Login, ProjectKey
from prbot.runs.reasons import Reason, Reasons

HOW = {Proposal.ADOPT: "adopt", Proposal.REVERT: "propose revert"}
"""What a correction is called that is a pull request: a plain `revert` is applied at once."""
GONE = Reason(
    "project", "the default branch has no such project any more", "there is nothing to do"
)

Name = tuple[str, str | None]
"""An address, and an attribute; None: the whole object."""


@dataclass(frozen=True)
class Wish:
    """`correction` is how it is kept: by whom, and the facts that the issue showed."""

    how: Proposal
    correction: Correction

    @property
    def by(self) -> Login:
        return self.correction.by or Login("")

    @property
    def command(self) -> str:
        return self.how.value


def wishes_of(corrections: Iterable[Correction], project: ProjectKey) -> tuple[Wish, ...]:
    """Those of a project to which nobody has answered, the oldest first."""
    named = {name: how for how, name in HOW.items()}
    return tuple(
        Wish(named[one.how], one)
        for one in corrections
        if one.project == project and one.how in named and one.by and one.outcome is None
    )


def why_not_propose(wish: Wish, section: Section | None) -> Reasons:
    """What stands against it once a check has ended; None: there was nothing to look at."""
    if section is None:
        return (GONE,)
    now = fingerprint(facts_of(section))
    here = Situation(section.verdict, Beyond(), now, section.checked_at)
    return why_not_correct(here) or why_not_revert(here, fingerprint(wish.correction.facts))


def left_alone(section: Section) -> frozenset[Name]:
    """What a plan would take back and a rule, or somebody's word, leaves as it is: the issue
    does not show it, so nobody meant it."""
    return frozenset(
        (one.address, one.attribute)
        for one in section.found
        if one.verdict in TAKEN_BACK and one.action is Reaction.IGNORE
    )


NOTHING = Reason("adopt", "a rule, or somebody's word, leaves all of it as it is", "change that")


def reasons_of(refused: Iterable[Refusal]) -> Reasons:
    """Why nothing could be written, one by one."""
    found = tuple(
        Reason("adopt", f"{_named(one)}: {one.why}", one.by_hand or "change the code by hand")
        for one in refused
    )
    return found or (NOTHING,)


def _named(one: Refusal) -> str:
    where = f" in `{one.where}`" if one.where else ""
    return f"`{one.address}{'' if one.attribute is None else f', {one.attribute}'}`{where}"


def askers_of(corrections: Iterable[Correction], number: int, branch: str) -> frozenset[str]:
    """Who asked for this pull request of ours, in lower case: also while its number is not noted
    yet, which the branch makes up for."""
    return frozenset(
        one.by.lower() for one in corrections if one.by is not None and _made(one, number, branch)
    )


def _made(one: Correction, number: int, branch: str) -> bool:
    if one.pull is not None:
        return one.pull.number == number
    begun = one.outcome in (None, PROPOSED)
    return begun and any(
        name == one.how and branch_of(how, one.project) == branch for how, name in HOW.items()
    )
