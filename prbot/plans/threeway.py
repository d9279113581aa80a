"""Three values of each attribute, one verdict: who changed it, the code or somebody else?

`resource_drift.before` is what was last applied, `resource_changes.before` what is live,
`resource_changes.after` what is wanted. Null, `""`, `[]` and `{}` count as the same, for
providers turn one into another between two plans; so phantom drift is none.

What is not promised: to tell `ignore_changes` from a value that the code computes. Where
the plan leaves a changed value alone and no constant in the configuration equals it, the
verdict is `ignored`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from prbot.plans.configured import Configured, bare, configuration
from prbot.plans.plan import Action, Change, Json, Plan, ResourceChange, not_too_deep
from prbot.plans.sensitive import any_mark


class Verdict(StrEnum):
    """`change`: the code alone. The others are drift: somebody else changed the live value.

    `reverts`: the plan puts the last applied value back. `adopts`: the code says the live
    value by now. `ignored`: the plan leaves it. `conflict`: the plan sets a third value.
    `gone`: somebody else deleted the object.
    """

    CHANGE = "change"
    REVERTS = "reverts"
    ADOPTS = "adopts"
    IGNORED = "ignored"
    CONFLICT = "conflict"
    GONE = "gone"


@dataclass(frozen=True)
class Judged:
    """One attribute; None stands for the whole object, which is `gone`.

    The names are the plan's own: not fit to be shown before they are veiled.
    """

    address: str
    attribute: str | None
    verdict: Verdict


@not_too_deep
def drift(plan: Plan) -> tuple[Judged, ...]:
    """What others changed, in the plan's order. Raises BadPlan for endless nesting."""
    planned = {resource.key: resource.change for resource in plan.resource_changes}
    code = configuration(plan) if plan.resource_drift else {}
    return tuple(
        judged
        for drifted in plan.resource_drift
        if drifted.managed
        for judged in _drift_of(
            drifted,
            _Wanted(planned.get(drifted.key), code.get(bare(drifted.address)), bool(plan.errored)),
        )
    )


@not_too_deep
def verdicts(plan: Plan) -> tuple[Judged, ...]:
    """Drift, and then what only the code changes; objects that come or go have no rows."""
    found = drift(plan)
    known = {(judged.address, judged.attribute) for judged in found}
    changes = (judged for r in plan.resource_changes if r.managed for judged in _changes_of(r))
    return (*found, *(c for c in changes if (c.address, c.attribute) not in known))


def _changes_of(resource: ResourceChange) -> Iterator[Judged]:
    if resource.change.action in (Action.UPDATE, Action.REPLACE):
        change = resource.change
        for name in _differing(_object(change.before), _object(change.after), change.after_unknown):
            yield Judged(resource.address, name, Verdict.CHANGE)


def _drift_of(drifted: ResourceChange, wanted: _Wanted) -> Iterator[Judged]:
    if drifted.change.action is Action.DELETE:
        yield Judged(drifted.address, None, Verdict.GONE)
        return
    applied, live = _object(drifted.change.before), _object(drifted.change.after)
    for name in _differing(applied, live):
        verdict = wanted.verdict(name, applied.get(name), live.get(name))
        yield Judged(drifted.address, name, verdict)


@dataclass(frozen=True)
class _Wanted:
    """What shall become of one resource: the planned change, and what the code says."""

    change: Change | None
    code: Configured | None
    errored: bool

    def verdict(self, name: str, applied: Json, live: Json) -> Verdict:
        if self.change is None or self.change.action in (Action.FORGET, Action.NO_OP):
            return self._left(name, applied, live)
        if self.change.action is Action.DELETE:
            return Verdict.CONFLICT
        if any_mark(_marks(self.change.after_unknown, name)):
            # what the code does not name follows from the rest of the change
            named = self.code is not None and self.code.names(name)
            return Verdict.CONFLICT if named else Verdict.IGNORED
        value = _object(self.change.after).get(name)
        if same(value, live):
            return self._left(name, applied, live)
        return Verdict.REVERTS if same(value, applied) else Verdict.CONFLICT

    def _left(self, name: str, applied: Json, live: Json) -> Verdict:
        """The plan leaves the live value alone, or broke off before it came to it."""
        if self.code is not None and self.code.says(name, live):
            return Verdict.ADOPTS
        if self.change is not None or not self.errored:
            return Verdict.IGNORED
        back = self.code is not None and self.code.says(name, applied)
        return Verdict.REVERTS if back else Verdict.CONFLICT


def _differing(
    old: Mapping[str, Json], new: Mapping[str, Json], unknown: Json = False
) -> list[str]:
    marks = unknown if isinstance(unknown, dict) else {}
    names = sorted({*old, *new, *marks})
    return [n for n in names if any_mark(marks.get(n)) or not same(old.get(n), new.get(n))]


def same(one: Json, two: Json) -> bool:
    """Equal as JSON, where null and everything empty are the same; `true` is not 1."""
    if isinstance(one, str) and isinstance(two, str):
        return one == two
    if _empty(one) or _empty(two):
        return _empty(one) and _empty(two)
    if isinstance(one, dict) and isinstance(two, dict):
        return all(same(one.get(key), two.get(key)) for key in one.keys() | two.keys())
    if isinstance(one, list) and isinstance(two, list):
        alike = len(one) == len(two)
        return alike and all(same(a, b) for a, b in zip(one, two, strict=True))
    return isinstance(one, bool) is isinstance(two, bool) and bool(one == two)


def _empty(value: Json) -> bool:
    if isinstance(value, dict):
        return all(map(_empty, value.values()))
    return value is None or value in ("", [])


def _marks(tree: Json, name: str) -> Json:
    return tree.get(name, False) if isinstance(tree, dict) else tree


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
