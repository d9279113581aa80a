"""Where in the code the tool sees what is wrong."""

from __future__ import annotations

import json

import pytest

from prbot.adapters.terraform_output import MOST_PLACES, places, places_in_text


def line(severity: str = "error", **where: object) -> str:
    told = {"severity": severity, "summary": "Wrong", "detail": "why", **where}
    return json.dumps({"type": "diagnostic", "diagnostic": told})


def at(file: object, first: object, last: object) -> dict[str, object]:
    return {"filename": file, "start": {"line": first}, "end": {"line": last}}


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], ()),
        (["nonsense", "{}", '{"diagnostic": 7}', line(address="a.b")], ()),
        ([line(range=at("a.tf", 2, 4))], (("a.tf", 2, 4, True, "Wrong", "why"),)),
        ([line(range=at("a.tf", 2, 1))], (("a.tf", 2, 2, True, "Wrong", "why"),)),
        ([line(range=at("a.tf", 2, None))], (("a.tf", 2, 2, True, "Wrong", "why"),)),
        ([line(range=at("a.tf", 0, 1)), line(range=at(7, 1, 1)), line(range=7)], ()),
        ([line(range=at("a.tf", 2, 2))] * 2, (("a.tf", 2, 2, True, "Wrong", "why"),)),
        (
            [line("warning", range=at("a.tf", 1, 1)), line(range=at("b.tf", 1, 1))],
            (("b.tf", 1, 1, True, "Wrong", "why"), ("a.tf", 1, 1, False, "Wrong", "why")),
        ),
    ],
)
def test_places(lines: list[str], found: tuple[object, ...]) -> None:
    """It finds each place once, errors first, and passes over what has none."""
    assert places(lines) == found


def test_many_places_are_cut() -> None:
    """It keeps so many only, and the errors among them."""
    warned = [line("warning", range=at("a.tf", number, number)) for number in range(1, 999)]
    found = places([*warned, line(range=at("z.tf", 1, 1))])
    assert (len(found), found[0][0]) == (MOST_PLACES, "z.tf")


INIT = """\
Terraform encountered problems during initialisation.

Error: Unsupported block type

  on main.tf line 3, in resource "a" "b":
   3:   bogus {

Blocks of type "bogus" are not expected here.

Warning: Old thing

  on sub dir/x.tf line 12:
  12: x = 1

Error: No place

  on its own
"""


def test_places_in_text() -> None:
    """It reads the places that `init` tells to people."""
    assert places_in_text(INIT) == (
        ("main.tf", 3, 3, True, "Unsupported block type", ""),
        ("sub dir/x.tf", 12, 12, False, "Old thing", ""),
    )
