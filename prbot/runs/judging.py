"""Everything that an apply by comment has to meet, asked at once.

An apply is judged here before anything is planned again, and once more before anything is
applied. A merge (`merging`) and what is left to nobody (`accepting`) are other questions,
with other answers about head, approval and readiness; what is common to all of them they
share predicate by predicate.
"""

from __future__ import annotations

from prbot.config.repo import Effective
from prbot.plans.record import StoredPlan
from prbot.runs.accepting import accounted_for
from prbot.runs.arguments import arguments_allowed, destroyed_in_order
from prbot.runs.requirements.approvals import approved
from prbot.runs.requirements.asking import may_command
from prbot.runs.requirements.plans import needs_applied, plan_is_ready
from prbot.runs.requirements.pulls import mode_allows, pull_is_fit
from prbot.runs.requirements.standing import seen_when_asked
from prbot.runs.run import Run
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import Scene


def judged(run: Run, scene: Scene, rules: Effective, todo: tuple[StoredPlan, ...]) -> Reasons:
    """Why these plans must not be applied on an open pull request; locks aside."""
    ready = (plan_is_ready(plan, scene, scene.pull.head_sha) for plan in todo)
    return (
        may_command(run.ask, scene.permission)
        + head_moved(run, scene)
        + mode_allows(rules)
        + pull_is_fit(scene.pull)
        + sum(ready, start=())
        + needs_applied(run, scene, todo)
        + destroyed_in_order(scene, todo)
        + arguments_allowed(todo, scene, rules)
        + seen_when_asked(run.ask, scene, todo)
        + accounted_for(run, scene, {plan.project for plan in todo})
        + (approved(rules, scene, todo) if todo else ())
    )


def head_moved(run: Run, scene: Scene) -> Reasons:
    if run.checkout is None or run.checkout.head == scene.pull.head_sha:
        return ()
    moved = f"the pull request moved on to {scene.pull.head_sha[:7]}"
    return (Reason("head", moved, "wait for its plan, read it, and apply that one"),)
