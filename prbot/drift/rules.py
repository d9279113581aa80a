"""What to do about each attribute that drifted, and about the project as a whole.

The first rule that matches an attribute decides. Rules are asked only about what a plan would
change: a value that the code says by now (`adopts`), or that the plan leaves (`ignored`), is
nothing to correct.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from prbot.config.drift import DriftRule, DriftSettings, Reaction
from prbot.plans.configured import bare, configuration
from prbot.plans.plan import Action, Change, Plan
from prbot.plans.sensitive import any_mark
from prbot.plans.threeway import Verdict, drift, verdicts

STRENGTH = tuple(Reaction)
"""Weakest first."""
AT_REST = (Verdict.ADOPTS, Verdict.IGNORED, Verdict.CHANGE)
"""Nothing that a plan would take back."""


@dataclass(frozen=True)
class Drift:
    """One attribute that somebody else changed; None stands for an object that is gone.

    The names are the plan's own: not fit to be shown before they are veiled.
    """

    address: str
    type: str
    attribute: str | None
    verdict: Verdict


@dataclass(frozen=True)
class Decided:
    """What is done about it. `rule` counts from 0; None: no rule was asked, or none matched.
    `lapsed` are rules that would have matched before their date."""

    drift: Drift
    action: Reaction
    rule: int | None = None
    lapsed: tuple[int, ...] = ()


def drifts(plan: Plan) -> tuple[Drift, ...]:
    """What others changed, in the plan's order. Raises BadPlan for endless nesting."""
    types = {resource.address: resource.type for resource in plan.resource_drift}
    return tuple(
        Drift(one.address, types.get(one.address, ""), one.attribute, one.verdict)
        for one in drift(plan)
    )


def decide(settings: DriftSettings, drift: Drift, environment: str | None, today: date) -> Decided:
    """`today` is the day in UTC, on which a rule's `until` still holds; `environment` None is
    a project in none, or one whose environment nobody knows here."""
    if drift.verdict in AT_REST:
        return Decided(drift, Reaction.IGNORE)
    lapsed: list[int] = []
    for number, rule in enumerate(settings.rules):
        if not _matches(rule, drift, environment):
            continue
        if rule.until is None or today <= rule.until:
            return Decided(drift, rule.action, number, tuple(lapsed))
        lapsed.append(number)
    return Decided(drift, settings.default, None, tuple(lapsed))


def _matches(rule: DriftRule, drift: Drift, environment: str | None) -> bool:
    return (
        _any(rule.type, drift.type)
        and (rule.address is None or any(covers(each, drift.address) for each in rule.address))
        and _any(rule.attribute, drift.attribute)
        and _any(rule.environment, environment)
    )


def _any(patterns: Sequence[str] | None, text: str | None) -> bool:
    """Whether nothing is asked for, or one of the patterns matches what is there."""
    if patterns is None:
        return True
    return text is not None and any(alike(pattern, text) for pattern in patterns)


def covers(pattern: str, address: str) -> bool:
    """Whether a pattern is the address, or what it stands in: as with `-target`, a resource
    covers its instances and a module all that is in it."""
    ends = (at for at, sign in enumerate(address) if sign in ".[")
    return alike(pattern, address) or any(alike(pattern, address[:end]) for end in ends)


def alike(pattern: str, text: str) -> bool:
    """Whether the pattern is all of the text: `*` is anything, `?` one character.

    In time proportional to the product of both lengths, whatever the pattern.
    """
    at, star, mark, place = 0, -1, 0, 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, mark, at = at, place, at + 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:  # let the last `*` take one character more
            mark, at = mark + 1, star + 1
            place = mark
        else:
            return False
    return set(pattern[at:]) <= {"*"}


# --- the project as a whole ----------------------------------------------------------------


@dataclass(frozen=True)
class Beyond:
    """What a plan would do that no drift explains: `more` changes, and whether it `loses`
    (deletes or replaces) anything."""

    more: bool = False
    loses: bool = False


def beyond(plan: Plan) -> Beyond:
    """Changes of the code that were not applied (a conflict is one, too: the code wants a third
    value), and whatever else the plan would do."""
    found, following = verdicts(plan), _following(plan)
    gone = {one.address for one in found if one.verdict is Verdict.GONE}
    back = {one.address for one in found if one.verdict is Verdict.REVERTS}
    acts = [one for one in plan.resource_changes if one.managed]
    changed = any(
        one.verdict is Verdict.CONFLICT
        or (
            one.verdict is Verdict.CHANGE
            and not (one.address in back and (one.address, one.attribute) in following)
        )
        for one in found
    )
    return Beyond(
        more=changed
        or bool(plan.action_invocations or plan.deferred_changes)
        or any(_is_code(one, bool(gone or back)) for one in plan.output_changes.values())
        or any(_is_more(one.change.action, one.address in gone) for one in acts)
        or any(one.imported or one.moved for one in acts),
        loses=any(one.change.action in (Action.DELETE, Action.REPLACE) for one in acts),
    )


def _following(plan: Plan) -> set[tuple[str, str | None]]:
    """Attributes that the code does not name and that are known after the apply alone: where a
    resource is put back, they follow from that."""
    code = configuration(plan)
    found: set[tuple[str, str | None]] = set()
    for one in plan.resource_changes:
        marks, block = one.change.after_unknown, code.get(bare(one.address))
        if one.managed and isinstance(marks, dict) and block is not None:
            found |= {(one.address, n) for n in marks if any_mark(marks[n]) and not block.names(n)}
    return found


def _is_code(output: Change, put_back: bool) -> bool:
    """An output that follows from what is put back has in the state the value that it gets again,
    or is known after the apply; every other change of one is the code's."""
    if output.action is Action.NO_OP:
        return False
    follows = put_back and any_mark(output.after_unknown)
    return not (output.action is Action.UPDATE and follows)


def _is_more(action: Action, gone: bool) -> bool:
    """An object that others deleted is created again; everything else that comes or goes is
    the code's."""
    return action in (Action.DELETE, Action.FORGET) or (action is Action.CREATE and not gone)


def of_project(decided: Iterable[Decided], beyond: Beyond) -> Reaction | None:
    """The weakest of what its attributes want: one plan corrects all of them or none.

    None: nothing drifted. What a rule ignores although the plan would change it keeps the rest
    from being corrected: it would be changed with it.
    """
    known = tuple(decided)
    open_ones = [one for one in known if one.drift.verdict not in AT_REST]
    if not known:
        return None
    wanted = {one.action for one in open_ones} - {Reaction.IGNORE}
    if not wanted:
        return Reaction.IGNORE
    weakest = min(wanted, key=STRENGTH.index)
    if any(one.action is Reaction.IGNORE for one in open_ones):
        return Reaction.ALERT
    blocked = weakest is Reaction.AUTO and (beyond.more or beyond.loses)
    return Reaction.ALERT if blocked else weakest
