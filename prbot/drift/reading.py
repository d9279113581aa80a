"""One plan as a check reads it: what others changed, with what is to be done about each.

Where the plan's own code is what was applied, all that it would change was changed by others,
also where the state was refreshed in between and the plan's own account of drift is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from prbot.config.drift import DriftSettings, Reaction
from prbot.drift.issue import Found
from prbot.drift.rules import Beyond, beyond, decide, drifts
from prbot.drift.verdict import Planned
from prbot.plans.by_hand import ThreeValues
from prbot.plans.plan import Action, Change, Json, Plan, ResourceChange, not_too_deep
from prbot.plans.summary import Drifted, drift_of
from prbot.plans.threeway import Verdict, verdicts

TAKEN_BACK = (Verdict.REVERTS, Verdict.CONFLICT, Verdict.GONE)
"""What a plan does something about."""
DELETED = Change(("delete",))
ANYTHING = Beyond(more=True, loses=True)
"""What a plan may do that nobody has read."""


@dataclass(frozen=True)
class Read:
    """`planned` is what a verdict needs; `found` has a row for each attribute that drifted,
    fit to be shown. `beyond` is what else the plan would do, where its own code is known to be
    applied: what was refreshed into the state is no code. `providers` are those whose resources
    drifted, ignored ones aside, by source address."""

    planned: Planned
    found: tuple[Found, ...]
    beyond: Beyond = ANYTHING
    providers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Asked:
    """By what drift is judged. `today` is the day in UTC. `redact_values` takes out of what is
    to be shown all that is secret, before any of it is put together."""

    settings: DriftSettings
    environment: str | None
    today: date
    redact_values: Callable[[tuple[Drifted, ...]], tuple[Drifted, ...]]


def read(plan: Plan, digest: str, changes: bool, failing: int, proven: bool, asked: Asked) -> Read:
    """`digest`, `changes` and `failing` (checks) are known of the plan already; `proven`: its
    code is what was applied last. Raises BadPlan for endless nesting."""
    seen = as_drift(plan) if proven else plan
    rows = tuple(_found(seen, asked))
    told = tuple(one for one, _ in rows)
    drifted = any(each.verdict in TAKEN_BACK for each in told)
    planned = Planned(digest, changes, drifted, beyond(plan).more, failing)
    providers = frozenset(name for one, name in rows if one.action is not Reaction.IGNORE)
    return Read(planned, told, beyond(seen), providers)


def _found(plan: Plan, asked: Asked) -> Iterator[tuple[Found, str]]:
    """Each with the provider of its resource; an output has none."""
    providers = {each.address: each.provider_name for each in plan.resource_drift}
    told = asked.redact_values(drift_of(plan))
    for shown, one in zip(told, drifts(plan), strict=True):
        decided = decide(asked.settings, one, asked.environment, asked.today)
        rule, reason = None, ""
        if decided.rule is not None:
            rule = f"drift.rules[{decided.rule}]"
            reason = asked.settings.rules[decided.rule].reason or ""
        live, wanted = _values(shown)
        found = Found(
            shown.address,
            shown.attribute,
            shown.verdict,
            decided.action,
            rule,
            live,
            wanted,
            reason,
        )
        yield found, providers.get(one.address, "")


def _values(shown: Drifted) -> tuple[str, str]:
    live = ((each.path, each.live) for each in shown.values)
    wanted = ((each.path, each.wanted) for each in shown.values)
    return _together(shown.values, live), _together(shown.values, wanted)


def _together(rows: Sequence[ThreeValues], values: Iterable[tuple[str, str]]) -> str:
    """One value stands by itself; of several each is named."""
    if len(rows) == 1:
        return next(text for _, text in values)
    return ", ".join(f"{path} = {text}" for path, text in values)


# --- drift that was written into the state ---------------------------------------------------


@not_too_deep
def as_drift(plan: Plan) -> Plan:
    """The plan with all that it would change told as changed by others.

    What it would create is gone; what it would change or replace has the wanted values as those
    last applied. Values that are only known after the apply follow from others; so does every
    output, for it is what the same code makes of them.
    """
    told = {one.key: one for one in plan.resource_drift if one.managed}
    coded: dict[str, set[str]] = {}
    for one in verdicts(plan):
        if one.verdict is Verdict.CHANGE and one.attribute is not None:
            coded.setdefault(one.address, set()).add(one.attribute)
    rows = dict(told)
    for resource in plan.resource_changes:
        if resource.managed and (row := _as_drift(resource, told.get(resource.key), coded)):
            rows[resource.key] = row
    return replace(plan, resource_drift=tuple(rows.values()), output_changes={})


def _as_drift(
    resource: ResourceChange, told: ResourceChange | None, coded: Mapping[str, set[str]]
) -> ResourceChange | None:
    change = resource.change
    if change.action is Action.CREATE:
        gone = replace(DELETED, before=change.after, before_sensitive=change.after_sensitive)
        return told or replace(resource, change=gone)
    names = coded.get(resource.address, set())
    if change.action not in (Action.UPDATE, Action.REPLACE) or not names:
        return None
    applied = dict(_object(told.change.before if told else change.before))
    applied |= {n: v for n, v in _object(change.after).items() if n in names}
    changed = Change(
        ("update",),
        before=applied,
        after=change.before,
        before_sensitive=change.after_sensitive,
        after_sensitive=change.before_sensitive,
    )
    return replace(resource, change=changed)


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
