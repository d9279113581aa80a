"""YAML: what is refused, and that nothing hostile gets further."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.config.document import ATLANTIS, parse, written
from prbot.errors.configuration import BadConfiguration

BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)

BAD = {
    "a: [1": "line 1: this is not YAML (expected ',' or ']', but got '<stream end>').",
    "a: 1\n\tb: 2": "line 2: this is not YAML (found character '\\t' that cannot start any token).",
    "a: 1\n---\nb: 2": "line 2: this is not YAML (but found another document).",
    "a: 1\nb: \x07": "line 2: this is not YAML (a character that YAML forbids).",
    "a: 1\nb: 2\na: 3": "line 3: the key `a` stands here a second time.",
    "x: {a: 1, a: 2}": "line 1: the key `a` stands here a second time.",
    "a: 1\non: 2": "line 2: the key on is not a word.",
    "1: a": "line 1: the key 1 is not a word.",
    "[a]: b": "line 1: the key here is not a word.",
    "a: &a {b: 1}\nc:\n  <<: *a": "line 3: merge keys (`<<`) are not supported.",
    "a: 2024-13-01": "line 1: this is not YAML (not a value of timestamp).",
    "a: !!python/object:os.system x": (
        "line 1: this is not YAML (could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object:os.system')."
    ),
    "a: " + "9" * 5000: "line 1: this is not YAML (not a value of int).",
    "&a [*a]": "line 1: the file is too large or too deeply nested.",
    "a: &a\n  b: *a": "line 1: the file is too large or too deeply nested.",
    "[" * 3000: "line 1: the file is too large or too deeply nested.",
    "x" * 1_100_000: "line 1: the file is too large or too deeply nested.",
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:20])
def test_bad(text: str) -> None:
    """It refuses what it cannot read with the line and the problem."""
    with pytest.raises(BadConfiguration) as caught:
        parse(text, "f")
    assert re.sub(r", column \d+", "", str(caught.value)) == f"f, {BAD[text]}"


def test_bomb() -> None:
    """It gives up on a document that aliases blow up, long before memory does."""
    with pytest.raises(BadConfiguration, match="too large"):
        parse(BOMB, "f")


def test_lines() -> None:
    """It remembers in which line each value stands, list items included."""
    document = parse("a: 1\nb:\n  c: [x,\n    y]\n\n# no\nd: {e: f}\n", "f")
    assert document.value == {"a": 1, "b": {"c": ["x", "y"]}, "d": {"e": "f"}}
    places = [("a",), ("b", "c"), ("b", "c", 1), ("d", "e"), ("d", "nowhere"), ("q",)]
    assert [document.line(place) for place in places] == [1, 3, 4, 7, 7, 1]


def test_spots() -> None:
    """It remembers columns too: a key's where there is one, else the value's."""
    document = parse("a: 1\nb:\n  c: [x,\n    y]\n", "f")
    places = [("a",), ("b", "c"), ("b", "c", 0), ("b", "c", 1), ("b", "nowhere")]
    assert [document.spot(place) for place in places] == [(1, 1), (3, 3), (3, 7), (4, 5), (2, 1)]


COLUMNS = {
    "a: 1\nb: \x07": (2, 4),
    "x: {a: 1, a: 2}": (1, 11),
    "a:\n  on: 2": (2, 3),
    "a: &a {b: 1}\nc:\n  <<: *a": (3, 3),
    "a:\n  - 2024-13-01": (2, 5),
    "a: 1\n\tb: 2": (2, 1),
}


@pytest.mark.parametrize("text", COLUMNS)
def test_columns(text: str) -> None:
    """It names line and column of what it cannot read."""
    with pytest.raises(BadConfiguration) as caught:
        parse(text, "f")
    assert (caught.value.line, caught.value.column) == COLUMNS[text]


MERGED = {
    "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3": {"y": "3", "x": "1"},
    "a: &a {x: 1}\nb:\n  y: 3\n  <<: *a\n  x: 4": {"y": "3", "x": "4"},
    "a: [&a {x: 1}, &b {x: 2, y: 2}]\nb: {<<: [*a, *b]}": {"x": "1", "y": "2"},
    "a: [&a {x: 1}, &b {<<: *a, y: 2}]\nb: {<<: *b}": {"y": "2", "x": "1"},
    "b: {yes: on, n: null, t: ~, e: , v: 1.10, d: 2024-13-01}": {
        "yes": "on",
        "n": None,
        "t": None,
        "e": None,
        "v": "1.10",
        "d": "2024-13-01",
    },
}


@pytest.mark.parametrize("text", MERGED)
def test_atlantis_dialect(text: str) -> None:
    """It reads scalars as they were written and merges mappings where the dialect says so."""
    value = parse(text, "f", ATLANTIS).value
    assert isinstance(value, dict)
    assert value["b"] == MERGED[text]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: {b: 1, b: 2}", "a second time"),
        ("a: &a {<<: *a}", "too large"),
        ("b: {<<: [x]}", "merges mappings only"),
        (
            "a0: &a0 {x: 1}\n"
            + "".join(
                f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
            ),
            "too large",
        ),
    ],
)
def test_bad_merges(text: str, problem: str) -> None:
    """It refuses keys twice, endless merges and merges that blow up."""
    with pytest.raises(BadConfiguration, match=problem):
        parse(text, "f", ATLANTIS)


@given(st.recursive(st.text() | st.none() | st.booleans() | st.integers(), st.lists))
def test_written(value: object) -> None:
    """It reads back what it writes."""
    assert parse(written({"a": value}), "f").value == {"a": value}


def test_alias() -> None:
    """It reads plain aliases."""
    assert parse("a: &x [1]\nb: *x", "f").value == {"a": [1], "b": [1]}


def test_empty() -> None:
    """It reads an empty file as no value."""
    assert parse("# nothing\n", "f").value is None


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(list("&*[]{}:-\n !<'|"))))
def test_any_text(text: str) -> None:
    """It answers any text with values or a BadConfiguration, and nothing else."""
    assert outcome(text) == "values" or outcome(text).startswith("f, line ")


def outcome(text: str) -> str:
    try:
        parse(text, "f")
    except BadConfiguration as error:
        return str(error)
    return "values"
