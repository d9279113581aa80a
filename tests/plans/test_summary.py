"""Counts and changes of recorded plans and of plans built by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter

from prbot.plans.plan import parse
from prbot.plans.summary import (
    Action,
    CheckCounts,
    Counts,
    FailingCheck,
    OutputCounts,
    PlanSummary,
    summarise,
)

Build = Callable[..., Any]
Read = Callable[[str], bytes]

STORED = TypeAdapter(PlanSummary)


@pytest.mark.parametrize(
    ("number", "counts", "outputs", "has_changes"),
    [
        ("00", Counts(no_op=2), OutputCounts(), False),
        ("01", Counts(no_op=2), OutputCounts(), False),
        ("02", Counts(update=1, no_op=1), OutputCounts(), True),
        ("03", Counts(update=1, no_op=1), OutputCounts(), True),
        ("04", Counts(no_op=2), OutputCounts(), False),
        ("05", Counts(update=1, no_op=1), OutputCounts(), True),
        ("06", Counts(no_op=2), OutputCounts(), False),
        ("07", Counts(create=1, no_op=1), OutputCounts(), True),
        ("08", Counts(replace=1, no_op=1), OutputCounts(update=1), True),
        ("09", Counts(create=1, delete=1, no_op=1), OutputCounts(update=1), True),
        ("10", Counts(move=1, no_op=2), OutputCounts(), True),
        ("11", Counts(no_op=2), OutputCounts(), False),
    ],
)
def test_it_counts_recorded_plans(
    number: str, counts: Counts, outputs: OutputCounts, has_changes: bool, recorded: Read
) -> None:
    """It counts each action once, moves beside them, and only moves are a change."""
    summary = summarise(parse(recorded(number)))
    assert (summary.counts, summary.outputs) == (counts, outputs)
    assert summary.has_changes is has_changes
    assert STORED.validate_json(STORED.dump_json(summary)) == summary


def test_it_names_what_forces_a_replacement(recorded: Read) -> None:
    """It says by which attribute, and marks its line."""
    (change,) = summarise(parse(recorded("08"))).changes
    assert (change.action, change.reasons) == (Action.REPLACE, ("forced by `name`",))
    assert '~ name = "q1" -> "q2"  # forces replacement' in change.lines


def test_it_tells_failing_checks(recorded: Read) -> None:
    """It counts them, and holds their messages."""
    summary = summarise(parse(recorded("11")))
    assert summary.checks == CheckCounts(fail=1)
    assert summary.failing_checks == (FailingCheck("check.param", "fail", ("p is not nope",)),)


@pytest.mark.parametrize(
    ("actions", "outside", "change", "counts", "reasons"),
    [
        (("forget",), {}, {}, Counts(forget=1), ()),
        (("delete",), {"deposed": "ab"}, {}, Counts(delete=1), ("left behind",)),
        (
            ("create", "delete"),
            {"action_reason": "replace_because_tainted"},
            {},
            Counts(replace=1),
            ("tainted", "created first"),
        ),
        (
            ("create", "forget"),
            {},
            {},
            Counts(create=1),
            ("left alone",),
        ),
        (("no-op",), {}, {"importing": {"id": "i-1"}}, Counts(no_op=1, import_=1), ()),
        (
            ("update",),
            {"previous_address": "x.old"},
            {"importing": {"unknown": True}},
            Counts(update=1, move=1, import_=1),
            (),
        ),
        (
            ("delete",),
            {"action_reason": "delete_because_each_key"},
            {},
            Counts(delete=1),
            ("for_each",),
        ),
        (("read",), {"mode": "data"}, {}, Counts(read=1), None),
        (("no-op",), {"mode": "data"}, {}, Counts(), None),
    ],
)
def test_it_counts_one_change(
    actions: tuple[str, ...],
    outside: dict[str, Any],
    change: dict[str, Any],
    counts: Counts,
    reasons: tuple[str, ...] | None,
    document: Build,
    resource: Build,
) -> None:
    """It counts one action and what stands beside it, and says why (None: not shown)."""
    summary = summarise(parse(document(resource("x.a", actions, outside=outside, **change))))
    assert summary.counts == counts
    said = [shown.reasons for shown in summary.changes]
    assert len(said) == (reasons is not None)
    for word, reason in zip(reasons or (), said[0] if said else (), strict=True):
        assert word in reason


@pytest.mark.parametrize(
    ("rest", "applyable"),
    [
        ({}, True),
        ({"applyable": True}, True),
        ({"applyable": False}, False),
        ({"applyable": True, "errored": True}, False),
        ({"errored": True}, False),
    ],
)
def test_it_says_whether_it_can_be_applied(
    rest: dict[str, bool], applyable: bool, document: Build
) -> None:
    """It never calls an errored plan applyable; old formats do not tell."""
    assert summarise(parse(document(**rest))).applyable is applyable


@pytest.mark.parametrize(
    ("before", "after", "marks", "lines"),
    [
        ({"a": 1}, {"a": 2}, {}, ["~ a = 1 -> 2"]),
        ({"a": None}, {"a": "x"}, {}, ['+ a = "x"']),
        ({"a": "x"}, {}, {}, ['- a = "x"']),
        ({"a": True}, {"a": 1}, {}, ["~ a = true -> 1"]),
        ({"a": ""}, {"a": None}, {}, ['- a = ""']),
        (
            {"t": {"k": "a", "b c": 1}},
            {"t": {"k": "b"}},
            {},
            ['- t["b c"] = 1', '~ t.k = "a" -> "b"'],
        ),
        ({"l": [1, 2]}, {"l": [1, 3, 4]}, {}, ["~ l[1] = 2 -> 3", "+ l[2] = 4"]),
        ({"a": 1}, {}, {"after_unknown": {"a": True}}, ["~ a = 1 -> (known after apply)"]),
        ({"a": {"b": 1}}, {"a": [1]}, {}, ["~ a = (1 key) -> (1 element)"]),
        ({"a": "k"}, {"a": "l"}, {"after_sensitive": {"a": True}}, ["~ a = (sensitive value)"]),
        ({"a": "k"}, {"a": "k"}, {"after_sensitive": {"a": True}}, []),
        (
            {"m": {"secretkey": "one"}},
            {"m": {"otherkey": "two"}},
            {"before_sensitive": {"m": True}, "after_sensitive": {"m": True}},
            ["~ m = (sensitive value)"],
        ),
        (
            {"a": "k1"},
            {"a": "k2"},
            {"before_sensitive": True},
            ["~ (whole object) = (sensitive value)"],
        ),
        (
            {"a": "k1k1"},
            {"a": "k2"},
            {"before_sensitive": {"a": {"o": True}}},
            ["~ a = (sensitive value)"],
        ),
        (
            {"u": "one\ntwo\n"},
            {"u": "one\nthree\n"},
            {},
            ["~ u = (text)", "      one", "-     two", "+     three"],
        ),
    ],
)
def test_it_shows_attributes(
    before: Any,
    after: Any,
    marks: dict[str, Any],
    lines: list[str],
    document: Build,
    resource: Build,
) -> None:
    """It shows what differs, a line each, and nothing of what is sensitive."""
    data = document(resource("x.a", ("update",), before, after, **marks))
    (change,) = summarise(parse(data)).changes
    assert [line for line in change.lines if line.strip()] == lines


def test_it_groups_what_follows_from_a_create(document: Build, resource: Build) -> None:
    """It puts unknown values of a new object on one line, and leaves empty ones out."""
    data = document(
        resource(
            "x.a", ("create",), None, {"n": "v", "e": "", "z": None}, after_unknown={"id": True}
        )
    )
    (change,) = summarise(parse(data)).changes
    assert change.lines == ('+ n = "v"', "  known after apply: id")


def test_it_shortens_long_values(document: Build, resource: Build) -> None:
    """It cuts around the first difference and tells the length."""
    long = "x" * 5_000
    data = document(resource("x.a", ("update",), {"a": long + "1"}, {"a": long + "2"}))
    (line,) = summarise(parse(data)).changes[0].lines
    assert len(line) < 700
    assert 'x1"' in line
    assert 'x2"' in line
    assert "(5,001 characters)" in line


def test_it_is_bounded_and_counts_what_it_leaves_out(document: Build, resource: Build) -> None:
    """It keeps what is lost, drops lines first, and counts everything."""
    long = {f"k{at}": "v" * 200 for at in range(50)}
    updates = [resource(f"x.u{at}", ("update",), {}, long) for at in range(10_000)]
    gone = [resource(f"x.z{at}", ("delete",), long) for at in range(100)]
    summary = summarise(parse(document(*updates, *gone)))
    assert len(STORED.dump_json(summary)) < 900_000
    assert summary.counts == Counts(update=10_000, delete=100)
    assert len(summary.changes) + summary.changes_left_out == 10_100
    assert {change.action for change in summary.changes[:100]} == {Action.DELETE}


def test_it_is_storable_whatever_it_holds(document: Build, resource: Build) -> None:
    """It holds no character that JSON or a database refuses."""
    odd = 'x.a["\ud800\x00\x1b[31m\u2028"]'
    data = document(resource(odd, ("update",), {"a\ud800": "\x00"}, {"a\ud800": "\ud800\n\x07"}))
    text = STORED.dump_json(summarise(parse(data))).decode()
    assert "\\u0000" not in text
    assert "\\u001b" not in text
