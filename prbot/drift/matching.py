"""Which part of a list becomes which, and which piece of code makes it.

The plan tells sets as sorted lists, and does not tell that they are sets: where code has just the
same literals in another order, it was one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from difflib import SequenceMatcher
from itertools import zip_longest

from prbot.drift.written import scalar
from prbot.plans.plan import Json
from prbot.plans.threeway import same
from prbot.projects.places import Item, Literal, Node, Place


def paired(
    before: Sequence[Json], after: Sequence[Json]
) -> Iterator[tuple[int | None, int | None]]:
    """The way from one list to the other, in order: what stays or takes whose place, what goes
    (None second) and what comes (None first)."""
    keys = [[repr(_plain(one)) for one in side] for side in (before, after)]
    steps = SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes()
    for _, a, b, c, d in steps:
        yield from zip_longest(range(a, b), range(c, d))


def aligned(blocks: Sequence[Place], values: Sequence[Json]) -> list[Place] | None:
    """The block of each value: in their order where that may be, else the only one that says
    what the value has; None where that does not tell."""
    if len(blocks) != len(values):
        return None
    if all(_may_be(*pair) for pair in zip(blocks, values, strict=True)):
        return list(blocks)
    found = [[block for block in blocks if _may_be(block, one)] for one in values]
    only = [each[0] for each in found if len(each) == 1]
    return only if len({id(one) for one in only}) == len(blocks) else None


def _may_be(block: Place, one: Mapping[str, Json]) -> bool:
    literals = ((a.name, a.value) for a in block.attributes.values())
    return all(alike(v.value, one.get(n)) for n, v in literals if isinstance(v, Literal))


def in_order(items: Sequence[Item], values: Sequence[Json]) -> list[Item] | None:
    """The entry of each value of a list; of a set, whose order is another one, too."""
    if len(items) != len(values):
        return None
    fits = (_is(item.value, one) for item, one in zip(items, values, strict=True))
    if all(fits):
        return list(items)
    literals = [item for item in items if isinstance(item.value, Literal)]
    if len(literals) != len(items):
        return None
    left, found = list(items), []
    for one in values:
        match = next((item for item in left if _is(item.value, one)), None)
        if match is None:
            return None
        left.remove(match)
        found.append(match)
    return found


def _is(node: Node, one: Json) -> bool:
    return not isinstance(node, Literal) or alike(node.value, one)


def alike(one: Json, two: Json) -> bool:
    """Equal up to what HCL converts by itself: `"5"` and 5, `"true"` and true; empty is null."""
    return _plain(one) == _plain(two) or same(one, two)


def _plain(one: Json) -> Json:
    if isinstance(one, bool):
        return "true" if one else "false"
    if isinstance(one, int | float | Decimal):
        return scalar(one)
    if isinstance(one, dict):
        return {key: _plain(one[key]) for key in sorted(one)}
    return [_plain(each) for each in one] if isinstance(one, list) else one
