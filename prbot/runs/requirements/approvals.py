"""Who approved what an apply would do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from prbot.config.repo import Effective
from prbot.model import PullRequest, Review, ReviewState
from prbot.plans.record import StoredPlan
from prbot.runs.requirements.standing import stood_since
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import Scene


def approved(rules: Effective, scene: Scene, plans: Iterable[StoredPlan]) -> Reasons:
    """Enough other people approved each plan after it stood there, and nobody objects."""
    return approved_since(rules, scene, (stood_since(plan, scene) for plan in plans), "this plan")


def approved_since(
    rules: Effective, scene: Scene, told: Iterable[datetime | None], what: str
) -> Reasons:
    """`told`: since when each thing to be approved stands there; None while it does not."""
    objections = tuple(
        Reason(
            "approved",
            f"{review.author} requested changes",
            f"{review.author} can approve, or the review can be dismissed",
        )
        for review in scene.reviews
        if review.state is ReviewState.CHANGES_REQUESTED and review.permission.can_write
    )
    given = min((_approvals(since, scene) for since in told), default=rules.approvals)
    if given >= rules.approvals:
        return objections
    missing = Reason(
        "approved",
        f"{given} of {rules.approvals} approvals of {what}",
        f"somebody with write access who is neither {scene.pull.author} nor pushed to it"
        " approves the pull request as it is now",
    )
    return (*objections, missing)


def _approvals(since: datetime | None, scene: Scene) -> int:
    """How many people approved; one who did so twice is one."""
    if since is None:
        return 0
    approvers = {r.author.lower() for r in scene.reviews if _approves(r, scene.pull, since)}
    return len(approvers - scene.pushers())


def _approves(review: Review, pull: PullRequest, since: datetime) -> bool:
    # The same plan at an older commit does not carry its approvals over: until the files
    # a project reads outside its own directory are known, equal plans may still run
    # different scripts. Forges tell whole seconds, so the plan's time is cut to them too.
    return (
        review.state is ReviewState.APPROVED
        and review.author.lower() != pull.author.lower()
        and review.permission.can_write
        and review.commit == pull.head_sha
        and review.submitted_at >= since.replace(microsecond=0)
    )
