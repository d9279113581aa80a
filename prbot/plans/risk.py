"""How careful should one be? Low, medium or high, and always why.

No score: a level is the highest of its reasons. What counts is what is lost for good
(deleting or replacing what holds data), then what others rely on meanwhile (network,
names, rights), then what somebody changed by hand and this plan overrules. Production is
judged one step more strictly.

Not promised: that low is safe. The words say what prbot knows, not what it does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from prbot.model import ProjectKey
from prbot.plans.plan import Action, Plan, ResourceChange
from prbot.plans.reasons import because
from prbot.plans.sensitive import Veil
from prbot.plans.statefulness import Statefulness, statefulness
from prbot.plans.text import address_text, single_line
from prbot.plans.threeway import Judged, Verdict

MOST_REASONS = 10
MANY = 10
"""So many deletions and replacements at once are a high risk, unless all are repeatable."""

_PRODUCTION = re.compile(
    r"(?<![a-z])(?<!non[-_. ])(?<!pre[-_. ])(?:prod|prd|production|live)(?![a-z])", re.IGNORECASE
)


class Level(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


_ORDER = (Level.LOW, Level.MEDIUM, Level.HIGH)


@dataclass(frozen=True)
class Risk:
    """`reasons` are those for this level, the gravest first; at most MOST_REASONS and a
    last one that counts the others. Addresses in them stand in back-quotes, veiled."""

    level: Level = Level.LOW
    reasons: tuple[str, ...] = ()


NO_RISK = Risk()
"""What plans stand with that were stored before there was a judgement."""


def is_production(environment: str | None) -> bool:
    """Whether an environment's name says so: `prod`, `eu-production`, `live-2`."""
    return bool(environment and _PRODUCTION.search(environment))


def environment_of(project: ProjectKey) -> str | None:
    """What a project's environment seems to be called: its workspace, else the innermost
    directory that says production; None where neither tells."""
    if project.workspace != "default":
        return project.workspace
    parts = reversed(project.dir.split("/"))
    return next((part for part in parts if is_production(part)), None)


def resource_risk(resource: ResourceChange, environment: str | None, hide: Veil) -> Risk:
    """The risk of one change, with its one reason."""
    level = _level(resource, is_production(environment))
    return Risk(level, (_reason(resource, environment, hide),))


def plan_risk(plan: Plan, drifted: Sequence[Judged], environment: str | None, hide: Veil) -> Risk:
    """The highest risk of all that the plan does, with the reasons for just that level."""
    findings = list(_findings(plan, drifted, environment, hide))
    level = max((finding[0] for finding in findings), key=_ORDER.index, default=Level.LOW)
    if level is Level.LOW:
        return Risk(level, (_harmless(plan),))
    found = [words for each, words in findings if each is level]
    most = len(found) if len(found) == MOST_REASONS + 1 else MOST_REASONS
    more = (f"and {len(found) - most:,} more reasons",) if len(found) > most else ()
    return Risk(level, (*(words() for words in found[:most]), *more))


_Finding = tuple[Level, Callable[[], str]]
"""The reason is worded when it is told: a plan may have many thousands."""


def _findings(
    plan: Plan, drifted: Sequence[Judged], environment: str | None, hide: Veil
) -> Iterator[_Finding]:
    """Every level that something asks for, and why; losses first."""
    acting = [r for r in plan.resource_changes if r.managed and r.change.action in _VERBS]
    lost = [r for r in acting if r.change.action in _LOST]
    production = is_production(environment)
    if sum(statefulness(r.type) is not Statefulness.REPEATABLE for r in lost) >= MANY:
        yield Level.HIGH, lambda: f"deletes or replaces {len(lost):,} resources at once"
    for resource in sorted(acting, key=lambda r: r.change.action not in _LOST):
        yield _level(resource, production), partial(_reason, resource, environment, hide)
    for judged in drifted:
        if judged.verdict in _OVERRULED:
            yield Level.MEDIUM, partial(_overruled, judged, hide)
    failing = sum(check.status in ("fail", "error") for check in plan.checks)
    if failing:
        yield Level.MEDIUM, lambda: f"{failing} check{'s' * (failing > 1)} did not pass"


_OVERRULED = (Verdict.GONE, Verdict.CONFLICT, Verdict.REVERTS)


def _overruled(judged: Judged, hide: Veil) -> str:
    where = f"`{address_text(judged.address, hide)}`"
    name = f"`{single_line(judged.attribute or '', 120)}`"
    if judged.verdict is Verdict.GONE:
        return f"{where} was deleted outside of the code"
    if judged.verdict is Verdict.CONFLICT:
        return f"{name} of {where} was changed by hand and in the code"
    return f"reverts {name} of {where}, which was changed by hand"


# --- one resource -----------------------------------------------------------------------------

_LOST = {Action.DELETE, Action.REPLACE}
_VERBS = {
    Action.DELETE: "deletes",
    Action.REPLACE: "replaces",
    Action.UPDATE: "updates",
    Action.CREATE: "creates",
    Action.FORGET: "forgets",
}
_WORDS = {
    Statefulness.DATA: "which holds data",
    Statefulness.ACCESS: "which others reach or are allowed things by",
    Statefulness.REPEATABLE: "",
    Statefulness.UNKNOWN: "of which prbot does not know what it holds",
}


def _level(resource: ResourceChange, production: bool) -> Level:
    action, kind = resource.change.action, statefulness(resource.type)
    if action in _LOST:
        return _ORDER[_steps_of_loss(kind, production, resource.change.create_first)]
    if action is Action.UPDATE and kind is Statefulness.ACCESS:
        return Level.MEDIUM
    if action is Action.UPDATE and kind is Statefulness.DATA and production:
        return Level.MEDIUM
    return Level.LOW


def _steps_of_loss(kind: Statefulness, production: bool, create_first: bool) -> int:
    match kind:
        case Statefulness.DATA:
            return 2
        case Statefulness.ACCESS:  # no gap where the new one stands before the old one goes
            return 1 + production - create_first
        case Statefulness.UNKNOWN:
            return 1 + production
        case Statefulness.REPEATABLE:
            return 0


def stake(resource: ResourceChange, environment: str | None) -> str:
    """What is at stake with a change, to stand behind the address: `which holds data`."""
    action, kind = resource.change.action, statefulness(resource.type)
    told = action in _LOST or (action is Action.UPDATE and kind is not Statefulness.UNKNOWN)
    words = _WORDS[kind] if told else ""
    place = f", in {single_line(environment or '', 60)}" if is_production(environment) else ""
    return words + (place if words else "")


def _reason(resource: ResourceChange, environment: str | None, hide: Veil) -> str:
    action = resource.change.action
    why = next(because(resource, hide), "") if action in _LOST else ""
    verb = f"{_VERBS.get(action, 'keeps')} `{address_text(resource.address, hide)}`"
    words = stake(resource, environment)
    return verb + (f", {words}" if words else "") + (f" ({why})" if why else "")


def _harmless(plan: Plan) -> str:
    """Why the risk is low."""
    actions = {r.change.action for r in plan.resource_changes if r.managed}
    if actions & _LOST:
        return "what is deleted or replaced can be made again from the configuration"
    acts = actions & _VERBS.keys()
    return "nothing is deleted or replaced" if acts else "no resource is changed"
