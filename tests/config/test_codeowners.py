"""CODEOWNERS as GitHub's documentation describes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.config.codeowners import code_owners

# the patterns are those of GitHub's page "About code owners", with what it says of each
DOCUMENTED = """\
# a comment
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
"""
OWNED = [
    ("main.tf", ("@global-owner1", "@global-owner2")),
    ("deep/down/x.js", ("@js-owner",)),
    ("x.go", ("docs@example.com",)),
    ("x.txt", ("@octo-org/octocats",)),
    ("build/logs/a/b.tf", ("@octocat",)),  # `**/logs` comes later
    ("deep/build/logs.tf", ("@global-owner1", "@global-owner2")),
    ("docs/getting-started.md", ("@doctocat",)),
    ("other/docs/x.md", ("@global-owner1", "@global-owner2")),
    ("deep/apps/x/y", ("@octocat",)),
    ("scripts/x", ("@doctocat", "@octocat")),
    ("deep/logs/x/y", ("@octocat",)),
    ("apps/x", ("@octocat",)),
    ("apps/github/x", ()),
    ("apps/github", ()),
]


@pytest.mark.parametrize(("path", "owners"), OWNED)
def test_documented(path: str, owners: tuple[str, ...]) -> None:
    """It takes the last pattern that matches, and no other."""
    assert code_owners(DOCUMENTED).of(path) == owners


PATTERNS = [
    ("docs/*", "docs/x.md", True),
    ("docs/*", "docs/deep/x.md", False),
    ("docs/*", "other/docs/x.md", False),
    ("docs/", "other/docs/deep/x.md", True),
    ("/docs/", "other/docs/x.md", False),
    ("/docs", "docs", True),
    ("/docs", "docs/x", True),
    ("/docs", "docs2/x", False),
    ("*", "a/b/c", True),
    ("*.tf", "a/b/main.tf", True),
    ("*.tf", "main.tf.json", False),
    ("envs/**/main.tf", "envs/main.tf", True),
    ("envs/**/main.tf", "envs/a/b/main.tf", True),
    ("envs/**", "envs/a/b", True),
    ("envs/**", "envs", False),
    ("envs/pro?", "envs/prod/x", True),
    ("envs/pro?", "envs/production", False),
    ("README.md", "a/README.md", True),
    ("readme.md", "README.md", False),  # paths are told apart by case
    ("a\\ b.tf", "a b.tf", True),
    ("a.tf", "aXtf", False),
]


@pytest.mark.parametrize(("pattern", "path", "owned"), PATTERNS)
def test_patterns(pattern: str, path: str, owned: bool) -> None:
    """It matches as `.gitignore` does, but for the lone `*` at the end of a path."""
    assert bool(code_owners(f"{pattern} @ann").of(path)) is owned


SKIPPED = ["!main.tf @ann", "[ab].tf @ann", "\\#a @ann", "main.tf ann", "main.tf @", "/ @ann", "#"]


@pytest.mark.parametrize("line", SKIPPED)
def test_lines_github_skips(line: str) -> None:
    """It passes over a line that is none, so that an earlier rule counts."""
    assert code_owners(f"* @bob\n{line}\n").of("main.tf") == ("@bob",)


def test_a_pattern_without_owners() -> None:
    """It takes files out again."""
    assert code_owners("* @bob\n/main.tf\n").of("main.tf") == ()


@given(st.text(), st.text())
def test_any_text(text: str, path: str) -> None:
    """It reads whatever stands there, and never fails over a path."""
    code_owners(text).of(path)


def test_it_takes_no_long_time() -> None:
    """It cannot be held up by a pattern: a file of the default branch is not everybody's."""
    assert code_owners(f"{'*a' * 30}b @ann").of("a" * 4000) == ()
