"""Who approved what an apply would do, and whether that is enough.

An approval counts for a plan if it was given while this very plan stood there, by somebody
with write access who is neither the author nor wrote or pushed anything of it. Of a pull
request that prbot opened, whoever asked for it is its author as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from prbot.config.environments import Approvals
from prbot.config.repo import Effective
from prbot.model import ProjectKey, PullRequest, Review, ReviewState
from prbot.plans.record import StoredPlan
from prbot.runs.requirements.people import belongs, needs_of, words_for
from prbot.runs.requirements.standing import not_before, stood_since
from prbot.runs.run import Ask
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import Scene

SHOWN = 5
"""Most files, or projects, that one reason names."""


def approved(rules: Effective, scene: Scene, plans: Iterable[StoredPlan]) -> Reasons:
    """Enough other people approved each plan after it stood there, and nobody objects."""
    told = {plan.project: stood_since(plan, scene) for plan in plans}
    return approved_as(rules, scene, told, "this plan")


def approved_as(
    rules: Effective, scene: Scene, told: dict[ProjectKey, datetime | None], what: str
) -> Reasons:
    """As `approved_since`, with code owners where they are asked for."""
    return approved_since(rules, scene, told, what) + _owned(rules, scene, told)


def approved_since(
    rules: Effective, scene: Scene, told: dict[ProjectKey, datetime | None], what: str
) -> Reasons:
    """`told`: by project, since when the thing to be approved stands there; None while it
    does not."""
    wanted: dict[Approvals, dict[ProjectKey, datetime | None]] = {}
    for project, since in told.items():
        for approvals in needs_of(project, scene, rules).approvals:
            wanted.setdefault(approvals, {})[project] = since
    missing = (_missing(approvals, scene, stood, what) for approvals, stood in wanted.items())
    return _objections(scene) + tuple(reason for reason in missing if reason is not None)


def _objections(scene: Scene) -> Reasons:
    return tuple(
        Reason(
            "approved",
            f"{review.author} requested changes",
            f"{review.author} can approve, or the review can be dismissed",
            comes=True,
        )
        for review in scene.reviews
        if review.state is ReviewState.CHANGES_REQUESTED and review.permission.can_write
    )


def _missing(
    approvals: Approvals, scene: Scene, stood: dict[ProjectKey, datetime | None], what: str
) -> Reason | None:
    who = (*approvals.teams, *approvals.users)
    counts = {project: _count(who, since, scene) for project, since in stood.items()}
    given = min(counts.values())
    if given >= approvals.count:
        return None
    by = f" by {words_for(who)}" if who else ""
    short = [project for project, count in counts.items() if count < approvals.count]
    named = "" if len(stood) == 1 else f" ({_listed([f'`{p}`' for p in short])})"
    message = f"{given} of {approvals.count} approvals{by} of {what}{named}"
    if scene.committers is None:
        message += ", for its commits are too many to tell who wrote them"
        return Reason("approved", message, "split the pull request")
    asked = ", asked for it" if scene.askers else ""
    unblock = (
        f"somebody{f' of {words_for(who)}' if who else ''} with write access who is neither"
        f" {scene.pull.author}{asked} nor wrote or pushed any of it"
        " approves the pull request as it is now"
    )
    return Reason("approved", message, unblock, comes=True)


def _count(who: tuple[str, ...], since: datetime | None, scene: Scene) -> int:
    return sum(1 for login in approvers(since, scene) if not who or belongs(login, who, scene))


def approvers(since: datetime | None, scene: Scene) -> frozenset[str]:
    """Whose approvals count, in lower case; one who approved twice is one."""
    if since is None or scene.committers is None:
        return frozenset()
    found = {r.author.lower() for r in scene.reviews if _approves(r, scene.pull, since)}
    return frozenset(found - scene.pushers() - scene.committers - scene.askers)


def _approves(review: Review, pull: PullRequest, since: datetime) -> bool:
    # The same plan at an older commit does not carry its approvals over: until the files
    # a project reads outside its own directory are known, equal plans may still run
    # different scripts.
    return (
        review.state is ReviewState.APPROVED
        and review.author.lower() != pull.author.lower()
        and review.permission.can_write
        and review.commit == pull.head_sha
        and not_before(review.submitted_at, since)
    )


def not_alone(ask: Ask, scene: Scene, rules: Effective, projects: Iterable[ProjectKey]) -> Reasons:
    """Whoever had prbot open a pull request does not decide alone on it after the merge: on the
    forge prbot is its author, so they could approve and merge it themselves."""
    asked = ask.actor.lower() in scene.askers
    if not asked or not any(needs_of(each, scene, rules).approvals for each in projects):
        return ()
    if any(_is_of_another(review, scene) for review in scene.reviews):
        return ()
    alone = f"{ask.actor} asked for this pull request, and nobody else approved it"
    way = "somebody else reads the plan, then comments `prbot apply --accept-changes`"
    return (Reason("approved", alone, way),)


def _is_of_another(review: Review, scene: Scene) -> bool:
    return (
        review.state is ReviewState.APPROVED
        and review.permission.can_write
        and review.commit == scene.pull.head_sha
        and review.author.lower() not in {*scene.askers, scene.pull.author.lower()}
    )


# --- code owners -------------------------------------------------------------------------


def _owned(rules: Effective, scene: Scene, told: dict[ProjectKey, datetime | None]) -> Reasons:
    """An owner of each changed file that affects a project approved it, where that is asked."""
    asked = {
        project: since
        for project, since in told.items()
        if any(each.codeowners for each in needs_of(project, scene, rules).approvals)
    }
    if not asked:
        return ()
    if scene.codeowners is None:
        missing = "an owner's approval is asked for, and there is no CODEOWNERS file"
        return (Reason("codeowners", missing, "add one to the default branch"),)
    unowned: dict[tuple[str, ...], dict[str, None]] = {}
    for path, owners in _not_approved(scene, asked):
        unowned.setdefault(owners, {})[path] = None
    return tuple(_owner_missing(owners, list(paths)) for owners, paths in unowned.items())


def _not_approved(
    scene: Scene, asked: dict[ProjectKey, datetime | None]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The files whose owners are still to approve, with their owners."""
    for project, since in asked.items():
        people = approvers(since, scene)
        for path in scene.files.get(project, ()):
            owners = scene.codeowners.of(path) if scene.codeowners else ()
            names = _accounts(owners)
            if owners and not any(belongs(login, names, scene) for login in people):
                yield path, owners


def _accounts(owners: Iterable[str]) -> tuple[str, ...]:
    """People without `@`, teams with it, as `belongs` takes them; addresses tell nobody."""
    named = [owner for owner in owners if owner.startswith("@")]
    return tuple(owner if "/" in owner else owner[1:] for owner in named)


def _owner_missing(owners: tuple[str, ...], paths: list[str]) -> Reason:
    files = _listed([f"`{path}`" for path in paths])
    named = words_for(owner.removeprefix("@") for owner in owners)
    message = f"no owner of {files} approved this plan"
    return Reason("codeowners", message, f"one of {named} approves", comes=True)


def _listed(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
