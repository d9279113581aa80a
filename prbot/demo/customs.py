"""What differs from forge to forge below the wire: limits, names of refs and of pages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Customs:
    """One kind of forge; `api` is where its REST API begins.

    `comment_limit` and `line_limit` (of a commit status's description) are in characters,
    `states` are a status's. `pull_ref` and the pages take a number. `counted_together`: no
    issue has a pull request's number. `precise`: times tell more than whole seconds.
    `fast_forward`: without a merge commit only what is up to date can be merged. `word` is
    what people call a pull request, `sign` what stands before its number.
    """

    kind: str
    api: str
    comment_limit: int
    line_limit: int
    states: tuple[str, ...]
    pull_ref: str
    pull_page: str
    issue_page: str
    counted_together: bool
    precise: bool
    fast_forward: bool
    word: str
    sign: str


GITHUB = Customs(
    kind="github",
    api="/api/v3",
    comment_limit=65_536,
    line_limit=140,
    states=("error", "failure", "pending", "success"),
    pull_ref="refs/pull/{}",
    pull_page="/pull/{}",
    issue_page="/issues/{}",
    counted_together=True,
    precise=False,
    fast_forward=False,
    word="pull request",
    sign="#",
)
"""https://docs.github.com/rest"""
GITLAB = Customs(
    kind="gitlab",
    api="/api/v4",
    comment_limit=1_000_000,
    line_limit=255,
    states=("error", "failure", "pending", "success", "running", "skipped"),
    pull_ref="refs/merge-requests/{}",
    pull_page="/-/merge_requests/{}",
    issue_page="/-/issues/{}",
    counted_together=False,
    precise=True,
    fast_forward=True,
    word="merge request",
    sign="!",
)
"""https://docs.gitlab.com/administration/instance_limits/ and
https://docs.gitlab.com/user/project/merge_requests/versions/"""

KINDS = {customs.kind: customs for customs in (GITHUB, GITLAB)}
