"""Hostile texts, each with what may stand in a comment for it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from prbot.comments.neutral import cell, clean, code, fence, html_code, mention, prose

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False, "html": True})

HOSTILE = st.text(
    alphabet=st.sampled_from("ab1 `|<>&@#/\\*_[]()!:.-~\n\r\t\u202e\u200b\x1b\ud800é日"),
    max_size=60,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;https://evil.example\x07link", "link"),
        ("bell\x07 nul\x00", "bell nul"),
        ("a\tb", "a    b"),
        ("left\u202eright", "left[U+202E]right"),
        ("zero\u200bwidth\ufeff", "zero[U+200B]width[U+FEFF]"),
        ("line\u2028end", "line[U+2028]end"),
        ("tag\U000e0041", "tag[U+E0041]"),
        ("filler\u3164", "filler[U+3164]"),
        ("half \ud800", "half \ufffd"),
        ("日本 é", "日本 é"),
    ],
)
def test_it_cleans(text: str, expected: str) -> None:
    """It leaves what people can see, and names the rest."""
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "`plain`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("a``b`", "``` a``b` ```"),
        ("", "`(empty)`"),
        ("a\nb", "`a b`"),
        ("</details>", "`</details>`"),
        ("@all", "`@all`"),
    ],
)
def test_it_writes_code_spans(text: str, expected: str) -> None:
    """It picks back-quotes that the text cannot end."""
    assert code(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a sentence, as people write it.", "a sentence, as people write it."),
        ("comment `prbot plan`.", "comment `prbot plan`."),
        ("ask @alice", "ask `@alice`"),
        ("`a`@bob", "`a` `@bob`"),
        ("see #12, GH-12, a/b#1", "see `#12`, `GH-12`, `a/b#1`"),
        ("at 1234567 or deadbeef", "at `1234567` or `deadbeef`"),
        ("https://evil.example www.evil.example", "`https://evil.example` `www.evil.example`"),
        ("[x](http://e) ![y](z)", "`[x](http://e)` `![y](z)`"),
        ("<b>bold</b> & **strong** _em_", "`<b>bold</b>` `&` `**strong**` `_em_`"),
        ("me@example.com :tada:", "`me@example.com` `:tada:`"),
        ("# heading\n- item\n1. one", "`#` heading `-` item 1. one"),
        ("1. one", "`1.` one"),
        ("odd ` quote", "odd `` ` `` quote"),
    ],
)
def test_it_writes_prose(text: str, expected: str) -> None:
    """It leaves words alone and wraps what could come alive."""
    assert prose(text) == expected


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        ("alice", "@alice"),
        ("a-b_c", "@a-b_c"),
        ("dependabot[bot]", "`dependabot[bot]`"),
        ("acme/sre", "`acme/sre`"),
        ("a b", "`a b`"),
        ("@alice", "`@alice`"),
        ("", "`(empty)`"),
        ("a" * 61, f"`{'a' * 59}…`"),
    ],
)
def test_it_mentions_accounts_only(login: str, expected: str) -> None:
    """It calls one person, never a team and never more than one."""
    assert mention(login) == expected


def test_it_cuts_and_shows_it() -> None:
    """It ends a long name with an ellipsis, within the length given."""
    assert code("x" * 50, 10) == "`xxxxxxxxx…`"


@given(HOSTILE)
def test_it_is_one_code_span(text: str) -> None:
    """It parses as exactly one code span, with nothing beside it."""
    tokens = MARKDOWN.parseInline(f"a {code(text)} b")[0].children or []
    assert [token.type for token in tokens] == ["text", "code_inline", "text"]


@given(HOSTILE, HOSTILE)
def test_it_is_one_fence(text: str, other: str) -> None:
    """It parses as one block, whose content is the cleaned text."""
    tokens = MARKDOWN.parse(f"{fence(text)}\n\n{fence(other)}\n")
    assert [token.type for token in tokens] == ["fence", "fence"]
    assert tokens[0].content.strip("\n") == clean(text).strip("\n")


@given(HOSTILE)
def test_it_stays_in_its_cell(text: str) -> None:
    """It leaves a table's row with as many cells as it had."""
    tokens = MARKDOWN.parse(f"| a | b |\n|---|---|\n| {cell(text)} | x |\n")
    cells = [after for at, after in pairwise(tokens) if at.type == "td_open"]
    assert len(cells) == 2
    assert cells[1].content == "x"


@given(HOSTILE)
def test_it_holds_no_live_markdown(text: str) -> None:
    """It is made of words and code spans only, and no word is a mention or a reference."""
    for token in MARKDOWN.parseInline(f"so: {prose(text)}")[0].children or []:
        assert token.type in ("text", "code_inline")
        if token.type == "text":
            assert not set(token.content) & set("@#<>[]*_`|\\~&")
            assert "//" not in token.content


@given(HOSTILE)
def test_it_holds_no_live_html(text: str) -> None:
    """It leaves no character of HTML or Markdown as itself."""
    inside = html_code(text).removeprefix("<code>").removesuffix("</code>")
    assert not set(inside) & set("<>`|@*[]")
