"""What of a step's output people read: shown, hidden, cut or masked, as its workflow says.

Source: https://www.runatlantis.io/docs/custom-workflows.html#custom-run-command. The
redactor comes after this and does not ask any workflow.
"""

from __future__ import annotations

from collections.abc import Sequence

from prbot.config.patterns import substituted
from prbot.config.workflows import (
    EnvStep,
    MultiEnvStep,
    Output,
    OutputOption,
    RunStep,
    StepConfig,
)

REFRESHING = "Refreshing state..."
MASK = "<redacted>"


LABEL = 80
"""Most characters of a command by which a step is called."""


def label_of(config: StepConfig) -> str:
    """`run: make plan`, `env: TF_VAR_a`, `init`: what people know a step by."""
    match config.step:
        case RunStep(command=command) | MultiEnvStep(command=command):
            return f"{config.kind}: {short(command)}"
        case EnvStep(name=name):
            return f"env: {name}"
        case _:
            return config.kind


def short(command: str) -> str:
    """Its first line, or as much of that as people need to know it again."""
    first = command.strip().splitlines()[0] if command.strip() else ""
    whole = first == command.strip() and len(first) <= LABEL
    return f"{first[:LABEL]}{'' if whole else ' …'}"


def processed(text: str, options: Sequence[OutputOption], *, failed: bool) -> str:
    """`hide` hides nothing of a step that failed: people must see why."""
    modes = {option.mode for option in options}
    if Output.STRIP_REFRESHING in modes:
        text = _without_refreshing(text)
    for option in options:
        if option.filter_regex is not None:
            text = substituted(option.filter_regex, _masked, text)
    return "" if Output.HIDE in modes and not failed else text


def _without_refreshing(text: str) -> str:
    lines = text.split("\n")
    last = max((n for n, line in enumerate(lines) if REFRESHING in line), default=-1)
    return "\n".join(lines[last + 1 :])


def _masked(groups: Sequence[str | None]) -> str:
    """What the first and the second group matched stays, as in Atlantis."""
    kept = [*(group or "" for group in groups), "", ""]
    return f"{kept[0]}{MASK}{kept[1]}"
