"""What of a step's output people read: shown, hidden, cut or masked, as its workflow says.

Source: https://www.runatlantis.io/docs/custom-workflows.html#custom-run-command. The
redactor comes after this and does not ask any workflow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from prbot.config.patterns import expression
from prbot.config.workflows import Output, OutputOption

REFRESHING = "Refreshing state..."
MASK = "<redacted>"


@dataclass(frozen=True)
class StepOutput:
    """What a step said for people, already redacted. `label` names it: `run: make plan`."""

    label: str
    text: str


def processed(text: str, options: Sequence[OutputOption], *, failed: bool) -> str:
    """`hide` hides nothing of a step that failed: people must see why."""
    modes = {option.mode for option in options}
    if Output.STRIP_REFRESHING in modes:
        text = _without_refreshing(text)
    for option in options:
        if option.filter_regex is not None:
            text = expression(option.filter_regex).sub(_masked, text)
    return "" if Output.HIDE in modes and not failed else text


def _without_refreshing(text: str) -> str:
    lines = text.split("\n")
    last = max((n for n, line in enumerate(lines) if REFRESHING in line), default=-1)
    return "\n".join(lines[last + 1 :])


def _masked(match: re.Match[str]) -> str:
    """What the first and the second group matched stays, as in Atlantis."""
    kept = [*(group or "" for group in match.groups()), "", ""]
    return f"{kept[0]}{MASK}{kept[1]}"
