"""Shows a comment in the terminal: Markdown as a person reads it, folds opened."""

from __future__ import annotations

import html
import re

from rich.console import Console
from rich.markdown import Markdown

_SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.DOTALL)
_TAG = re.compile(r"</?(?:details|summary|b|strong|code|sub|br|p)\b[^<>]*>")
_ALERT = re.compile(r"(?m)^> \[!(?:CAUTION|WARNING)\]\n")
_HIDDEN = re.compile(r"<!--.*?-->", re.DOTALL)


def show(comment: str, console: Console) -> None:
    """Print the comment; HTML that a forge would fold or hide is opened or left out."""
    console.print(Markdown(plain(comment)))


def plain(comment: str) -> str:
    """The comment without HTML, outside of its fenced blocks, which stay as they are."""
    parts = re.split(
        r"(?m)(^(?P<fence>`{3,})[^\n]*\n.*?^(?P=fence)[ ]*$)", comment, flags=re.DOTALL
    )
    texts = (part for index, part in enumerate(parts) if index % 3 != 2)
    return "".join(text if text.startswith("```") else _without_html(text) for text in texts)


def _without_html(text: str) -> str:
    text = _ALERT.sub("", text)
    text = _SUMMARY.sub(lambda match: f"\n**{_TAG.sub('', match[1]).strip()}**\n", text)
    return html.unescape(_TAG.sub("", _HIDDEN.sub("", text)))
