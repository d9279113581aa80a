"""Which element of a list is which after a change: one more at the front changes one line.

The plan's JSON does not tell sets from lists. Equal elements find one another wherever
they stand in order; what stands between them is paired in order, and the rest came or
went. Sets come sorted from Terraform, so this reads them as sets.

What is not promised: the shortest of all readings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

from prbot.plans.plan import Json

MOST_ELEMENTS = 500
"""Longer lists are compared place by place: finding equal elements takes too long."""

Pair = tuple[int | None, int | None]


def aligned(old: Sequence[Json], new: Sequence[Json]) -> list[Pair]:
    """(old index, new index) of all that is not equal in place; None where one is missing."""
    if max(len(old), len(new)) > MOST_ELEMENTS:
        return list(zip_longest(range(len(old)), range(len(new))))
    blocks = SequenceMatcher(None, _texts(old), _texts(new), autojunk=False).get_opcodes()
    return [
        pair
        for kind, a, b, c, d in blocks
        if kind != "equal"
        for pair in zip_longest(range(a, b), range(c, d))
    ]


def _texts(side: Sequence[Json]) -> list[str]:
    return [json.dumps(element, sort_keys=True, default=str) for element in side]
