"""Which failures are one incident."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from prbot.drift.incidents import LEAST, Incident, cause, told_apart
from prbot.drift.issue import Section
from prbot.drift.verdict import ProjectVerdict
from prbot.model import ProjectKey, RepoRef, Sha
from prbot.runs.run import Flaw, Trouble


def failing(name: str, trouble: Trouble | str | None) -> Section:
    said = Trouble(trouble) if isinstance(trouble, str) else trouble
    return Section(
        repo=RepoRef("gh", "acme/infra"),
        project=ProjectKey(name),
        verdict=ProjectVerdict.ERROR if said else ProjectVerdict.CHECK_FAILED,
        commit=Sha("a" * 40),
        checked_at=datetime(2026, 3, 4, 3, 0, tzinfo=UTC),
        trouble=said,
    )


def names(sections: tuple[Section, ...]) -> str:
    return "".join(section.project.dir for section in sections)


def parted(sections: list[Section]) -> tuple[tuple[Incident, ...], tuple[Section, ...]]:
    apart = told_apart(sections)
    return apart.incidents, apart.alone


def test_five_alike_are_one() -> None:
    """It puts five projects that fail alike into one incident, and leaves the rest alone."""
    alike = [
        failing(name, f'no credentials for "{name}", request {n}') for n, name in enumerate("abcde")
    ]
    other = [failing("x", "no backend"), failing("y", None)]
    found, rest = parted([other[0], *alike, other[1]])
    assert [(each.words, names(each.sections)) for each in found] == [
        ('no credentials for "a", request 0', "abcde")
    ]
    assert names(rest) == "xy"


def test_four_alike_are_four() -> None:
    """It makes no incident of fewer."""
    found, rest = parted([failing(name, "no credentials") for name in "abcd"])
    assert (found, names(rest)) == ((), "abcd")
    assert LEAST == 5


def test_the_largest_comes_first() -> None:
    """It has an incident for each cause."""
    sections = [failing(name, "no backend") for name in "abcde"]
    sections += [failing(name, "no credentials") for name in "fghijk"]
    found, rest = parted(sections)
    assert [each.words for each in found] == ["no credentials", "no backend"]
    assert rest == ()


def test_failing_checks_are_no_incident() -> None:
    """It takes only what could not be planned for alike: failing checks are each project's own."""
    found, rest = parted([failing(name, None) for name in "abcdef"])
    assert (found, names(rest)) == ((), "abcdef")


FLAW = Flaw("a.tf", 3, 3, True, "Error acquiring the state lock")
SAME = {
    "quoted names": ('no "a" in "b"', 'no "c" in "d e"'),
    "back-quotes": ("no `a`", "no `b`"),
    "numbers": ("line 7 of 12", "line 8 of 9"),
    "ids of requests": (
        "RequestID: 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "RequestID: 8d3504e0-4f89-11d3-9a0c-0305e82c33ff",
    ),
    "paths": ("cannot read envs/a/main.tf now", "cannot read b/c.tf now"),
    "addresses": ("Get https://a.example/x: EOF", "Get https://b.example/y: EOF"),
    "line ends and case": ("No\ncredentials", "no  credentials"),
}
OTHER = {
    "other words": ("no credentials", "no backend"),
    "more words": ("no credentials", "no credentials at all"),
}


@pytest.mark.parametrize(("one", "two"), SAME.values(), ids=SAME.keys())
def test_one_cause(one: str, two: str) -> None:
    """It leaves out what is each project's own."""
    assert cause(Trouble(one)) == cause(Trouble(two))


@pytest.mark.parametrize(("one", "two"), OTHER.values(), ids=OTHER.keys())
def test_two_causes(one: str, two: str) -> None:
    """It keeps what is said."""
    assert cause(Trouble(one)) != cause(Trouble(two))


def test_the_tools_own_words_count() -> None:
    """It goes by the tool's first error where it named one, not by our sentence around it."""
    one = Trouble("plan of a failed", flaws=(FLAW,))
    two = Trouble("plan of b failed at once", flaws=(Flaw("b", 1, 1, False, "warned"), FLAW))
    assert cause(one) == cause(two) == "error acquiring the state lock"
    boxed = Trouble("`terraform plan` failed", output="x\n╷\n│ Error: No valid credentials\n│ \n")
    plain = Trouble("`terraform plan` failed", output="Error: No backend\n")
    assert (cause(boxed), cause(plain)) == ("no valid credentials", "no backend")


ODD = {
    "quotes": '"' * 99_999,
    "slashes": "a/" * 100_000,
    "one word": "x" * 200_000,
    "digits": "f0-" * 100_000,
    "an open quote": "'" + "a" * 200_000,
    "frames": "│ " * 100_000,
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_odd_text(text: str) -> None:
    """It looks at no more than a part of what a tool said, however odd and however much."""
    assert len(cause(Trouble("failed", flaws=(Flaw("a", 1, 1, True, text),)))) <= 1_000
    assert cause(Trouble("failed", output=text)) == "failed"
