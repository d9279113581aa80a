"""Regular expressions of configuration files: Go's meaning, and never without end."""

import re
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prbot.config.patterns import MAX_LENGTH, expression
from prbot.errors.configuration import BadExpression

MATCHES = [
    ("main", "domain", True),
    ("^main$", "main\n", False),  # Go's `$` is the very end
    ("^(main|dev)$", "dev", True),
    ("(?i)MAIN", "main", True),
    ("a(?i:B)c", "abc", True),
    ("a(?i:B)c", "abC", False),
    (r"((?i)secret:\s\")[^\"]*", 'SECRET: "x', True),
    ("((?i)a)b", "Ab", True),
    ("((?i)a)b", "AB", False),
    (r"v\d+\.\d+", "v1.2", True),
    ("[^a-c]", "b", False),
    ("[]a]", "]", True),
    (r"a{2,3}", "aa", True),
    (r"a\{2", "a{2", True),
    ("(?s).+", "\n", True),
    (".+", "\n", False),
    ("release/.*?-x?", "release/1-", True),
    ("", "anything", True),
]


@pytest.mark.parametrize(("pattern", "text", "matches"), MATCHES)
def test_matches(pattern: str, text: str, matches: bool) -> None:
    """It matches as Go would."""
    assert (expression(pattern).search(text) is not None) is matches


REFUSED = [
    "(a+)+",
    "(a*)*b",
    "(a|a)*b",
    "(a?a?)*b",
    "((a{1,9})){1,9}",
    "a**",
    "a*+",
    "(a)\\1",
    "(?=a)",
    "(?!a)",
    "(?<=a)b",
    "(?P<n>a)",
    "(?m)a",
    "a(?i)b",
    "(a",
    "a)",
    "[a",
    "*a",
    "a{x",
    "[[:alpha:]]",
    r"\pN",
    r"\z",
    "a*" * 5,
    "(a|a)" * 20,
    "a" * (MAX_LENGTH + 1),
]


@pytest.mark.parametrize("pattern", REFUSED)
def test_refused(pattern: str) -> None:
    """It refuses what could run away, and what Python reads otherwise."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # its argument is looked at
        expression(pattern)
    assert isinstance(caught.value.args[0], BadExpression)


@settings(deadline=timedelta(seconds=5))
@given(st.text(st.sampled_from(list("aab()[]{}*+?|\\.^$019,-:id")), max_size=40))
def test_always_ends(pattern: str) -> None:
    """It answers any text with a refusal, or with an expression that ends soon."""
    found = answer(pattern)
    if isinstance(found, re.Pattern):
        found.search("a" * 40 + "!")
    else:
        assert isinstance(found, BadExpression)


def answer(pattern: str) -> object:
    try:
        return expression(pattern)
    except ValueError as error:
        return error.args[0]
