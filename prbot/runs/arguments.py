"""Plans with arguments of a comment: who may have them, and where they do not count.

Such a plan is judged and applied like any other, by comment. It says nothing of what a merge
would bring, so it moves no check, and no merge applies it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from prbot.config.per_repository import Allowed
from prbot.config.repo import Effective
from prbot.model import ProjectKey, Selector
from prbot.plans.arguments import DESTROY, REFRESH_ONLY
from prbot.plans.record import StoredPlan
from prbot.runs.requirements.people import environments_in, place_of
from prbot.runs.run import Ask
from prbot.runs.say import Reason
from prbot.runs.scene import Scene

Reasons = tuple[Reason, ...]


def may_ask(ask: Ask, scene: Scene) -> Reasons:
    """What can be said of the arguments before anything is looked at."""
    reasons = []
    if ask.destroy and Allowed.DESTROY not in scene.allow:
        reasons.append(not_allowed(Allowed.DESTROY, "`plan --destroy`"))
    if ask.destroy and ask.select == Selector():
        reasons.append(
            Reason(
                "project",
                "`plan --destroy` does not say what to destroy",
                "name it: `prbot plan --destroy -d DIR`",
            )
        )
    if ask.special and scene.pull.merged:
        reasons.append(
            Reason(
                "merged",
                "what is merged is planned as it stands, without arguments",
                "comment `prbot plan`, or open another pull request",
            )
        )
    return tuple(reasons)


def not_allowed(what: Allowed, name: str) -> Reason:
    """The operator has not said that this repository may have it."""
    return Reason(
        "server",
        f"{name} is not allowed in this repository",
        f"the operator can set `allow: [{what.value}]` for it in `per_repository`",
    )


def extra_allowed(
    extra: Iterable[str], projects: Iterable[ProjectKey], scene: Scene, rules: Effective
) -> Reasons:
    """Whether what stood behind `--` may stand there, wherever these projects are."""
    if not tuple(extra):
        return ()
    return tuple(
        Reason(
            "arguments",
            f"{place_of(needs)} lets no plan have arguments (`extra_arguments: false`)",
            "plan it without what stands behind `--`",
        )
        for needs in environments_in(projects, scene, rules)
        if not needs.extra_arguments
    )


def arguments_allowed(plans: Iterable[StoredPlan], scene: Scene, rules: Effective) -> Reasons:
    """What was allowed when a plan was made may not be any more."""
    reasons: list[Reason] = []
    for plan in plans:
        extra = tuple(word for word in plan.inputs.asked if word not in (DESTROY, REFRESH_ONLY))
        reasons += extra_allowed(extra, (plan.project,), scene, rules)
        if DESTROY in plan.inputs.asked and Allowed.DESTROY not in scene.allow:
            reasons.append(not_allowed(Allowed.DESTROY, f"destroying `{plan.project}`"))
    return tuple(reasons)


def destroyed_in_order(scene: Scene, todo: Iterable[StoredPlan]) -> Reasons:
    """What is destroyed goes before what it depends on, one command after the other."""
    wrecked = {plan.project for plan in todo if plan.destroys}
    newest = (scene.newest_plan(project) for project in scene.current_projects())
    standing = {p.project for p in newest if p and p.destroys and p.applied_at is None}
    needs = {place.project: place.needs for run in reversed(scene.runs) for place in run.placed}
    pairs = (
        (project, need)
        for project in sorted(standing)
        for need in needs.get(project, ())
        if need in wrecked
    )
    return tuple(
        Reason(
            "dependencies",
            f"`{project}` depends on `{need}`, so it has to be destroyed first",
            f"comment `prbot apply -d {shlex.quote(project.dir)}`, and then this again",
        )
        for project, need in pairs
    )
