"""`when_modified` as Atlantis means it: Docker's patterns, relative to a directory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.projects.patterns import matches

ROWS = [
    ("a", "*.tf", "a/main.tf", True),
    ("a", "*.tf", "a/b/main.tf", False),
    ("a", "*.tf", "b/main.tf", False),
    ("a", "*.tf*", "a/x.tfvars", True),
    ("a", "**/*.tf", "a/main.tf", True),
    ("a", "**/*.tf", "a/b/c/main.tf", True),
    ("a", "**/*.tf", "main.tf", False),
    ("a", "**", "a/b/c", True),
    ("a", "**", "b/c", False),
    ("a", "**/*", "a/b", True),
    (".", "**/*.tf", "x/y.tf", True),
    (".", "*.tf", "y.tf", True),
    ("a/b", "../*.tf", "a/x.tf", True),
    ("a/b", "../../m/**", "m/x/y.tf", True),
    ("a/b", "../../m/**", "a/m/x.tf", False),
    ("a", "../../x", "x", False),
    ("a", "d", "a/d/x/y.tf", True),
    ("a", "d/", "a/d/x", True),
    ("a", "d", "a/dd", False),
    ("a", "?.tf", "a/x.tf", True),
    ("a", "?.tf", "a/xy.tf", False),
    ("a", "?", "a/", False),
    ("a", "[xy].tf", "a/x.tf", True),
    ("a", "[x-z].tf", "a/y.tf", True),
    ("a", "[^x].tf", "a/x.tf", False),
    ("a", "[^x].tf", "a/y.tf", True),
    ("a", "\\*.tf", "a/*.tf", True),
    ("a", "\\*.tf", "a/x.tf", False),
    ("a", "x**y", "a/x/z/y", True),
    ("a", "b/**/c", "a/b/c", True),
    ("a", "b/**/c", "a/b/x/y/c", True),
    ("a", "a.tf", "a/aXtf", False),
    ("a", "*.tf !x.tf", "a/x.tf", False),
    ("a", "*.tf !x.tf", "a/y.tf", True),
    ("a", "!x.tf *.tf", "a/x.tf", True),
    ("a", "**/*.tf !sub", "a/sub/x.tf", False),
    ("a", "**/*.tf !sub sub/keep.tf", "a/sub/keep.tf", True),
    ("a", "**/*.tf !../a/sub/**", "a/sub/x.tf", False),
    ("a", "!", "a/x", False),
    ("a", "", "a/x", False),
    ("umgebung/größe", "*.tf", "umgebung/größe/ä.tf", True),
]


@pytest.mark.parametrize(("directory", "patterns", "path", "wanted"), ROWS)
def test_matches(directory: str, patterns: str, path: str, wanted: bool) -> None:
    """It matches as moby/patternmatcher does."""
    assert matches(directory, patterns.split(" "), path) is wanted


def test_hostile_pattern() -> None:
    """It answers at once for patterns that make backtracking matchers run for ages."""
    assert not matches(".", ["*a" * 60 + "b"], "a" * 400)
    assert not matches(".", ["**/a/" * 60 + "b"], "a/" * 200 + "c")


@given(st.text("ab*?[]!^-\\/.", max_size=20), st.text("ab/.", min_size=1, max_size=20))
def test_any_pattern(pattern: str, path: str) -> None:
    """It has an answer for every pattern, and a pattern without signs is a plain path."""
    assert matches(".", [pattern], path) in (True, False)
    assert not matches("d", [pattern], "") or pattern
