"""What every text for a forge ends with, and whether it is too long."""

from __future__ import annotations

import re
from collections.abc import Iterable

from prbot.comments.continued import size as size
from prbot.comments.neutral import Safe

SMALLEST_LIMIT = 1_000
LONGEST_MARKER = 160

_MARKER = re.compile(r"[!-;=?-~][ -;=?-~]*\Z")


def gathered(pieces: Iterable[str], most: int) -> str | None:
    """The text, or None as soon as it is longer than anything that could fit."""
    kept, length = [], 0
    for piece in pieces:
        kept.append(piece)
        length += len(piece)
        if length > most:
            return None
    return "".join(kept)


def marker_line(marker: str) -> Safe:
    """Raises ValueError for a marker that cannot stand in an HTML comment."""
    if len(marker) > LONGEST_MARKER or not _MARKER.match(marker) or "--" in marker:
        raise ValueError("the marker cannot stand in an HTML comment")
    return Safe(f"<!-- {marker} -->")
