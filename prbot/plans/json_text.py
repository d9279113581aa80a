"""Strings that hold JSON (policies, container definitions) are compared as JSON."""

from __future__ import annotations

import json
from decimal import Decimal

from prbot.plans.plan import Json

LONGEST = 100_000
DEEPEST = 40


def json_in(text: Json) -> Json:
    """The object or list that the string holds; None for any other text, and for one so
    large or so deep that a person would not read it."""
    if not isinstance(text, str) or len(text) > LONGEST or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    return value if _depth(value) <= DEEPEST else None


def _depth(value: Json) -> int:
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        depth += 1
        level = [inner for each in level for inner in _inside(each)]
    return depth


def _inside(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
