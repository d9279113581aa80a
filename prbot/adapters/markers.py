"""How our comments and issues are found again on any forge: by a marker in their text."""

from __future__ import annotations


def is_marked(body: str, marker: str) -> bool:
    """At its start or end: in between it may be quoted from a plan, by whoever wrote that."""
    text = body.strip()
    return text.startswith(marker) or text.endswith(marker)
