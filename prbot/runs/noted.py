"""What the journal is told of a decision beside what its steps do by themselves.

An apply has a line of its own when it is decided, because only then it is known who had
approved; a merge has none of these, for it is the decision itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from prbot.model import Login, ReviewState
from prbot.plans.record import StoredPlan
from prbot.runs.run import JobKind
from prbot.runs.scene import Scene
from prbot.runs.steps import FreeLocks, MergePull, Record, StartJob, Step

DECIDED = "apply decided"
MERGING = "merge decided"
FREED = "unlocked"


def noted(steps: tuple[Step, ...], scene: Scene) -> tuple[Step, ...]:
    """The lines first, then the steps; a decision to do nothing has none."""
    return (*(line for step in steps for line in _lines(step, scene)), *steps)


def _lines(step: Step, scene: Scene) -> Iterator[Record]:
    match step:
        case StartJob(project, JobKind.APPLY, plan_id):
            plan = scene.plan(plan_id)
            people = () if plan is None else standing(plan, scene)
            head = None if plan is None else plan.head
            yield Record(DECIDED, str(project), plan_id, head, people)
        case MergePull():
            yield Record(MERGING, step.method, commit=step.sha)
        case FreeLocks(projects) if projects:
            yield Record(FREED, ", ".join(map(str, projects)))


def standing(plan: StoredPlan, scene: Scene) -> tuple[Login, ...]:
    """Who approves the plan's commit now and may write, whether it was needed or not."""
    return tuple(
        review.author
        for review in scene.reviews
        if review.state is ReviewState.APPROVED
        and review.commit == plan.head
        and review.permission.can_write
    )
