"""Which commits a list of merge trains tells, however little it says of one of them."""

from __future__ import annotations

from typing import Any

import pytest

from prbot.adapters.gitlab_shapes import CARS

SHA, REF = "c" * 40, "refs/merge-requests/7/train"
CAR: dict[str, Any] = {
    "target_branch": "main",
    "user": {"username": "ann"},
    "pipeline": {"sha": SHA, "ref": REF, "status": "running"},
}


@pytest.mark.parametrize(
    ("odd", "tried"),
    [
        ({}, SHA),
        ({"user": None}, SHA),
        ({"pipeline": None}, None),
        ({"target_branch": None}, None),
        ({"pipeline": {"sha": None, "ref": REF, "status": "running"}}, None),
        ({"pipeline": {"sha": "--upload-pack=x", "ref": REF, "status": "running"}}, None),
        ({"pipeline": {"sha": SHA, "ref": None, "status": "running"}}, None),
        ({"pipeline": {"sha": SHA, "ref": "topic", "status": "running"}}, None),
        ({"pipeline": {"sha": SHA, "ref": REF, "status": None}}, SHA),
        ({"pipeline": {"sha": SHA, "ref": REF, "status": "canceled"}}, None),
        ({"pipeline": {"sha": SHA, "ref": REF}}, SHA),
    ],
)
def test_one_of_two(odd: dict[str, Any], tried: str | None) -> None:
    """One of which less is told keeps nobody from the others: while the list could not be read,
    every webhook of the forge waited behind the one that asked for it."""
    first, second = CARS.validate_python([CAR | odd, CAR])
    assert (first.tried, second.tried) == (tried, SHA)
