"""Renames that lost their `moved` block: one object deleted, its twin created.

A pair has the same type and provider, and every value that is known of the new object is
the old one's. Where several fit, names and keys decide; where they do not, none is
offered: a wrong `moved` block would change the wrong object. Pairs that follow from one
renamed resource or module are told as one block.

What is not promised: that it is a rename. People decide; the block is a text to copy.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prbot.plans.address import Step, joined, steps
from prbot.plans.plan import Action, Json, Plan, ResourceChange, not_too_deep
from prbot.plans.sensitive import Veil, any_mark
from prbot.plans.text import address_text

_MOST_SHAPES = 50
"""Sets of known attributes that are looked for among the deleted; bounds the work."""
_MOST_TWINS = 20
"""Deleted objects with the same values; beyond it they are told apart by nothing."""


@dataclass(frozen=True)
class Rename:
    """Old and new address, of a resource instance or of what it stands in."""

    old: str
    new: str

    @property
    def block(self) -> str:
        """The `moved` block, for the module in which both addresses are valid (the root)."""
        return f"moved {{\n  from = {self.old}\n  to   = {self.new}\n}}"


@not_too_deep
def renames(plan: Plan, hide: Veil) -> tuple[Rename, ...]:
    """Likely renames by old address; none whose address holds a secret or is no HCL."""
    gone = list(_candidates(plan, Action.DELETE))
    new = list(_candidates(plan, Action.CREATE))
    if not (gone and new):
        return ()
    pairs = {a: b for a, b in _pairs(gone, new) if _fit(a, hide) and _fit(b, hide)}
    blocks = _together(plan, pairs) if pairs else ()
    return tuple(sorted(set(blocks), key=lambda rename: rename.old))


def _fit(address: str, hide: Veil) -> bool:
    """It can be told as it is: no secret, nothing unprintable, not too long."""
    return address_text(address, hide) == address


def _candidates(plan: Plan, action: Action) -> Iterator[ResourceChange]:
    for resource in plan.resource_changes:
        whole = not resource.deposed and not resource.imported and not resource.change.forgets_old
        acts = resource.managed and resource.change.action is action
        if acts and whole and steps(resource.address):
            yield resource


# --- pairs ------------------------------------------------------------------------------------

_Kind = tuple[str, str]
_Shape = tuple[_Kind, frozenset[str]]


def _pairs(
    gone: Sequence[ResourceChange], new: Sequence[ResourceChange]
) -> Iterator[tuple[str, str]]:
    """(old, new) where each is the other's one best match."""
    matches = [(old, to, _likeness(old, to)) for old, to in _matches(gone, new)]
    best_new = _best(matches)
    best_old = _best((to, old, score) for old, to, score in matches)
    return ((old, to) for old, to in best_new.items() if best_old.get(to) == old)


def _best(scored: Iterable[tuple[str, str, int]]) -> dict[str, str]:
    """For each first the second with the highest score, if only one has it."""
    by_first: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for first, second, score in scored:
        by_first[first].append((score, second))
    found = {}
    for first, seconds in by_first.items():
        top = max(score for score, _ in seconds)
        winners = [second for score, second in seconds if score == top]
        if len(winners) == 1:
            found[first] = winners[0]
    return found


def _likeness(old: str, new: str) -> int:
    a, b = steps(old), steps(new)
    same_name, same_key = a[-1].name == b[-1].name, a[-1].key == b[-1].key
    return 4 * same_name + 2 * same_key + (a[:-1] == b[:-1])


def _matches(
    gone: Sequence[ResourceChange], new: Sequence[ResourceChange]
) -> Iterator[tuple[str, str]]:
    gone_by_kind: dict[_Kind, list[ResourceChange]] = defaultdict(list)
    for resource in gone:
        gone_by_kind[_kind(resource)].append(resource)
    by_shape: dict[_Shape, list[ResourceChange]] = defaultdict(list)
    for resource in new:
        if known := _known(resource):
            by_shape[_kind(resource), known].append(resource)
    for (kind, names), created in sorted(by_shape.items(), key=_size)[:_MOST_SHAPES]:
        twins: dict[str, list[str]] = defaultdict(list)
        for resource in gone_by_kind[kind]:
            twins[_values(resource.change.before, names)].append(resource.address)
        for resource in created:
            alike = twins.get(_values(resource.change.after, names), ())
            if len(alike) <= _MOST_TWINS:
                yield from ((old, resource.address) for old in alike)


def _size(shape: tuple[_Shape, list[ResourceChange]]) -> int:
    return -len(shape[1])


def _kind(resource: ResourceChange) -> _Kind:
    return resource.type, resource.provider_name


def _known(resource: ResourceChange) -> frozenset[str]:
    """Attributes whose whole value is known; empty when none of them says anything."""
    after, unknown = resource.change.after, resource.change.after_unknown
    if not isinstance(after, dict) or unknown is True:
        return frozenset()
    marks = unknown if isinstance(unknown, dict) else {}
    names = [name for name in after if not any_mark(marks.get(name))]
    tells = any(_plain(after[name]) not in (None, False) for name in names)
    return frozenset(names) if tells else frozenset()


def _values(whole: Json, names: frozenset[str]) -> str:
    values: Mapping[str, Json] = whole if isinstance(whole, dict) else {}
    return json.dumps({n: _plain(values.get(n)) for n in names}, sort_keys=True, default=str)


def _plain(value: Json) -> Json:
    """Null for everything empty, as in the three-way reading."""
    if isinstance(value, dict):
        inner = {name: _plain(item) for name, item in value.items()}
        return {name: item for name, item in inner.items() if item is not None} or None
    if isinstance(value, list):
        return [_plain(item) for item in value] or None
    return None if value == "" else value


# --- one block for what moves together --------------------------------------------------------


def _together(plan: Plan, pairs: Mapping[str, str]) -> Iterator[Rename]:
    """Each pair by its widest part under which everything moves the same way."""
    wide = {old: _without_common_end(steps(old), steps(new)) for old, new in pairs.items()}
    moving: dict[str, set[Rename]] = defaultdict(set)
    for old, short in wide.items():
        for place in _places(old):
            moving[place].add(short)
    staying = {
        place
        for resource in plan.resource_changes
        if resource.managed and resource.address not in pairs
        for place in _places(resource.address)
    }
    for old, new in pairs.items():
        short = wide[old]
        alone = moving[short.old] == {short} and short.old not in staying
        yield short if alone else Rename(old, new)


def _without_common_end(old: tuple[Step, ...], new: tuple[Step, ...]) -> Rename:
    """`module.a.x.r[0]` to `module.b.x.r[0]` is `module.a` to `module.b`."""
    a, b = list(old), list(new)
    while len(a) > 1 and len(b) > 1 and a[-1] == b[-1]:
        a.pop()
        b.pop()
    if a[-1].key == b[-1].key:
        a[-1], b[-1] = Step(a[-1].name), Step(b[-1].name)
    alike = (a[-1].module is None) is (b[-1].module is None)
    short = (tuple(a), tuple(b)) if alike else (old, new)
    return Rename(*map(joined, short))


def _places(address: str) -> Iterator[str]:
    """The instance and all it stands in, each with and without its last key."""
    path = steps(address)
    for end in range(1, len(path) + 1):
        yield joined(path[:end])
        yield joined((*path[: end - 1], Step(path[end - 1].name)))
