"""Lists, sets and JSON in strings, as lines; the table stood here before the code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.plans.align import MOST_ELEMENTS, aligned
from prbot.plans.json_text import json_in
from prbot.plans.plan import parse
from prbot.plans.summary import summarise

Build = Callable[..., Any]

ALLOW = {"Statement": [{"Action": "s3:Get*", "Effect": "Allow"}]}
DENY = {"Statement": [{"Action": "s3:Get*", "Effect": "Deny"}]}
RULE, OTHER = {"port": 22, "cidr": "10.0.0.0/8"}, {"port": 443, "cidr": "0.0.0.0/0"}


def lines(document: Build, resource: Build, old: Any, new: Any, **marks: Any) -> list[str]:
    change = resource("x.a", ("update",), {"v": old}, {"v": new}, **marks)
    return list(summarise(parse(document(change))).changes[0].lines)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["a", "b"], ["x", "a", "b"], ['+ v[0] = "x"']),
        (["a", "b", "c"], ["a", "c"], ['- v[1] = "b"']),
        (["a", "b"], ["a", "c"], ['~ v[1] = "b" -> "c"']),
        ([RULE], [OTHER, RULE], ['+ v[0].cidr = "0.0.0.0/0"', "+ v[0].port = 443"]),
        ([OTHER, RULE], [OTHER, {**RULE, "port": 23}], ["~ v[1].port = 22 -> 23"]),
        (
            json.dumps(ALLOW),
            json.dumps(DENY),
            ["~ v = (JSON)", '~ v.Statement[0].Effect = "Allow" -> "Deny"'],
        ),
        (
            json.dumps(ALLOW),
            json.dumps(ALLOW, indent=2),
            ["~ v = (the same JSON, written otherwise)"],
        ),
        ("[1, 2]", "[2]", ["~ v = (JSON)", "- v[0] = 1"]),
        ("[1]", "{}", ['~ v = "[1]" -> "{}"']),
        ("{a}", "{b}", ['~ v = "{a}" -> "{b}"']),
        (
            "#!/bin/sh\nset -e\necho a\n",
            "#!/bin/sh\nset -e\necho b\n",
            [
                "~ v = (text)",
                "      #!/bin/sh",
                "      set -e",
                "-     echo a",
                "+     echo b",
            ],
        ),
        (
            "1\n2\n3\n4\n5",
            "1\n2\n3\n4\nx",
            ["~ v = (text)", "      …", "      3", "      4", "-     5", "+     x"],
        ),
        ({"a": 1, "b": 2}, {"b": 3, "c": 4}, ["- v.a = 1", "~ v.b = 2 -> 3", "+ v.c = 4"]),
    ],
)
def test_lines(old: Any, new: Any, expected: list[str], document: Build, resource: Build) -> None:
    """It tells what changed inside, and leaves out what stayed."""
    told = lines(document, resource, old, new)
    assert told[: len(expected)] == expected
    assert [line for line in told[len(expected) :] if line.strip()] == []


def test_a_secret_in_json(document: Build, resource: Build) -> None:
    """It hides the whole text when a secret stands in it."""
    old, new = ({"user": "root", "password": f"{word}-s3cret"} for word in ("first", "other"))
    marks = {"before_sensitive": {"p": True}, "after_sensitive": {"p": True}}
    before = {"v": json.dumps(old), "p": "first-s3cret"}
    after = {"v": json.dumps(new), "p": "other-s3cret"}
    change = resource("x.a", ("update",), before, after, **marks)
    told = summarise(parse(document(change))).changes[0].lines
    assert "~ v = (sensitive value)" in told
    assert "s3cret" not in repr(told)


def test_deep_json_is_text(document: Build, resource: Build) -> None:
    """It takes JSON without end for the text that it is."""
    deep = "[" * 5_000 + "]" * 5_000
    assert json_in(deep) is None
    assert json_in("[" * 50 + "]" * 50) is None
    assert lines(document, resource, deep, deep + " ")[0].startswith("~ v = ")


@given(st.lists(st.integers(0, 5), max_size=9), st.lists(st.integers(0, 5), max_size=9))
def test_every_element_is_accounted_for(old: list[int], new: list[int]) -> None:
    """It makes the new list of the old one by what it tells."""
    pairs = aligned(old, new)
    gone = {i for i, _ in pairs if i is not None}
    come = {j: new[j] for _, j in pairs if j is not None}
    stays = iter([value for i, value in enumerate(old) if i not in gone])
    assert [come[j] if j in come else next(stays) for j in range(len(new))] == new
    assert next(stays, None) is None


def test_long_lists_are_compared_place_by_place() -> None:
    """It does not look for equal elements in lists that are too long for it."""
    old = list(range(MOST_ELEMENTS + 1))
    assert aligned(old, old[1:])[-1] == (MOST_ELEMENTS, None)


def test_it_shows_where_a_long_text_changes(document: Build, resource: Build) -> None:
    """It begins shortly before the first change, however far back that is."""
    same, start = "x" * 300_000, "x" * 20
    (line,) = lines(document, resource, same + "old", same + "new")
    ends = (f'…"{start}{word}" (300,003 characters)' for word in ("old", "new"))
    assert line == f"~ v = {' -> '.join(ends)}"
