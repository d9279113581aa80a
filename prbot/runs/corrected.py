"""What is told of a correction of drift that went as far as an apply."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.model import Login, PlanId, ProjectKey
from prbot.runs.run import Trouble


@dataclass(frozen=True)
class CorrectionReport:
    """`actor` asked for it; None: a rule did. `plan` is the one that was applied. `proven`: a plan
    made afterwards changes nothing. `trouble` is of the apply, or of that plan."""

    project: ProjectKey
    actor: Login | None
    plan: PlanId | None
    proven: bool
    trouble: Trouble | None = None
