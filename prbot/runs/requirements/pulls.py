"""What lies in the pull request itself or in the server, before any plan is looked at."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from prbot.config.repo import Effective
from prbot.model import ProjectKey, PullRequest
from prbot.runs.requirements.people import environments_in, needs_of
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import Scene


def pull_is_fit(pull: PullRequest) -> Reasons:
    """Reasons that lie in the pull request itself, before any plan is looked at."""
    reasons = []
    if pull.fork:
        reasons.append(
            Reason(
                "fork",
                "the head branch lies in a fork, and forks are not run here",
                "push the branch to this repository and open the pull request from there",
            )
        )
    if pull.draft:
        reasons.append(
            Reason("draft", "the pull request is a draft", "mark it as ready for review")
        )
    if not pull.open and not pull.merged:
        reasons.append(Reason("open", "the pull request is closed", "reopen it"))
    if pull.open and pull.mergeable is False:
        reasons.append(
            Reason(
                "mergeable",
                "the pull request conflicts with its base branch",
                "merge or rebase the base branch and push",
            )
        )
    return tuple(reasons)


def still_served(scene: Scene) -> Reasons:
    """Asked again of a run that has applied something: its base branch may be another now."""
    if scene.served:
        return ()
    branch = scene.pull.base_branch
    told = f"pull requests into `{branch}` are not served here any more"
    return (Reason("server", told, "the operator's file says which branches are served"),)


def mode_allows(rules: Effective) -> Reasons:
    if rules.may_apply:
        return ()
    return (
        Reason(
            "mode",
            "this server plans and comments only",
            "the operator can set `mode: apply` in the server's file",
        ),
    )


def mergeable(scene: Scene, rules: Effective, projects: Iterable[ProjectKey]) -> Reasons:
    """The forge would merge it, as far as others' checks are concerned; prbot's own aside.
    Conflicts are told by `pull_is_fit`, whatever is required."""
    if not any(needs.mergeable for needs in environments_in(projects, scene, rules)):
        return ()
    behind = Reason(
        "mergeable",
        f"the rules of `{scene.pull.base_branch}` want what is new there first",
        f"merge `{scene.pull.base_branch}` into it, or rebase it, and push",
    )
    unknown = Reason(
        "mergeable",
        "the forge does not know yet whether it can be merged",
        "repeat the command in a moment",
        comes=True,
    )
    failing = (
        Reason(
            "mergeable",
            f"the required check `{name}` is not green",
            "wait until it is, or mend what it says",
            comes=True,
        )
        for name in scene.failing_checks
    )
    told = (behind,) if scene.pull.behind else ()
    return (*told, *((unknown,) if scene.pull.mergeable is None else ()), *failing)


def up_to_date(scene: Scene, rules: Effective, projects: Iterable[ProjectKey]) -> Reasons:
    """No file that a project reads changed in the base since its plan. What else changed
    there is no matter: the plan is made again, and goes on when it is equal."""
    return tuple(
        Reason(
            "up-to-date",
            f"files that `{project}` reads changed in `{scene.pull.base_branch}` since its plan",
            f"comment `prbot plan -d {shlex.quote(project.dir)}` and read it",
        )
        for project in projects
        if project in scene.moved and needs_of(project, scene, rules).up_to_date
    )
