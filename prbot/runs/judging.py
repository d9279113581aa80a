"""Everything that an apply by comment has to meet, asked at once.

An apply is judged here before anything is planned again, and once more before anything is
applied. A merge (`merging`) and what is left to nobody (`accepting`) are other questions,
with other answers about head, approval and readiness; what is common to all of them they
share predicate by predicate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prbot.config.repo import Effective
from prbot.model import ProjectKey
from prbot.plans.record import StoredPlan
from prbot.runs.accepting import accounted_for
from prbot.runs.arguments import arguments_allowed, destroyed_in_order
from prbot.runs.requirements.approvals import approved
from prbot.runs.requirements.asking import may_apply_now
from prbot.runs.requirements.people import (
    after_override,
    environments_in,
    one_environment,
    passed_over,
    permitted,
)
from prbot.runs.requirements.plans import needs_applied, plan_is_ready
from prbot.runs.requirements.pulls import mergeable, mode_allows, pull_is_fit, up_to_date
from prbot.runs.requirements.standing import seen_when_asked
from prbot.runs.requirements.times import in_time
from prbot.runs.run import Run, RunState
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import Scene


@dataclass(frozen=True)
class Judgement:
    """`reasons` why not; `passed_over` are the requirements that an override skipped."""

    reasons: Reasons
    passed_over: tuple[str, ...] = ()


def judged(
    run: Run,
    scene: Scene,
    rules: Effective,
    todo: tuple[StoredPlan, ...],
    unplanned: tuple[ProjectKey, ...] = (),
) -> Judgement:
    """Why these plans must not be applied on an open pull request; locks aside. `unplanned`
    are meant too: what holds for a place is told of them as well.

    What waited is planned again in any case, and shown if it is another plan then.
    """
    ready = (plan_is_ready(plan, scene, scene.pull.head_sha) for plan in todo)
    projects = tuple(plan.project for plan in todo)
    places = (*projects, *unplanned)
    reasons = (
        may_apply_now(run, scene.permission)
        + head_moved(run, scene)
        + mode_allows(rules)
        + pull_is_fit(scene.pull)
        + permitted(run.ask, scene, rules, places, "apply")
        + one_environment(run.ask, scene, rules, todo)
        + sum(ready, start=())
        + needs_applied(run, scene, todo)
        + destroyed_in_order(scene, todo)
        + arguments_allowed(todo, scene, rules)
        + seen_when_asked(run.ask, scene, todo)
        + accounted_for(run, scene, set(projects))
        + (approved(rules, scene, todo) if todo else ())
        + mergeable(scene, rules, projects)
        + (() if run.state is RunState.RESUMED else up_to_date(scene, rules, projects))
        + in_time(scene, rules, places)
    )
    return unless_overridden(run, scene, rules, reasons)


def unless_overridden(run: Run, scene: Scene, rules: Effective, reasons: Reasons) -> Judgement:
    """What is left of the reasons, and what of them was passed over."""
    left = after_override(run.ask, scene, rules, reasons)
    return Judgement(left, passed_over(reasons, left))


def waits_for(scene: Scene, rules: Effective, projects: Iterable[ProjectKey]) -> bool:
    """Whether an apply of these projects waits for what others, or time, bring about."""
    return all(needs.waits for needs in environments_in(projects, scene, rules))


def head_moved(run: Run, scene: Scene) -> Reasons:
    if run.checkout is None or run.checkout.head == scene.pull.head_sha:
        return ()
    moved = f"the pull request moved on to {scene.pull.head_sha[:7]}"
    return (Reason("head", moved, "wait for its plan, read it, and apply that one"),)
