"""What lies in the pull request itself or in the server, before any plan is looked at."""

from __future__ import annotations

from prbot.config.repo import Effective
from prbot.model import PullRequest
from prbot.runs.say import Reason, Reasons


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
