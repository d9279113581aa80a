"""The table a benchmark prints: medians with their spread, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`values` are what was measured, already in `unit`; `aim` is told, never asserted."""

    what: str
    values: Sequence[float]
    unit: str
    digits: int = 0
    aim: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        numbers = (statistics.median(self.values), min(self.values), max(self.values))
        shown = (f"{number:,.{self.digits}f}" for number in numbers)
        return (self.what, *shown, self.unit, str(len(self.values)), self.aim)


HEAD = ("what", "median", "min", "max", "unit", "rounds", "aim")
LEFT = {0, 4, 6}
"""Columns of words."""


def markdown(rows: Sequence[Row]) -> str:
    lines = [HEAD, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]

    def row(cells: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if column in LEFT else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    rule = (
        "-" * width if column in LEFT else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    )
    return "\n".join([row(HEAD), row(tuple(rule)), *(row(line) for line in lines[1:])])
