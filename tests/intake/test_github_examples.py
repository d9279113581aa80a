"""GitHub's own example payloads, all of them: nothing GitHub sends may upset the door."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prbot.intake.github import event_of
from prbot.model import Ignored

EDITIONS = ("api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35")


def _examples(octokit: Path, edition: str) -> Iterator[tuple[str, dict[str, Any]]]:
    index = octokit / "webhooks-examples" / edition / "index.json"
    for event in json.loads(index.read_text()):
        for payload in event["examples"]:
            yield event["name"], payload


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_example(octokit: Path, edition: str) -> None:
    """It digests every example, and takes from them what the product's table says."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for name, payload in _examples(octokit, edition):
        event = event_of("github", name, json.dumps(payload).encode())
        seen[name, payload.get("action", ""), type(event).__name__] += 1
    handled = {key for key in seen if key[2] != Ignored.__name__}
    assert handled <= HANDLED
    assert ("pull_request", "opened", "PullChanged") in handled
    assert seen.total() > 20


HANDLED = {
    ("pull_request", "opened", "PullChanged"),
    ("pull_request", "reopened", "PullChanged"),
    ("pull_request", "ready_for_review", "PullChanged"),
    ("pull_request", "synchronize", "PullChanged"),
    ("pull_request", "closed", "PullClosed"),
    ("pull_request", "closed", "PullMerged"),
    ("pull_request_review", "submitted", "Reviewed"),
    ("pull_request_review", "dismissed", "Reviewed"),
    ("issue_comment", "created", "Commented"),
    ("issue_comment", "created", "IssueCommented"),
    ("issues", "closed", "IssueMoved"),
    ("issues", "reopened", "IssueMoved"),
    ("push", "", "Pushed"),
    ("check_run", "rerequested", "CheckPressed"),
    ("check_run", "requested_action", "CheckPressed"),
    ("check_suite", "rerequested", "CheckPressed"),
    ("merge_group", "checks_requested", "QueueMoved"),
}
