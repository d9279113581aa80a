"""Which plans are equal, and what is said where they are not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.plans.canonical import fingerprint
from prbot.plans.differences import compared, differences
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


def test_it_says_nothing_that_is_known_to_be_secret() -> None:
    """It hides what others know as a secret, though neither plan marks it."""
    reviewed, fresh = parse(json.dumps(BASE).encode()), parse(_with(f"{A}/after/a", "of-prbot-1"))
    assert "of-prbot-1" in compared(reviewed, fresh).different[0]
    assert "of-prbot" not in str(compared(reviewed, fresh, ["of-prbot-1"]))


LONG = "x" * 100_000


@pytest.mark.parametrize(
    "other",
    [
        LONG[:-1] + "y",
        LONG + "x",
        ["t", hashlib.sha256(LONG.encode()).hexdigest()],
        hashlib.sha256(LONG.encode()).hexdigest(),
    ],
    ids=["one character", "longer", "a list like its digest", "its digest"],
)
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_long_value_is_told_from(side: str, other: Any) -> None:
    """It tells a value that is hashed for itself from all others, those that look like the
    hash included."""
    one = fingerprint(parse(_with(f"{A}/{side}/a", LONG)), KEY)
    assert one != fingerprint(parse(_with(f"{A}/{side}/a", other)), KEY)
    assert one == fingerprint(parse(_with(f"{A}/{side}/a", LONG)), KEY)


def test_half_of_a_character_can_be_hashed() -> None:
    """It takes a long value that no UTF-8 spells."""
    fingerprint(parse(_with(f"{A}/after/a", LONG + "\ud800")), KEY)


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


def _live(**values: Any) -> dict[str, Any]:
    """A state in which `x.a` has these values."""
    found = {"address": "x.a", "mode": "managed", "type": "x", "values": values}
    return {"values": {"root_module": {"child_modules": [{"resources": [found]}]}}}


def _fresh(*changes: tuple[str, Any]) -> bytes:
    plan = json.dumps(BASE).encode()
    for path, value in changes:
        whole = json.loads(plan)
        *steps, last = path.strip("/").split("/")
        place = whole
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        if isinstance(place, list):
            del place[int(last)]
        else:
            place[last] = value
        plan = json.dumps(whole).encode()
    return plan


DONE = {"a": 2, "s": "new", "t": {"k": "v"}, "u": "anything"}
GONE = ("/resource_changes/0", None)


@pytest.mark.parametrize(
    ("changes", "different", "live"),
    [
        ((GONE, ("/prior_state", _live(**DONE))), (), ("x.a: update is live already",)),
        ((GONE,), ("x.a: update is gone",), ()),
        ((GONE, ("/prior_state", _live(**{**DONE, "a": 3}))), ("x.a: update is gone",), ()),
        ((GONE, ("/prior_state", _live(**{**DONE, "a": "2"}))), ("x.a: update is gone",), ()),
        ((GONE, ("/prior_state", _live(**{**DONE, "s": "old"}))), ("x.a: update is gone",), ()),
        ((GONE, ("/prior_state", _live(**{**DONE, "more": 1}))), ("x.a: update is gone",), ()),
        (
            (GONE, ("/prior_state", _live(**{**DONE, "more": None}))),
            (),
            ("x.a: update is live already",),
        ),
        (
            (
                (f"{A}/before", {**DONE, "t": {"k": "v"}, "s": "old", "a": 2}),
                ("/prior_state", _live(**DONE)),
            ),
            ('x.a: u is now "anything", was null when reviewed',),
            ("x.a: a is now 2, was 1 when reviewed",),
        ),
        (
            ((f"{A}/before", {"a": 2, "s": "old", "t": {"k": "v"}}), ("/prior_state", _live(a=2))),
            (),
            ("x.a: a is now 2, was 1 when reviewed",),
        ),
        (
            ((f"{A}/before", {"a": 1, "s": "new", "t": {"k": "v"}}), ("/prior_state", _live(a=1))),
            (),
            ("x.a: s differs",),
        ),
        (
            ((f"{A}/before", {"a": 5, "s": "old", "t": {"k": "v"}}), ("/prior_state", _live(a=5))),
            ("x.a: a is now 5, was 1 when reviewed",),
            (),
        ),
        (
            (GONE, ("/prior_state", _live(**DONE)), ("/variables/v/value", "2")),
            ("variable v has another value",),
            ("x.a: update is live already",),
        ),
        (
            ((f"{CONF}/resources/0/expressions/u", {"references": ["x.b.id"]}),),
            ("configuration of x.a changed",),
            (),
        ),
    ],
)
def test_a_change_may_be_missing_if_it_is_live(
    changes: tuple[tuple[str, Any], ...], different: tuple[str, ...], live: tuple[str, ...]
) -> None:
    """It excuses only what has the reviewed value now, as far as that was known, and tells
    it; whatever else differs still does."""
    found = compared(parse(json.dumps(BASE).encode()), parse(_fresh(*changes)))
    assert (found.different, found.live) == (different, live)


@pytest.mark.parametrize(
    "odd",
    [
        {"previous_address": "x.b"},
        {"deposed": "0badcafe"},
        {"change": {"actions": ["delete"], "before": DONE, "after": None}},
        {"change": {"actions": ["delete", "create"], "before": {}, "after": DONE}},
        {"change": {"actions": ["update"], "after": DONE, "importing": {"id": "i"}}},
    ],
)
def test_what_is_never_excused(odd: dict[str, Any], document: Build, resource: Build) -> None:
    """It does not guess where a move, an import, a deletion or a replacement has gone."""
    change = {**resource("x.a", after=DONE), **odd}
    reviewed = parse(document(change))
    fresh = parse(document(prior_state=_live(**DONE)))
    assert compared(reviewed, fresh).live == ()
    assert len(compared(reviewed, fresh).different) == 1


@given(PLANS, PLANS)
def test_it_is_as_strict_where_nothing_is_live(one: dict[str, Any], two: dict[str, Any]) -> None:
    """It says what `differences` says where the state of the fresh plan is not known."""
    reviewed, fresh = parse(json.dumps(one).encode()), parse(json.dumps(two).encode())
    assert compared(reviewed, fresh).different == differences(reviewed, fresh)
    assert compared(reviewed, fresh).live == ()
