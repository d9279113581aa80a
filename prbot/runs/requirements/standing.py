"""Since when a plan stands in the pull request, and who saw it there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from prbot.plans.record import StoredPlan
from prbot.runs.checks import mark_of
from prbot.runs.run import Ask
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import Scene


def stood_since(plan: StoredPlan, scene: Scene) -> datetime | None:
    """Since when this very content stands in a comment without a different plan between;
    None while it was not told. A plan that is made but not told was seen by nobody; one that
    was made again, and is equal, was seen as the one it was compared with."""
    since, newer = scene.told_at(plan), plan
    for earlier in scene.plans_of(plan.project):
        if earlier.created_at > plan.created_at:
            continue
        equal = _as(newer, earlier) or earlier.id == scene.equal_to(newer)
        if not equal:
            break
        since, newer = scene.told_at(earlier) or since, earlier
    return since


def _as(plan: StoredPlan, earlier: StoredPlan) -> bool:
    return (earlier.hash, earlier.inputs) == (plan.hash, plan.inputs)


def seen_when_asked(ask: Ask, scene: Scene, plans: Iterable[StoredPlan]) -> Reasons:
    """Whoever says apply means what stood there when it was said, not what came since."""
    return tuple(
        Reason(
            "seen",
            f"plan {plan.id} of `{plan.project}` was not in the pull request when you asked",
            "read it, then repeat the command",
        )
        for plan in plans
        if ask.commented_at is not None and not _stood_at(ask.commented_at, plan, scene)
    )


def beside_the_button(ask: Ask, plans: Iterable[StoredPlan]) -> Reasons:
    """A button means the plans that its check told of: neither more of them nor others."""
    if ask.check_id is None or ask.mark == mark_of(plans):
        return ()
    other = "the plans are not those that stood beside the button"
    return (Reason("seen", other, "read them, then comment `prbot apply`"),)


def _stood_at(moment: datetime, plan: StoredPlan, scene: Scene) -> bool:
    since = stood_since(plan, scene)
    return since is not None and not_before(moment, since)


def not_before(told: datetime, since: datetime) -> bool:
    """Whether what the forge dates `told` came at `since` or later, as exactly as it tells.

    GitHub tells whole seconds, and so do GitLab's hooks; GitLab's REST API tells milliseconds
    (https://docs.gitlab.com/api/merge_request_approvals/, `approved_at`).
    """
    exact = since.microsecond // 1000 * 1000 if told.microsecond else 0
    return told >= since.replace(microsecond=exact)
