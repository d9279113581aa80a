"""What becomes of a pull request of prbot's own about drift, after each check of its project."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum

from prbot.drift.adopt import Wish, unproven
from prbot.drift.checking import CLEAN
from prbot.drift.issue import Section, facts_of
from prbot.drift.state import Correction, Standing
from prbot.drift.verdict import ProjectVerdict
from prbot.plans.plan import Plan, not_too_deep


class Fate(StrEnum):
    """`kept`: it is needed still, or nobody can tell. `proven`: it was applied, and the check
    shows that the drift is over. `over`: so do two checks, whoever did it. `other`: something
    else drifted, and nobody asks for that."""

    KEPT = "kept"
    PROVEN = "proven"
    OVER = "over"
    OTHER = "other"


def fate_of(
    one: Correction, before: Section | None, now: Section, applied: bool, again: bool
) -> Fate:
    """`before` is what the check before found, `applied` whether the project's last apply was
    this pull request's; `again`: it is proposed anew, as the project is now."""
    if now.verdict in CLEAN:
        if applied:
            return Fate.PROVEN
        twice = before is not None and before.verdict in CLEAN
        return Fate.OVER if twice else Fate.KEPT
    changed = set(facts_of(now)) != set(one.facts)
    other = now.verdict is ProjectVerdict.DRIFTED and changed and not again
    return Fate.OTHER if other else Fate.KEPT


def is_to_be_proven(standing: Standing, applied_at: datetime) -> bool:
    """It was applied since the last look at it. One that was put off comes by itself: asked for
    again, it would be put off every half minute."""
    seen = standing.checked_at is not None and standing.checked_at >= applied_at
    return standing.again_at is None and not seen


@not_too_deep
def still_changed(one: Correction, plan: Plan) -> tuple[str, ...]:
    """Of what drifted, what the pull request's own plan would still change: written into the code
    or left to people, a merge would take it back. Raises BadPlan for endless nesting."""
    names = (json.loads(fact)[1] for fact in one.facts)
    asked = (Wish(*_parted(name)) for name in names)
    return tuple(dict.fromkeys(_named(wish) for wish in unproven(plan, asked)))


def _parted(name: str) -> tuple[str, str | None]:
    """The address and the attribute of `drift.issue.Found.name`: no attribute has a comma."""
    address, comma, attribute = name.rpartition(", ")
    return (address, attribute) if comma else (name, None)


def _named(wish: Wish) -> str:
    return wish.address if wish.attribute is None else f"{wish.address}, {wish.attribute}"
