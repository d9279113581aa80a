"""GitLab's webhooks for `prbot explain event`: their kind, and what they say of a merge request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prbot.intake.explained import Explained, at, explained, number, text, truth
from prbot.intake.gitlab import event_of

_TRAIN = re.compile(r"refs/merge-requests/[0-9]+/train")
_HOOKS = {
    "Merge Request Hook": "merge_request",
    "Note Hook": "note",
    "Confidential Note Hook": "note",
    "Push Hook": "push",
    "Tag Push Hook": "tag_push",
    "Pipeline Hook": "pipeline",
}
"""X-Gitlab-Event, and what the body calls the same."""


def explain(payload: Mapping[str, Any], name: str | None) -> Explained:
    """`name` is the header X-Gitlab-Event; it counts where the payload does not name itself.

    Raises BadPayload when the payload lacks what its event promises.
    """
    named = "object_kind" in payload or "event_name" in payload
    if not named and name is not None:
        payload = {**payload, "object_kind": _HOOKS.get(name, name)}
    event = event_of("gitlab", json.dumps(payload).encode())
    found = explained(event, _said(payload), text(at(payload, "issue", "description")))
    if payload.get("object_kind") == "pipeline" and _is_train(payload):
        return replace(found, kind="queue", reason="merge train")
    return found


def _is_train(payload: Mapping[str, Any]) -> bool:
    return bool(_TRAIN.fullmatch(text(at(payload, "object_attributes", "ref")) or ""))


def _said(payload: Mapping[str, Any]) -> Explained:
    merge = payload.get("merge_request")
    if payload.get("object_kind") == "merge_request":
        merge = payload.get("object_attributes")
    source, target = at(merge, "source_project_id"), number(at(merge, "target_project_id"))
    draft = truth(at(merge, "draft"))
    return Explained(
        repo=text(at(payload, "project", "path_with_namespace")),
        number=number(at(merge, "iid")),
        head_sha=text(at(merge, "last_commit", "id")) or text(_sha(payload)),
        base=text(at(merge, "target_branch")),
        actor=text(at(payload, "user", "username")) or text(payload.get("user_username")),
        draft=truth(at(merge, "work_in_progress")) if draft is None else draft,
        fork=None if target is None else source != target,
    )


def _sha(payload: Mapping[str, Any]) -> object:
    kind = payload.get("object_kind")
    return at(payload, "object_attributes", "sha") if kind == "pipeline" else None
