"""Comments as GitHub would show them: GitHub's Markdown, then GitHub's sanitiser.

Near enough to judge a comment by: tables, strikethrough, line breaks, raw HTML of the
allowed kinds, coloured diffs. Not promised: mentions, references, emoji codes, syntax
colours of other languages. The list of tags is GitHub's
(https://github.com/gjtorikian/html-pipeline, `SanitizationFilter`).
"""

from __future__ import annotations

import re
from html import escape

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup

_TAGS = """
    h1 h2 h3 h4 h5 h6 br b i strong em a pre code img tt div ins del sup sub p picture ol
    ul table thead tbody tfoot blockquote dl dt dd kbd q samp var hr ruby rt rp li tr td
    th s strike summary details caption figure figcaption abbr cite dfn mark small source
    span time wbr
"""
TAGS = set(_TAGS.split())
ATTRIBUTES = {
    "*": {"align", "title", "dir", "lang"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "details": {"open"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_ALERTS = ("note", "tip", "important", "warning", "caution")
CLASSES = {
    "span": {"added", "deleted", "changed", "hunk"},
    "blockquote": {"alert", *_ALERTS},
}
_ALERT = re.compile(rf"\[!({'|'.join(_ALERTS)})\]\n", re.IGNORECASE)
_LINE_CLASSES = {"+": "added", "-": "deleted", "@": "hunk", "!": "changed"}


def diff_lines(text: str) -> str:
    """A diff as HTML: each line escaped, and coloured by its first character."""
    lines = []
    for line in text.rstrip("\n").split("\n"):
        kind = _LINE_CLASSES.get(line[:1])
        shown = escape(line)
        lines.append(f'<span class="{kind}">{shown}</span>' if kind else shown)
    return "\n".join(lines) + "\n"


def _highlight(text: str, language: str, _attributes: str) -> str:
    return diff_lines(text) if language == "diff" else ""


def _align_cells(state: StateCore) -> None:
    """Say a cell's alignment as GitHub does: an attribute, because styles are removed."""
    for token in state.tokens:
        style = token.attrs.pop("style", None) if token.type in ("th_open", "td_open") else None
        if isinstance(style, str):
            token.attrs["align"] = style.removeprefix("text-align:")


def _alerts(state: StateCore) -> None:
    """A quotation that begins with `[!CAUTION]` and such becomes a box with a title.

    https://docs.github.com/en/get-started/writing-on-github (alerts)
    """
    for at, token in enumerate(state.tokens):
        if token.type != "blockquote_open" or token.level or at + 2 >= len(state.tokens):
            continue
        inline = state.tokens[at + 2]
        if inline.type == "inline" and (found := _ALERT.match(inline.content)):
            kind = found[1].lower()
            token.attrs["class"] = f"alert {kind}"
            inline.content = f"**{kind.capitalize()}**\n{inline.content[found.end() :]}"


_markdown = MarkdownIt("commonmark", {"html": True, "breaks": True, "highlight": _highlight})
_markdown.enable(["table", "strikethrough"])
_markdown.core.ruler.before("inline", "alerts", _alerts)
_markdown.core.ruler.push("align_cells", _align_cells)


def render(text: str) -> Markup:
    """Safe HTML for a page, whatever the text."""
    clean = nh3.clean(
        _markdown.render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        allowed_classes=CLASSES,
        url_schemes={"http", "https", "mailto"},
    )
    return Markup(clean)  # noqa: S704 - nh3 has just made it safe
