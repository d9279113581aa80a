"""What somebody changed by hand, with its three values: last applied, live, and wanted.

Why here: `threeway` says who changed an attribute; people judge it by the values. A map is
told by its keys, so that one changed tag is one row. Every value is veiled; one whose
marks hide any part of it is hidden as a whole.

What is not promised: all rows of a large value; at most MOST_ROWS of each attribute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from prbot.plans.plan import Action, Change, Json, PathStep, Plan, ResourceChange
from prbot.plans.sensitive import SENSITIVE, Veil, any_mark
from prbot.plans.text import path_text, shown
from prbot.plans.threeway import Judged, same

MOST_ROWS = 5
UNKNOWN = "(known after apply)"
DELETED = "(deleted)"

_Key = tuple[str, str]


@dataclass(frozen=True)
class ThreeValues:
    """Texts of one line; an absent value is `(none)`."""

    path: str
    applied: str
    live: str
    wanted: str


class Hands:
    """Looks the values up that belong to what `threeway.drift` judged."""

    def __init__(self, plan: Plan, hide: Veil) -> None:
        managed = [r for r in plan.resource_drift if r.managed]
        # verdicts name addresses only: the object itself wins over a deposed one
        self._drifted = {r.address: r for r in sorted(managed, key=_deposed_first)}
        self._planned = {r.key: r.change for r in plan.resource_changes}
        self._hide = hide

    def values(self, judged: Judged) -> tuple[ThreeValues, ...]:
        """Empty for an object that is gone."""
        drifted = self._drifted.get(judged.address)
        if drifted is None or judged.attribute is None:
            return ()
        rows = _Rows(self._planned.get(drifted.key), self._hide).of(drifted, judged.attribute)
        return tuple(islice(rows, MOST_ROWS))

    def stands_again(self, address: str) -> bool:
        """Whether the plan creates the object that is gone."""
        change = self._planned.get((address, ""))
        return change is not None and change.action in (Action.CREATE, Action.REPLACE)


@dataclass(frozen=True)
class _Values:
    """One place in the three trees, with the marks of all of them together."""

    applied: Json
    live: Json
    wanted: Json
    unknown: Json
    marks: tuple[Json, ...]

    def step(self, key: str) -> _Values:
        return _Values(
            _child(self.applied, key),
            _child(self.live, key),
            _child(self.wanted, key),
            self.unknown if self.unknown is True else _child(self.unknown, key),
            tuple(mark if mark is True else _child(mark, key) for mark in self.marks),
        )


@dataclass(frozen=True)
class _Rows:
    planned: Change | None
    hide: Veil

    def of(self, drifted: ResourceChange, attribute: str) -> Iterator[ThreeValues]:
        past, planned = drifted.change, self.planned
        # a mark that one of the trees lost hides in all of them
        marks = [past.before_sensitive, past.after_sensitive]
        marks += [planned.before_sensitive, planned.after_sensitive] if planned else []
        whole = _Values(
            past.before,
            past.after,
            planned.after if planned else past.after,
            planned.after_unknown if planned else False,
            tuple(marks),
        )
        yield from self._rows((attribute,), whole.step(attribute))

    def _rows(self, path: tuple[PathStep, ...], at: _Values) -> Iterator[ThreeValues]:
        if any(map(any_mark, at.marks)) or not _objects(at.applied, at.live):
            yield self._row(path, at)
            return
        for key in sorted({*_keys(at.applied), *_keys(at.live)}):
            inner = at.step(key)
            if not same(inner.applied, inner.live):
                yield from self._rows((*path, key), inner)

    def _row(self, path: tuple[PathStep, ...], at: _Values) -> ThreeValues:
        if any(map(any_mark, at.marks)):
            told = (SENSITIVE, SENSITIVE, SENSITIVE)
        else:
            told = (self._shown(at.applied), self._shown(at.live), self._wanted(at))
        return ThreeValues(path_text(path, self.hide), *told)

    def _wanted(self, at: _Values) -> str:
        if self.planned is not None and self.planned.action is Action.DELETE:
            return DELETED
        return UNKNOWN if any_mark(at.unknown) else self._shown(at.wanted)

    def _shown(self, value: Json) -> str:
        return "(none)" if value is None else shown(value, self.hide)


def _deposed_first(resource: ResourceChange) -> bool:
    return resource.deposed is None


def _child(tree: Json, key: str) -> Json:
    return tree.get(key) if isinstance(tree, dict) else None


def _keys(tree: Json) -> list[str]:
    return list(tree) if isinstance(tree, dict) else []


def _objects(*values: Json) -> bool:
    """All that are there are maps, and one is."""
    there = [value for value in values if value is not None]
    return bool(there) and all(isinstance(value, dict) for value in there)
