"""Likely renames, laid out for their template: the text to copy."""

from __future__ import annotations

from collections.abc import Iterable

from prbot.plans.summary import Rename


def moved_blocks(renames: Iterable[Rename]) -> str:
    """`moved` blocks for the root module."""
    return "\n\n".join(rename.block for rename in renames)
