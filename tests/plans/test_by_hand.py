"""Three values of what somebody changed by hand; the table stood here before the code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prbot.plans.by_hand import MOST_ROWS
from prbot.plans.plan import parse
from prbot.plans.summary import Drifted, summarise

Build = Callable[..., Any]
Row = tuple[str, str, str, str]

NOW = {"a": 2, "tags": {"x": "hand", "y": "same"}, "key": "s3cret-of-hand"}
PAST = {"a": 1, "tags": {"x": "code", "y": "same", "z": "old"}, "key": "s3cret-of-code"}
HIDDEN = "(sensitive value)"


def _drifted(document: Build, resource: Build, **planned: Any) -> dict[str | None, Drifted]:
    past = resource("x.a", ("update",), PAST, NOW)
    change = resource("x.a", planned.pop("actions", ("update",)), NOW, **planned)
    return {d.attribute: d for d in summarise(parse(document(change, resource_drift=[past]))).drift}


def _rows(drifted: Drifted) -> list[Row]:
    return [(v.path, v.applied, v.live, v.wanted) for v in drifted.values]


@pytest.mark.parametrize(
    ("planned", "attribute", "rows"),
    [
        ({"after": PAST}, "a", [("a", "1", "2", "1")]),
        ({"after": {**PAST, "a": 3}}, "a", [("a", "1", "2", "3")]),
        (
            {"after": {}, "after_unknown": {"a": True}},
            "a",
            [("a", "1", "2", "(known after apply)")],
        ),
        ({"after": None, "actions": ("delete",)}, "a", [("a", "1", "2", "(deleted)")]),
        (
            {"after": PAST},
            "tags",
            [("tags.x", '"code"', '"hand"', '"code"'), ("tags.z", '"old"', "(none)", '"old"')],
        ),
        ({"after": PAST, "after_sensitive": {"a": True}}, "a", [("a", HIDDEN, HIDDEN, HIDDEN)]),
        (
            {"after": PAST, "before_sensitive": {"tags": {"x": True}}},
            "tags",
            [("tags", HIDDEN, HIDDEN, HIDDEN)],
        ),
    ],
)
def test_values(
    planned: dict[str, Any], attribute: str, rows: list[Row], document: Build, resource: Build
) -> None:
    """It tells what was, what is and what will be, and hides what any of them hides."""
    assert _rows(_drifted(document, resource, **planned)[attribute]) == rows


def test_no_secret_is_told(document: Build, resource: Build) -> None:
    """It hides a value that is marked somewhere else in the plan."""
    found = _drifted(document, resource, after=PAST, outside={}, before_sensitive={"key": True})
    assert "s3cret" not in repr(found)


def test_gone(document: Build, resource: Build) -> None:
    """It says of an object that is gone whether the plan creates it again."""
    past = resource("x.a", ("delete",), PAST, None)
    for actions, again in ((("create",), True), (("no-op",), False)):
        planned = resource("x.a", actions, None, PAST)
        (drifted,) = summarise(parse(document(planned, resource_drift=[past]))).drift
        assert (drifted.attribute, drifted.again, drifted.values) == (None, again, ())


def test_rows_are_bounded(document: Build, resource: Build) -> None:
    """It tells the first few keys of a large map."""
    old, new = ({"m": {str(n): side for n in range(99)}} for side in "ab")
    drift = resource("x.a", ("update",), old, new)
    plan = document(resource("x.a", ("update",), new, old), resource_drift=[drift])
    (drifted,) = summarise(parse(plan)).drift
    assert len(drifted.values) == MOST_ROWS
