"""The folded part of a project: what happens to each resource, made from the plan's JSON.

One fold per action. GitHub colours the lines of a diff by their first sign: `+` green,
`-` red, `!` orange. Context goes first where lines must be saved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prbot.comments.budget import Budget
from prbot.comments.neutral import Safe
from prbot.comments.words import plural
from prbot.plans.summary import Action, PlanSummary, ShownChange, ShownOutput

WIDTH = 90
UNKNOWN_NAMES = "  known after apply: "
_HEADS = {
    Action.DELETE: "-",
    Action.REPLACE: "-/+",
    Action.UPDATE: "!",
    Action.CREATE: "+",
}


@dataclass(frozen=True)
class Fold:
    """`title` says how many there are in all; `diff` is not neutralised yet."""

    title: Safe
    diff: str


def folds(summary: PlanSummary, budget: Budget) -> tuple[Fold, ...]:
    """Deletions, replacements, updates, creations, outputs; empty ones left out."""
    if budget.items < 2:
        return ()
    resources = (_of_action(summary, action, budget) for action in _HEADS)
    found = [*resources, _of_outputs(summary, budget)]
    return tuple(fold for fold in found if fold.diff)


def _of_action(summary: PlanSummary, action: Action, budget: Budget) -> Fold:
    count = getattr(summary.counts, action.value)
    changes = [change for change in summary.changes if change.action is action]
    blocks = ["\n".join(_resource_lines(c, budget)) for c in changes[: budget.items]]
    more = max(count, len(changes)) - len(blocks)
    blocks += [f"# {more:,} more to {action.value}"] if blocks and more else []
    return Fold(Safe(f"{count:,} to {action.value}"), "\n\n".join(blocks))


def _of_outputs(summary: PlanSummary, budget: Budget) -> Fold:
    o = summary.outputs
    shown = summary.output_changes[: budget.items]
    lines = [line for out in shown for line in _output_lines(out, budget)]
    more = len(summary.output_changes) - len(shown) + summary.outputs_left_out
    lines += [f"# {plural(more, 'more output')}"] if more else []
    return Fold(plural(o.create + o.update + o.delete, "output"), "\n".join(lines))


def _output_lines(output: ShownOutput, budget: Budget) -> Iterator[str]:
    """Its name alone where the summary had no room for its value."""
    if output.lines:
        return _cut_lines(output.lines, output.more_lines, budget, "")
    return iter((f"{_HEADS.get(output.action, '!')} {_short(output.name, budget)}",))


def _resource_lines(change: ShownChange, budget: Budget) -> list[str]:
    deposed = " (deposed)" if change.deposed else ""
    head = f"{_HEADS[change.action]} {_short(change.address, budget)}{deposed}"
    return [head, *_cut_lines(change.lines, change.more_lines, budget, "    ")]


def _cut_lines(lines: Sequence[str], more: int, budget: Budget, indent: str) -> Iterator[str]:
    kept = _telling(lines, budget.lines)
    for line in kept:
        sign = "!" if line[:1] == "~" else line[:1]
        line = _context(line) if line.startswith(UNKNOWN_NAMES) else line
        yield f"{sign}{indent}{_short(line[1:], budget)}"
    left_out = len(lines) - len(kept) + more
    if left_out and budget.lines:
        yield f" {indent} … {plural(left_out, 'more line')}"


def _telling(lines: Sequence[str], most: int) -> Sequence[str]:
    """The first `most` lines; where they are too many, those that change something."""
    if len(lines) <= most:
        return lines
    return [line for line in lines if line[:1] in ("+", "-", "~")][:most]


def _context(line: str) -> str:
    """Names of values that are not known yet: as many as can be read without scrolling."""
    if len(line) <= WIDTH:
        return line
    kept = line[:WIDTH].rpartition(", ")[0]
    more = line.count(", ") - kept.count(", ")
    return f"{kept} and {more} more" if kept else line


def _short(text: str, budget: Budget) -> str:
    longest = budget.sentence
    return text if len(text) <= longest else text[: longest - 1] + "…"
