"""The three-way reading: recorded plans, plans by hand, and laws."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.plans.plan import parse
from prbot.plans.threeway import Verdict, drift, same, verdicts

Build = Callable[..., Any]
PLANS = Path(__file__).parent.parent / "fixtures" / "plans"
ROWS = json.loads((PLANS / "verdicts.json").read_text())


@pytest.mark.parametrize("path", sorted(PLANS.glob("[01]?_*.json")), ids=lambda path: path.stem)
def test_it_judges_recorded_plans(path: Path) -> None:
    """It finds exactly the rows that were written down before there was code."""
    rows = [(r["address"], r["attribute"], r["verdict"]) for r in ROWS if r["fixture"] == path.stem]
    plan = parse(path.read_bytes())
    found = [(j.address, j.attribute, j.verdict.value) for j in verdicts(plan)]
    assert sorted(found, key=str) == sorted(rows, key=str)
    assert [row for row in found if row[2] != "change"] == [
        (j.address, j.attribute, j.verdict.value) for j in drift(plan)
    ]


def test_every_row_has_its_plan() -> None:
    """It has no row for a fixture that does not exist."""
    assert {row["fixture"] for row in ROWS} <= {path.stem for path in PLANS.glob("*.json")}


def _plan(
    document: Build,
    resource: Build,
    applied: Any,
    live: Any,
    wanted: Any,
    actions: tuple[str, ...] = ("update",),
    expression: Any = None,
    **rest: Any,
) -> bytes:
    """One resource `x.a` with one attribute `a`."""
    drifted = resource("x.a", ("update",), {"a": applied}, {"a": live})
    planned = resource("x.a", actions, {"a": live}, wanted, **rest.pop("change", {}))
    expressions = {} if expression is None else {"a": expression}
    module = {"resources": [{"address": "x.a", "expressions": expressions}]}
    data: bytes = document(
        planned,
        resource_drift=[drifted],
        configuration={"root_module": {**module, **rest.pop("module", {})}},
        **rest,
    )
    return data


def constant(value: Any) -> dict[str, Any]:
    return {"constant_value": value}


VAR = {"references": ["var.v"]}
UNKNOWN = {"change": {"after_unknown": {"a": True}}}
CASES: list[tuple[str, Any, Any, Any, tuple[str, ...], Any, dict[str, Any], str | None]] = [
    ("put back", 1, 2, {"a": 1}, ("update",), None, {}, "reverts"),
    ("put back to nothing", None, "x", {"a": ""}, ("update",), None, {}, "reverts"),
    ("a third value", 1, 2, {"a": 3}, ("update",), constant(3), {}, "conflict"),
    ("put back by replacing", 1, 2, {"a": 1}, ("delete", "create"), None, {}, "reverts"),
    ("left, said", 1, 2, {"a": 2}, ("no-op",), constant(2), {}, "adopts"),
    ("left, said as text", 1, 2, {"a": 2}, ("no-op",), constant("2"), {}, "adopts"),
    (
        "left, said as a bool",
        "false",
        True,
        {"a": True},
        ("no-op",),
        constant("true"),
        {},
        "adopts",
    ),
    ("left, another said", 1, 2, {"a": 2}, ("no-op",), constant(1), {}, "ignored"),
    ("left, not said", 1, 2, {"a": 2}, ("no-op",), None, {}, "ignored"),
    ("left, computed", 1, 2, {"a": 2}, ("no-op",), {"references": ["x.b.id"]}, {}, "ignored"),
    ("left, a function", 1, 2, {"a": 2}, ("no-op",), {}, {}, "ignored"),
    (
        "a set in another order",
        ["a"],
        ["a", "b"],
        {"a": ["a", "b"]},
        ("no-op",),
        constant(["b", "a"]),
        {},
        "adopts",
    ),
    (
        "a map",
        {"k": "1"},
        {"k": "2"},
        {"a": {"k": "2"}},
        ("no-op",),
        constant({"k": 2}),
        {},
        "adopts",
    ),
    (
        "a block",
        [{"n": 1, "id": "i"}],
        [{"n": 2, "id": "i"}],
        {"a": [{"n": 2, "id": "i"}]},
        ("no-op",),
        [{"n": constant(2)}],
        {},
        "adopts",
    ),
    (
        "a block of two",
        [{"n": 1}],
        [{"n": 2}, {"n": 3}],
        {"a": [{"n": 2}, {"n": 3}]},
        ("no-op",),
        [{"n": constant(2)}],
        {},
        "ignored",
    ),
    (
        "a single block",
        {"n": 1},
        {"n": 2},
        {"a": {"n": 2}},
        ("no-op",),
        {"n": constant(2)},
        {},
        "adopts",
    ),
    (
        "by a variable",
        1,
        2,
        {"a": 2},
        ("no-op",),
        VAR,
        {"variables": {"v": {"value": 2}}},
        "adopts",
    ),
    (
        "by another variable",
        1,
        2,
        {"a": 2},
        ("no-op",),
        VAR,
        {"variables": {"v": {"value": 1}}},
        "ignored",
    ),
    (
        "by a default",
        1,
        2,
        {"a": 2},
        ("no-op",),
        VAR,
        {"module": {"variables": {"v": {"default": 2}}}},
        "adopts",
    ),
    ("by no variable", 1, 2, {"a": 2}, ("no-op",), VAR, {}, "ignored"),
    ("forgotten", 1, 2, None, ("forget",), constant(1), {}, "ignored"),
    ("deleted", 1, 2, None, ("delete",), None, {}, "conflict"),
    ("unknown, said", 1, 2, {}, ("update",), {"references": ["x.b.id"]}, UNKNOWN, "conflict"),
    ("unknown, computed", 1, 2, {}, ("update",), None, UNKNOWN, "ignored"),
    ("null to empty", None, {}, {"a": {}}, ("no-op",), None, {}, None),
    ("empty to null within", {"k": ""}, {}, {"a": {}}, ("no-op",), None, {}, None),
    ("1 to true", 1, True, {"a": 1}, ("update",), None, {}, "reverts"),
    ("no element to an empty one", [], [""], {"a": []}, ("update",), None, {}, "reverts"),
]


@pytest.mark.parametrize(
    ("applied", "live", "wanted", "actions", "expression", "rest", "verdict"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_it_judges_one_attribute(
    applied: Any,
    live: Any,
    wanted: Any,
    actions: tuple[str, ...],
    expression: Any,
    rest: dict[str, Any],
    verdict: str | None,
    document: Build,
    resource: Build,
) -> None:
    """It compares the last applied, the live and the wanted value."""
    data = _plan(document, resource, applied, live, wanted, actions, expression, **rest)
    assert [j.verdict.value for j in drift(parse(data))] == ([verdict] if verdict else [])


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        (constant(2), "adopts"),
        (constant(1), "reverts"),
        (constant(3), "conflict"),
        (None, "conflict"),
    ],
)
def test_an_errored_plan(expression: Any, verdict: str, document: Build, resource: Build) -> None:
    """It asks the configuration where planning broke off, and never says `ignored`."""
    data = json.loads(_plan(document, resource, 1, 2, {"a": 2}, expression=expression))
    data |= {"resource_changes": [], "errored": True}
    assert [j.verdict.value for j in drift(parse(json.dumps(data).encode()))] == [verdict]


def test_a_refresh_only_plan(document: Build, resource: Build) -> None:
    """It judges drift although nothing is planned, and never touches data sources."""
    data = document(
        resource_drift=[
            resource("x.a", ("update",), {"a": 1, "b": 1}, {"a": 2, "b": 1}),
            resource("data.x.d", ("update",), {"a": 1}, {"a": 2}, outside={"mode": "data"}),
            resource("x.b", ("delete",), {"a": 1}),
        ]
    )
    found = [(j.address, j.attribute, j.verdict) for j in drift(parse(data))]
    assert found == [("x.a", "a", Verdict.IGNORED), ("x.b", None, Verdict.GONE)]


def test_in_modules(document: Build, resource: Build) -> None:
    """It follows variables through calls, whatever the keys of the instances are."""
    address = 'module.m["a.b[\\"x"].module.n[0].x.a["k"]'
    inner = {"resources": [{"address": "x.a", "expressions": {"a": VAR}}]}
    outer = {
        "module_calls": {"n": {"expressions": {"v": {"references": ["var.w"]}}, "module": inner}}
    }
    root = {"module_calls": {"m": {"expressions": {"w": constant(2)}, "module": outer}}}
    data = document(
        resource(address, ("no-op",), {"a": 2}, {"a": 2}),
        resource_drift=[resource(address, ("update",), {"a": 1}, {"a": 2})],
        configuration={"root_module": root},
    )
    assert [j.verdict for j in drift(parse(data))] == [Verdict.ADOPTS]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "1", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)


@given(JSON, JSON, JSON)
def test_same_is_an_equivalence(a: Any, b: Any, c: Any) -> None:
    """It is reflexive, symmetric and transitive."""
    assert same(a, a)
    assert same(a, b) is same(b, a)
    assert not (same(a, b) and same(b, c)) or same(a, c)


@given(JSON, JSON, JSON)
def test_drift_is_what_differs(applied: Any, live: Any, wanted: Any) -> None:
    """It judges an attribute if and only if its live value is not the applied one."""
    change = {"before": {"a": live}, "after": {"a": wanted}, "actions": ["update"]}
    moved = {"before": {"a": applied}, "after": {"a": live}, "actions": ["update"]}
    entry = {"address": "x.a", "mode": "managed", "type": "x"}
    data = {
        "format_version": "1.2",
        "resource_changes": [{**entry, "change": change}],
        "resource_drift": [{**entry, "change": moved}],
    }
    found = [j.verdict for j in drift(parse(json.dumps(data).encode()))]
    if same(applied, live):
        assert found == []
    elif same(wanted, live):
        assert found == [Verdict.IGNORED]
    else:
        assert found == [Verdict.REVERTS if same(wanted, applied) else Verdict.CONFLICT]
