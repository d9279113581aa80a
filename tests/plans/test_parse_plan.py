"""What is read as a plan, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from prbot.errors.plans import BadPlan
from prbot.plans.canonical import fingerprint
from prbot.plans.plan import Action, parse
from prbot.plans.summary import summarise

Build = Callable[..., Any]

EMPTY = b'{"format_version":"1.2"}'


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.2", "1.99"])
def test_it_reads_known_versions(version: str) -> None:
    """It takes 0.1 to 1.x, minor versions of the future too."""
    assert parse(json.dumps({"format_version": version}).encode()).format_version == version


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "Expecting value"),
        (b"not json", "Expecting value"),
        (EMPTY + b"x", "Extra data"),
        (EMPTY + EMPTY, "Extra data"),
        (EMPTY + b"\n" + EMPTY, "Extra data"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b'"text"', "not an object"),
        (b"{}", "no format_version"),
        (b'{"format_version":1}', "no format_version"),
        (b'{"format_version":"2.0"}', "2.0 is not known"),
        (b'{"format_version":"10.1"}', "10.1 is not known"),
        (b'{"format_version":""}', "not known"),
        (b'{"format_version":"1.2","x":NaN}', "not JSON"),
        (b'{"format_version":"1.2","x":"\xff"}', "not JSON"),
        (b'{"format_version":"1.2","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deeply"),
        (b'{"format_version":"1.2","resource_changes":{}}', "resource_changes"),
        (b'{"format_version":"1.2","resource_changes":[{}]}', "resource_changes.0"),
        (b'{"format_version":"1.2","errored":"perhaps"}', "errored"),
    ],
)
def test_it_refuses(data: bytes, problem: str) -> None:
    """It raises BadPlan for anything that is not one whole plan."""
    with pytest.raises(BadPlan, match=problem):
        parse(data)


@pytest.mark.parametrize("actions", [[], ["explode"], ["create", "update"], ["delete", "delete"]])
def test_it_refuses_unknown_actions(actions: list[str], document: Build, resource: Build) -> None:
    """It cannot count what it does not know, so it does not pretend to."""
    with pytest.raises(BadPlan, match="is not known"):
        parse(document(resource(actions=tuple(actions))))


def test_it_refuses_one_instance_twice(document: Build, resource: Build) -> None:
    """It takes an address once, deposed objects aside."""
    deposed = resource(actions=("delete",), outside={"deposed": "abcd"})
    assert len(parse(document(resource(), deposed)).resource_changes) == 2
    with pytest.raises(BadPlan, match="twice"):
        parse(document(resource(), resource()))


def test_it_quotes_no_value() -> None:
    """It keeps values out of its words, for they may be secrets."""
    data = b'{"format_version":"1.2","resource_changes":"hunter2secret"}'
    with pytest.raises(BadPlan) as caught:
        parse(data)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_it_keeps_every_digit(document: Build, resource: Build) -> None:
    """It reads fractions exactly."""
    data = document(resource(before={"a": 0}, after={"a": 1}))
    exact = data.replace(b'"after": {"a": 1}', b'"after": {"a": 0.10000000000000000001}')
    assert parse(exact).resource_changes[0].change.after["a"] == Decimal("0.10000000000000000001")


def test_it_takes_null_for_nothing() -> None:
    """It reads `null` where a list or an object may be left out."""
    plan = parse(b'{"format_version":"1.2","resource_changes":null,"checks":null}')
    assert plan.resource_changes == ()


def test_it_refuses_values_without_end(document: Build, resource: Build) -> None:
    """It raises BadPlan, not RecursionError, where a value is nested very deeply."""
    deep: Any = "x"
    for _ in range(900):
        deep = {"a": deep}
    plan_data = document(resource(after=deep))
    with pytest.raises(BadPlan, match="too deeply"):
        _ = [f(parse(plan_data)) for f in (summarise, lambda plan: fingerprint(plan, b"k"))]


def test_it_tells_replacements_apart(document: Build, resource: Build) -> None:
    """It knows both orders of a replacement."""
    plan = parse(
        document(
            resource("x.a", ("delete", "create")),
            resource("x.b", ("create", "delete")),
        )
    )
    first, second = (r.change for r in plan.resource_changes)
    assert first.action is second.action is Action.REPLACE
    assert (first.create_first, second.create_first) == (False, True)
