"""Is a reviewed change live already? Then a fresh plan may do without it.

A change counts as live when every attribute that was known when it was reviewed has that very
value now, in the state that the fresh plan was made on. Only creations and updates can be:
whether something that was to be deleted is gone, or merely no longer managed, nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prbot.plans.canonical import dumped, tagged
from prbot.plans.plan import Action, Change, Json, Plan, ResourceChange

COME_TRUE = frozenset({Action.CREATE, Action.UPDATE})


def live_values(plan: Plan) -> Mapping[str, Json]:
    """The values of each managed object by its address, as the plan found them."""
    state = _object(plan.prior_state.get("values"))
    return dict(_values(_object(state.get("root_module"))))


def _values(module: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    for resource in map(_object, _list(module.get("resources"))):
        if resource.get("mode") == "managed" and not resource.get("deposed_key"):
            yield str(resource.get("address")), resource.get("values")
    for child in _list(module.get("child_modules")):
        yield from _values(_object(child))


def is_live(reviewed: ResourceChange, values: Mapping[str, Json]) -> bool:
    """Whether what was to become of the object is what it is."""
    change = reviewed.change
    if change.action not in COME_TRUE or reviewed.moved or reviewed.imported or reviewed.deposed:
        return False
    return reviewed.address in values and meets(change, values[reviewed.address])


def meets(change: Change, live: Json) -> bool:
    return _meets(change.after, change.after_unknown, live)


def _meets(after: Json, unknown: Json, live: Json) -> bool:
    """Where nothing is unknown both must be the same, `null` and absent included."""
    if unknown is True:
        return True
    if isinstance(after, dict) and isinstance(live, dict):
        marks = _object(unknown)
        names = {*after, *live, *(name for name in marks if marks[name])}
        return all(_meets(after.get(n), marks.get(n, False), live.get(n)) for n in names)
    if isinstance(after, list) and isinstance(live, list):
        marks_of = _list(unknown)
        each = [marks_of[at] if at < len(marks_of) else False for at in range(len(after))]
        same = len(after) == len(live)
        return same and all(map(_meets, after, each, live))
    return dumped(tagged(after)) == dumped(tagged(live))


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
