"""One argument has one spelling."""

from __future__ import annotations

import pytest

from prbot.plans.spelling import one_spelling

FILE = ("-var-file=env/prod.tfvars",)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (("-var-file=env/prod.tfvars",), FILE),
        (("--var-file=env/prod.tfvars",), FILE),
        (("-var-file", "env/prod.tfvars"), FILE),
        (("--var-file", "env/prod.tfvars"), FILE),
        (("-var-file=./env/prod.tfvars",), FILE),
        (("-var-file=env//x/../prod.tfvars",), FILE),
        (("-var", "a=b=c"), ("-var=a=b=c",)),
        (("--refresh=false",), ("-refresh=false",)),
        (("-compact-warnings", "-target=x.y"), ("-compact-warnings=true", "-target=x.y")),
        (("-refresh-only",), ("-refresh-only=true",)),
        (("--", "-var-file", "x"), ("--", "-var-file", "x")),
        (("-var=a=1", "-var=a=2"), ("-var=a=1", "-var=a=2")),
        ((), ()),
    ],
)
def test_it_has_one_spelling(typed: tuple[str, ...], meant: tuple[str, ...]) -> None:
    """It reads dashes, values and paths as the tool does, and keeps their order."""
    assert one_spelling(typed) == meant
    assert one_spelling(meant) == meant
