"""Long texts are searched another way than short ones, and nothing else may come of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prbot.telemetry import SHORTEST, Needles

LETTERS = "ab\n"
FORMS = st.sets(st.text(LETTERS, min_size=SHORTEST, max_size=9), max_size=40)
TEXTS = st.text(LETTERS, max_size=60)
LONG = 10_000


def _expected(forms: set[str], text: str) -> list[tuple[int, int]]:
    """The longest find at each place, looked for in the simplest way."""
    found = []
    for at in range(len(text)):
        ends = [at + len(form) for form in forms if text.startswith(form, at)]
        found += [(at, max(ends))] if ends else []
    return found


@given(FORMS, TEXTS, TEXTS, st.booleans())
def test_it_finds_the_same_in_a_long_text(
    forms: set[str], head: str, tail: str, is_long: bool
) -> None:
    """It finds overlapping forms, at both ends too, whatever the length."""
    text = head + "-" * (LONG if is_long else 0) + tail
    expected = _expected(forms, head)
    shift = len(text) - len(tail)
    expected += [(a + shift, b + shift) for a, b in _expected(forms, tail)]
    if not is_long:
        expected = _expected(forms, text)
    assert list(Needles(forms).finds(text)) == expected


def test_it_finds_in_a_text_of_one_letter() -> None:
    """It finds a form at every place at which it overlaps itself."""
    assert len(list(Needles(["aaaa", "aaaaaa"]).finds("a" * LONG))) == LONG - SHORTEST + 1
