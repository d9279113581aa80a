"""What differs from forge to forge below the wire: limits, names of refs and of pages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Customs:
    """One kind of forge.

    `comment_limit` and `line_limit` (of a commit status's description) are in characters.
    `pull_ref` and the pages take a number. `counted_together`: no
    issue has a pull request's number. `precise`: times tell more than whole seconds.
    `word` is what people call a pull request, `sign` what stands before its number.
    """

    kind: str
    comment_limit: int
    line_limit: int
    pull_ref: str
    pull_page: str
    issue_page: str
    counted_together: bool
    precise: bool
    word: str
    sign: str


GITHUB = Customs(
    kind="github",
    comment_limit=65_536,
    line_limit=140,
    pull_ref="refs/pull/{}",
    pull_page="/pull/{}",
    issue_page="/issues/{}",
    counted_together=True,
    precise=False,
    word="pull request",
    sign="#",
)
"""https://docs.github.com/rest"""
GITLAB = Customs(
    kind="gitlab",
    comment_limit=1_000_000,
    line_limit=255,
    pull_ref="refs/merge-requests/{}",
    pull_page="/-/merge_requests/{}",
    issue_page="/-/issues/{}",
    counted_together=False,
    precise=True,
    word="merge request",
    sign="!",
)
"""https://docs.gitlab.com/administration/instance_limits/ and
https://docs.gitlab.com/user/project/merge_requests/versions/"""

KINDS = {customs.kind: customs for customs in (GITHUB, GITLAB)}
