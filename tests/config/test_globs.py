"""Globs: the meaning of wcmatch's, and never slow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcmatch import glob

from prbot.config.globs import MAX_ASTERISKS, matches_any

FLAGS = glob.GLOBSTAR | glob.DOTGLOB | glob.FORCEUNIX
SIGNS = ["a", "b", ".x", "-", "*", "**", "?", "[ab]", "[!a]", "[^b]", "[a-c]", "\\*", "é", "]"]
parts = st.lists(st.sampled_from(SIGNS), min_size=1, max_size=4).map("".join)
patterns = st.lists(st.one_of(st.just("**"), parts), min_size=1, max_size=4).map("/".join)
names = st.text("abAé.x-*]c", min_size=1, max_size=4).filter(lambda n: n not in (".", ".."))
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


@given(patterns, paths, st.booleans())
def test_as_wcmatch(pattern: str, path: str, fold: bool) -> None:
    """It means what wcmatch, by which people may know such globs, means."""
    flags = FLAGS | (glob.IGNORECASE if fold else glob.CASE)
    assert matches_any((pattern,), path, fold) == glob.globmatch(path, pattern, flags=flags)


CASES = [
    ("*", ".", False), ("**", ".", False), (".", ".", True), ("?", ".", False),
    ("a/**", "a", False), ("a/**", "a/b/c", True), ("**/a", "a", True), ("a/**/b", "a/b", True),
    ("[]a]", "]", True), ("[!]a]", "b", True), ("[a/b]", "a", False), ("[", "[", True),
    ("[[:alpha:]]", "x", True), ("[z-a]", "b", False), ("a.b", "axb", False), ("{a,b}", "a", False),
    ("caf?", "caf\udce9", True), ("*", "two\nlines", True), ("(a|b)+", "a", False),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "path", "expected"), CASES)
def test_matches(pattern: str, path: str, expected: bool) -> None:
    """It keeps to one part of a path, and gives no other sign a meaning."""
    assert matches_any((pattern,), path) is expected


@pytest.mark.parametrize("piece", ["*a", "**/", "*[!b]", "*?", "**/*a"])
def test_hostile(piece: str) -> None:
    """It answers in a moment, whatever pattern and name; else a comment would stop the service."""
    pattern = piece * (MAX_ASTERISKS // piece.count("*")) + "b"
    for name in ("a" * 250, "a/" * 120 + "a"):
        assert not matches_any((pattern,), name)
