"""GitHub's webhooks for `prbot explain event`: their kind, and what they say of a pull request.

Wire facts: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prbot.intake.explained import Explained, at, explained, number, text, truth
from prbot.intake.github import event_of

_KINDS = {
    ("check_run", "rerequested"): "rerun",
    ("check_suite", "rerequested"): "rerun",
    ("merge_group", "checks_requested"): "queue",
    ("pull_request", "labeled"): "approval",
    ("pull_request", "unlabeled"): "approval",
    ("check_run", "completed"): "approval",
    ("check_suite", "completed"): "approval",
}
"""By event and action, what the service reads as nothing to do by itself yet."""
_KINDS_OF_ALL = {
    "status": "approval",
    "ping": "ping",
    "installation": "installation",
    "installation_repositories": "installation",
}

_MARKS = (
    ("merge_group", ("merge_group",)),
    ("deployment_status", ("deployment_status",)),
    ("deployment", ("deployment",)),
    ("check_run", ("check_run",)),
    ("check_suite", ("check_suite",)),
    ("pull_request_review", ("review", "pull_request")),
    ("pull_request_review_thread", ("thread", "pull_request")),
    ("pull_request_review_comment", ("comment", "pull_request")),
    ("issue_comment", ("comment", "issue")),
    ("discussion_comment", ("comment", "discussion")),
    ("discussion", ("discussion",)),
    ("commit_comment", ("comment", "repository")),
    ("pull_request", ("pull_request", "number")),
    ("issues", ("issue",)),
    ("push", ("ref", "before", "after")),
    ("status", ("sha", "state", "context")),
    ("ping", ("zen", "hook_id")),
    ("installation_repositories", ("installation", "repository_selection", "repositories_added")),
    ("installation", ("installation", "repositories", "action")),
    ("workflow_run", ("workflow_run",)),
    ("workflow_job", ("workflow_job",)),
    ("release", ("release",)),
)
"""Which keys tell an event apart, the telling ones first: GitHub names it in a header only."""
_ONLY = {"action", "installation", "sender", "organization", "enterprise", "requester"}


def event_name(payload: Mapping[str, Any]) -> str:
    """The event that a payload looks like; empty when none of those that matter."""
    for name, keys in _MARKS:
        if all(key in payload for key in keys):
            return name
    return "installation" if "installation" in payload and payload.keys() <= _ONLY else ""


def explain(payload: Mapping[str, Any], name: str | None) -> Explained:
    """`name` is the header X-GitHub-Event, None to go by the payload's shape.

    Raises BadPayload when the payload lacks what its event promises.
    """
    name = event_name(payload) if name is None else name
    event = event_of("github", name, json.dumps(payload).encode())
    found = explained(event, _said(payload), text(at(payload, "issue", "body")))
    kind = _KINDS.get((name, text(payload.get("action")) or ""), _KINDS_OF_ALL.get(name))
    return found if kind is None else replace(found, kind=kind)


def _said(payload: Mapping[str, Any]) -> Explained:
    pull = _pull(payload)
    own = payload.get("merge_group") or payload.get("check_run") or payload.get("check_suite")
    on_pull = at(payload, "issue", "pull_request") is not None
    issue = payload.get("issue") if on_pull else None
    return Explained(
        repo=text(at(payload, "repository", "full_name")),
        number=number(at(pull, "number")) or number(at(issue, "number")),
        head_sha=text(at(pull, "head", "sha")) or text(at(own, "head_sha")) or _sha(payload),
        base=text(at(pull, "base", "ref")) or _branch(at(own, "base_ref")),
        actor=text(at(payload, "sender", "login")),
        draft=truth(at(pull, "draft")) if pull else truth(at(issue, "draft")),
        fork=_fork(pull),
    )


def _pull(payload: Mapping[str, Any]) -> Any:
    """The pull request itself, or the one that a check belongs to."""
    if payload.get("pull_request"):
        return payload["pull_request"]
    own = payload.get("check_run") or payload.get("check_suite")
    pulls = at(own, "pull_requests")
    return pulls[0] if isinstance(pulls, list) and pulls else None


def _sha(payload: Mapping[str, Any]) -> str | None:
    return text(payload.get("sha")) if "context" in payload else None


def _branch(ref: object) -> str | None:
    return text(ref.removeprefix("refs/heads/")) if isinstance(ref, str) else None


def _fork(pull: object) -> bool | None:
    """Also when the head repository was deleted: it may have been one."""
    base = at(pull, "base", "repo", "id")
    return None if base is None else at(pull, "head", "repo", "id") != base
