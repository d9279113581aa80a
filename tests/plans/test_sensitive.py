"""No sensitive value comes through, marked or not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from prbot.plans.differences import differences
from prbot.plans.plan import parse
from prbot.plans.sensitive import SENSITIVE, sensitive_strings, veil
from prbot.plans.summary import PlanSummary, summarise

Build = Callable[..., Any]

SECRET = "hunter2-s3cret"
STORED = TypeAdapter(PlanSummary)

PLACES: dict[str, dict[str, Any]] = {
    "a variable": {
        "variables": {"v": {"value": SECRET}},
        "configuration": {"root_module": {"variables": {"v": {"sensitive": True}}}},
    },
    "a variable's default": {
        "configuration": {
            "root_module": {"variables": {"v": {"sensitive": True, "default": {"a": [SECRET]}}}}
        }
    },
    "an argument of a module": {
        "configuration": {
            "root_module": {
                "module_calls": {
                    "m": {
                        "expressions": {"v": {"constant_value": SECRET}},
                        "module": {"variables": {"v": {"sensitive": True}}},
                    }
                }
            }
        }
    },
    "an output": {
        "output_changes": {
            "o": {"actions": ["create"], "after": {"a": SECRET}, "after_sensitive": True}
        }
    },
    "an output of the state": {
        "prior_state": {"values": {"outputs": {"o": {"sensitive": True, "value": SECRET}}}}
    },
    "a resource of the state": {
        "prior_state": {
            "values": {
                "root_module": {
                    "child_modules": [
                        {
                            "resources": [
                                {"values": {"a": [SECRET]}, "sensitive_values": {"a": [True]}}
                            ]
                        }
                    ]
                }
            }
        }
    },
    "a planned value": {
        "planned_values": {
            "root_module": {
                "resources": [{"values": {"a": SECRET}, "sensitive_values": {"a": True}}]
            }
        }
    },
    "drift": {
        "resource_drift": [
            {
                "address": "x.d",
                "mode": "managed",
                "type": "x",
                "change": {
                    "actions": ["update"],
                    "before": {"a": SECRET},
                    "after": {},
                    "before_sensitive": {"a": True},
                },
            }
        ]
    },
}


@pytest.mark.parametrize("place", PLACES)
def test_it_finds_secrets_anywhere(place: str, document: Build) -> None:
    """It finds a value that is marked sensitive in this place."""
    assert SECRET in sensitive_strings(parse(document(**PLACES[place])))


def test_it_takes_both_sides_for_either_mark(document: Build, resource: Build) -> None:
    """It finds a value whose mark stands on the other side only."""
    change = resource("x.a", ("update",), {"a": "old"}, {"a": "new"}, before_sensitive={"a": True})
    assert sensitive_strings(parse(document(change))) == {"old", "new"}


def test_it_finds_none_where_none_is_marked(document: Build, resource: Build) -> None:
    """It leaves plain values alone."""
    plan = parse(document(resource("x.a", ("update",), {"a": "old"}, {"a": "new"})))
    assert sensitive_strings(plan) == frozenset()


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("a secret word", True),
        ("x" + json.dumps('quo"ted'), True),
        (base64.b64encode(b"a secret").decode(), True),
        ("        a line of a longer secret\n", True),
        ("1", True),
        ("10", False),
        ("harmless", False),
    ],
)
def test_it_hides_usual_forms(text: str, hidden: bool) -> None:
    """It hides parts, encodings and lines; a very short secret only as a whole."""
    secrets = {"a secret", 'quo"ted', "first\na line of a longer secret\n", "1"}
    assert veil(frozenset(secrets)).over(text) == (SENSITIVE if hidden else text)


SPOTS = st.sampled_from(["marked", "copied", "inside", "key", "index", "text", "check", "output"])


@given(st.sets(SPOTS, min_size=1), st.text("abcXYZ09-_/+", min_size=6, max_size=20))
def test_it_never_tells_a_secret(
    document: Build, resource: Build, spots: set[str], ending: str
) -> None:
    """It tells the secret neither in the summary nor in the differences, wherever it stands."""
    secret = f"s3cret{ending}"
    after = {
        "marked": secret,
        "copied": secret if "copied" in spots else "",
        "inside": f"https://user:{secret}@host/" if "inside" in spots else "",
        "map": {secret if "key" in spots else "k": 1},
        "text": f"one\n  {secret}\n" if "text" in spots else "one\n",
        "list": [{"deep": [secret]}] if "inside" in spots else [],
    }
    address = f'x.a["{secret}"]' if "index" in spots else "x.a"
    check = {
        "address": {"to_display": "check.c"},
        "status": "fail",
        "instances": [{"status": "fail", "problems": [{"message": f"bad {secret}"}]}],
    }
    output = {"o": {"actions": ["create"], "after": {"a": secret}}}
    change = resource(address, ("update",), {}, after, after_sensitive={"marked": True})
    plan = parse(
        document(
            change,
            checks=[check] if "check" in spots else [],
            output_changes=output if "output" in spots else {},
        )
    )
    other = parse(document(resource(address, ("update",), {"copied": "y"}, {"copied": "z"})))
    told = STORED.dump_json(summarise(plan)).decode()
    told += "".join((*differences(plan, other), *differences(other, plan)))
    assert secret not in told
