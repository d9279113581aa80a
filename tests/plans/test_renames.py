"""Which deletions and creations are likely one rename, and the block that says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prbot.plans.address import joined, steps
from prbot.plans.plan import parse
from prbot.plans.renames import renames
from prbot.plans.sensitive import sensitive_strings, veil

Build = Callable[..., Any]
Read = Callable[[str], bytes]
VALUES = {"name": "n", "size": 5, "tags": {}}


def found(data: bytes) -> list[tuple[str, str]]:
    plan = parse(data)
    return [(r.old, r.new) for r in renames(plan, veil(sensitive_strings(plan)))]


def test_it_finds_the_recorded_one(recorded: Read) -> None:
    """It finds the twins of the recorded plan and writes the block; moved ones need none."""
    plan = parse(recorded("09"))
    (rename,) = renames(plan, veil(frozenset()))
    assert rename.block == "moved {\n  from = aws_sqs_queue.q\n  to   = aws_sqs_queue.main\n}"
    assert [number for number in ("00", "07", "08", "10") if found(recorded(number))] == []


@pytest.mark.parametrize(
    ("gone", "new", "pairs"),
    [
        (["x.a"], ["x.b"], [("x.a", "x.b")]),
        (["x.a"], ["module.m.x.a"], [("x.a", "module.m.x.a")]),
        (["x.a"], ["x.a[0]"], [("x.a", "x.a[0]")]),
        (["x.a[0]"], ['x.a["k"]'], [("x.a[0]", 'x.a["k"]')]),
        (
            ["module.m.x.a", "module.m.y.b"],
            ["module.n.x.a", "module.n.y.b"],
            [("module.m", "module.n")],
        ),
        (['x.a["1"]', 'x.a["2"]'], ['x.b["1"]', 'x.b["2"]'], [("x.a", "x.b")]),
        (['module.m["k"].x.a'], ['module.n["k"].x.a'], [("module.m", "module.n")]),
        (["module.m.x.a"], ["module.o.module.m.x.a"], [("module.m", "module.o.module.m")]),
        # which of two is meant cannot be known
        (["x.a"], ["x.b", "x.c"], []),
        (["x.a", "x.b"], ["x.c"], []),
        (["x.a", "x.b"], ["x.c", "x.d"], []),
        # names tell
        (
            ["x.a", "x.b"],
            ["module.m.x.a", "module.m.x.b"],
            [("x.a", "module.m.x.a"), ("x.b", "module.m.x.b")],
        ),
        # another type
        (["x.a"], ["y.b"], []),
        # no address in HCL
        (['x.a["${x}"]'], ["x.b"], []),
        (["x.a\n}"], ["x.b"], []),
        (['x.a["\ud800"]'], ["x.b"], []),
        (['x.a["\x9b"]'], ["x.b"], []),
        (["x." + "a" * 600], ["x.b"], []),
        (['x.a["$${x}"]'], ["x.b"], [('x.a["$${x}"]', "x.b")]),
    ],
)
def test_it_pairs(
    gone: list[str], new: list[str], pairs: list[tuple[str, str]], document: Build, resource: Build
) -> None:
    """It pairs twins by type, values, names and keys, and tells the widest common block."""

    def of(address: str, *change: Any, **marks: Any) -> Any:
        kind = steps(address)[-1].name.split(".")[0] if steps(address) else "x"
        return resource(address, *change, outside={"type": kind}, **marks)

    data = document(
        *(of(a, ("delete",), {**VALUES, "id": a}) for a in gone),
        *(of(a, ("create",), None, VALUES, after_unknown={"id": True}) for a in new),
    )
    assert found(data) == pairs


@pytest.mark.parametrize(
    ("before", "after", "outside", "change"),
    [
        ({"name": "n"}, {"name": "m"}, {}, {}),
        ({"name": "n", "size": 1}, {"name": "n", "size": 2}, {}, {}),
        ({"name": "n"}, {"name": "n"}, {"deposed": "abcd"}, {}),
        ({"name": "n"}, {"name": "n"}, {"mode": "data"}, {}),
        # nothing that is known says that they are the same
        ({"name": "n"}, {}, {}, {"after_unknown": {"name": True}}),
        ({"name": None, "on": False}, {"name": "", "on": False}, {}, {}),
        ({"name": "n"}, {"name": "n"}, {}, {"importing": {"id": "n"}}),
    ],
)
def test_it_pairs_no(
    before: Any, after: Any, outside: Any, change: Any, document: Build, resource: Build
) -> None:
    """It pairs none whose known values differ, say nothing, or that are no whole objects."""
    gone = resource("x.a", ("delete",), before, outside=outside)
    assert found(document(gone, resource("x.b", ("create",), None, after, **change))) == []


def test_it_keeps_what_stays(document: Build, resource: Build) -> None:
    """It names instances one by one where a block for all would move another one too."""
    stays = resource('x.a["2"]', ("no-op",), VALUES, VALUES)
    gone = resource('x.a["1"]', ("delete",), VALUES)
    new = resource('x.b["1"]', ("create",), None, VALUES)
    assert found(document(stays, gone, new)) == [('x.a["1"]', 'x.b["1"]')]


def test_it_tells_no_secret(document: Build, resource: Build) -> None:
    """It offers no block whose address holds a sensitive value."""
    secret = resource("x.s", ("update",), {"p": "hunter22"}, {}, before_sensitive={"p": True})
    gone = resource('x.a["hunter22"]', ("delete",), VALUES)
    new = resource("x.b", ("create",), None, VALUES)
    assert found(document(secret, gone, new)) == []


def test_it_is_quick_with_many(document: Build, resource: Build) -> None:
    """It pairs thousands without comparing each with each."""
    many = range(3_000)
    data = document(
        *(resource(f"x.a[{n}]", ("delete",), {"name": f"n{n}"}) for n in many),
        *(resource(f"x.b[{n}]", ("create",), None, {"name": f"n{n}"}) for n in many),
    )
    assert found(data) == [("x.a", "x.b")]
    alike = document(
        *(resource(f"x.a[{n}]", ("delete",), VALUES) for n in many),
        *(resource(f"x.b[{n}]", ("create",), None, VALUES) for n in many),
    )
    assert found(alike) == []


@pytest.mark.parametrize(
    "address",
    [
        "x.a",
        "x.a[0]",
        'x.a["k"]',
        'x.a["a.b[0]"]',
        'x.a["\\"q|`<b>@me #12 $${x} %%{if} 日本"]',
        'module.m["k"].module.n[1].x.a',
        "data.x.a",
        "x.größe",
        "module.data.x.a",
    ],
)
def test_addresses(address: str) -> None:
    """It takes an address apart and puts it together again."""
    assert joined(steps(address)) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "x.",
        "x.a.",
        "x.a.b.c",
        "module.m",
        "x.a.module.m.y.b",
        'x.a["k',
        'x.a["${k}"]',
        "x.a[k]",
        "x.a b",
        "1.a",
        'x.a["\n"]',
        "x..a",
    ],
)
def test_no_addresses(address: str) -> None:
    """It takes nothing apart that is no instance's address."""
    assert steps(address) == ()
