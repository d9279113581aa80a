"""Which plans are equal, and what is said where they are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.plans.canonical import fingerprint
from prbot.plans.differences import differences
from prbot.plans.plan import parse

Build = Callable[..., Any]
Read = Callable[[str], bytes]
KEY = b"installation key"

BASE: dict[str, Any] = {
    "format_version": "1.2",
    "timestamp": "2026-01-01T00:00:00Z",
    "variables": {"v": {"value": "1"}},
    "resource_changes": [
        {
            "address": "x.a",
            "mode": "managed",
            "type": "x",
            "change": {
                "actions": ["update"],
                "before": {"a": 1, "s": "old", "t": {"k": "v"}},
                "after": {"a": 2, "s": "new", "t": {"k": "v"}},
                "after_unknown": {"u": True},
                "before_sensitive": {"s": True},
                "after_sensitive": {"s": True},
            },
        },
        {
            "address": "x.same",
            "mode": "managed",
            "type": "x",
            "change": {"actions": ["no-op"], "before": {"a": 1}, "after": {"a": 1}},
        },
    ],
    "output_changes": {
        "o": {"actions": ["update"], "before": "1", "after": "2"},
        "same": {"actions": ["no-op"], "before": "1", "after": "1"},
    },
    "configuration": {
        "provider_config": {"x": {"name": "x"}},
        "root_module": {
            "resources": [
                {"address": "x.a", "expressions": {"a": {"constant_value": 2}}},
                {"address": "x.same", "provisioners": [{"command": "one"}]},
            ],
            "module_calls": {
                "m": {"source": "./m", "module": {"resources": [{"address": "x.in"}]}}
            },
        },
    },
}


def _with(path: str, value: Any) -> bytes:
    """BASE with one place changed; `path` is a JSON pointer."""
    plan = json.loads(json.dumps(BASE))
    *steps, last = path.strip("/").split("/")
    place = plan
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    if isinstance(place, list):
        place[int(last) : int(last) + 1] = [value] if value is not None else []
    else:
        place[last] = value
    return json.dumps(plan).encode()


A, CONF = "/resource_changes/0/change", "/configuration/root_module"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/timestamp", "2027-01-01T00:00:00Z"),
        ("/terraform_version", "1.11.5"),
        ("/resource_drift", [BASE["resource_changes"][0]]),
        ("/resource_changes/1", None),
        ("/resource_changes", list(reversed(BASE["resource_changes"]))),
        ("/output_changes/same/after", "other"),
        ("/checks", [{"address": {"to_display": "c"}, "status": "fail"}]),
        ("/prior_state", {"values": {}}),
        ("/applyable", True),
        ("/errored", False),
        ("/complete", True),
        (f"{A}/before_sensitive/t", {}),
    ],
)
def test_it_calls_equal(path: str, value: Any) -> None:
    """It leaves out what applying does not depend on."""
    reviewed, fresh = parse(json.dumps(BASE).encode()), parse(_with(path, value))
    assert fingerprint(reviewed, KEY) == fingerprint(fresh, KEY)
    assert differences(reviewed, fresh) == ()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (f"{A}/after/a", 3, "x.a: a would become 3, reviewed was 2"),
        (f"{A}/after/a", 2.5, "x.a: a would become 2.5, reviewed was 2"),
        (f"{A}/before/a", 0, "x.a: a is now 0, was 1 when reviewed"),
        (f"{A}/after/s", "newer", "x.a: s differs"),
        (f"{A}/after/t", {"k": "w"}, "x.a: t differs"),
        (f"{A}/after_unknown/a", True, "x.a: a would become (known after apply), reviewed was 2"),
        (f"{A}/after_unknown", {}, "x.a: u would become null, reviewed was (known after apply)"),
        (f"{A}/actions", ["delete"], "x.a: delete instead of update"),
        (f"{A}/importing", {"id": "1"}, "x.a: the importing differs"),
        ("/resource_changes/0/action_reason", "r", "x.a: the reason differs"),
        ("/resource_changes/0", None, "x.a: update is gone"),
        ("/resource_changes/0/previous_address", "x.b", "x.a: the previous address differs"),
        ("/resource_changes/1/previous_address", "x.b", "x.same: move appeared"),
        ("/resource_changes/1/change/importing", {"id": "1"}, "x.same: import appeared"),
        ("/resource_changes/1/change/actions", ["forget"], "x.same: forget appeared"),
        ("/output_changes/o/after", "3", "output o differs"),
        ("/output_changes/same/actions", ["delete"], "output same: change appeared"),
        ("/variables/v/value", "2", "variable v has another value"),
        ("/variables/w", {"value": "2"}, "variable w has another value"),
        (
            f"{CONF}/resources/1/provisioners",
            [{"command": "two"}],
            "configuration of x.same changed",
        ),
        (f"{CONF}/resources/1", None, "configuration of x.same changed"),
        (f"{CONF}/module_calls/m/source", "./n", "configuration of module.m changed"),
        (
            f"{CONF}/module_calls/m/module/resources",
            [{"address": "x.in", "count": 1}],
            "configuration of module.m.x.in changed",
        ),
        (
            "/configuration/provider_config/x/region",
            "eu",
            "configuration of provider x changed",
        ),
        (f"{CONF}/something_new", 1, "configuration changed"),
        ("/errored", True, "whether planning failed differs"),
        ("/complete", False, "whether the plan is complete differs"),
        ("/deferred_changes", [{}], "the deferred changes differ"),
        ("/action_invocations", [{}], "the provider actions to be invoked differ"),
    ],
)
def test_it_tells_a_difference(path: str, value: Any, said: str) -> None:
    """It gives another fingerprint, and says in one line why."""
    reviewed, fresh = parse(json.dumps(BASE).encode()), parse(_with(path, value))
    assert fingerprint(reviewed, KEY) != fingerprint(fresh, KEY)
    assert differences(reviewed, fresh) == (said,)


def test_it_is_keyed() -> None:
    """It gives another fingerprint under another key, 64 hex digits each."""
    plan = parse(json.dumps(BASE).encode())
    one, two = fingerprint(plan, b"one"), fingerprint(plan, b"two")
    assert one != two
    assert {len(one), len(two)} == {64}
    assert set(one + two) <= set("0123456789abcdef")


def test_it_bounds_what_it_says(document: Build, resource: Build) -> None:
    """It stops after some hundred lines and says how many more there are."""
    many = parse(document(*(resource(f"x.r{at}") for at in range(1_000))))
    lines = differences(many, parse(document()))
    assert len(lines) == 201
    assert lines[-1] == "and 800 more differences"


LEAVES = st.sampled_from([None, True, False, 0, 1, 1.0, 1.5, "", "1", "a", "u", "s", "n", "l"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "b", "n", "s"]), inner, max_size=2)
    ),
    max_leaves=4,
)
MARKS = st.recursive(
    st.booleans(),
    lambda inner: (
        st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
        | st.lists(inner, max_size=2)
    ),
    max_leaves=3,
)
CHANGES = st.fixed_dictionaries(
    {"actions": st.sampled_from([["update"], ["no-op"], ["create"], ["delete", "create"]])},
    optional={
        "before": VALUES,
        "after": VALUES,
        "after_unknown": MARKS,
        "before_sensitive": MARKS,
        "after_sensitive": MARKS,
    },
)
RESOURCES = st.fixed_dictionaries(
    {
        "address": st.sampled_from(["x.a", "x.b"]),
        "mode": st.just("managed"),
        "type": st.just("x"),
        "change": CHANGES,
    },
    optional={"previous_address": st.sampled_from(["x.a", "x.c"])},
)
PLANS = st.fixed_dictionaries(
    {"format_version": st.just("1.2")},
    optional={
        "resource_changes": st.lists(RESOURCES, max_size=2, unique_by=lambda r: r["address"]),
        "output_changes": st.dictionaries(st.just("o"), CHANGES),
        "variables": st.dictionaries(st.just("v"), VALUES),
        "configuration": st.fixed_dictionaries({"root_module": VALUES}),
        "errored": st.booleans(),
    },
)


@given(PLANS, PLANS)
def test_it_says_something_exactly_when_the_fingerprints_differ(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    """It agrees with the fingerprint in both directions."""
    reviewed, fresh = parse(json.dumps(one).encode()), parse(json.dumps(two).encode())
    equal = fingerprint(reviewed, KEY) == fingerprint(fresh, KEY)
    assert (differences(reviewed, fresh) == ()) is equal
    assert (differences(fresh, reviewed) == ()) is equal
    assert differences(reviewed, reviewed) == ()


@given(PLANS)
def test_it_does_not_depend_on_order(one: dict[str, Any]) -> None:
    """It gives the same fingerprint whatever the order of keys and resources."""
    two = {key: one[key] for key in reversed(one)}
    two["resource_changes"] = list(reversed(one.get("resource_changes", [])))
    reviewed, fresh = parse(json.dumps(one).encode()), parse(json.dumps(two).encode())
    assert fingerprint(reviewed, KEY) == fingerprint(fresh, KEY)
