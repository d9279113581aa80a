"""What people need to know of a plan, as data: counts, changes, and what they would lose.

A summary is safe to store and to show: sensitive values are masked when it is made.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """Resource instances by action; each has one action, `import_` and `move` beside it."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    import_: int = 0
    move: int = 0
    forget: int = 0
    read: int = 0
    no_op: int = 0


@dataclass(frozen=True)
class PlanSummary:
    counts: Counts
