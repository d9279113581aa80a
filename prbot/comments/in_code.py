"""Where in the code the tool sees an error, as a link to that line at the head commit.

The forge is told by the address of the pull request's page; of one that looks like no
forge's there is no link. GitHub: `/OWNER/NAME/blob/SHA/PATH#L1`
(https://docs.github.com/en/get-started/writing-on-github, permanent links); GitLab:
`/GROUP/NAME/-/blob/SHA/PATH#L1`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from prbot.model import ProjectKey, Sha
from prbot.runs.checks import path_in_repository
from prbot.runs.run import Trouble

_PAGES = (
    (re.compile(r"(https?://[^\s?#]+)/-/merge_requests/\d+\Z"), "/-/blob/"),
    (re.compile(r"(https?://[^\s?#]+)/pull/\d+\Z"), "/blob/"),
)


@dataclass(frozen=True)
class InCode:
    """`url` is empty where there is none."""

    path: str
    line: int
    url: str


def first_place(trouble: Trouble, project: ProjectKey, page: str, head: Sha) -> InCode | None:
    """Of the gravest diagnostic that is in a file of the repository."""
    for flaw in trouble.flaws:
        path = path_in_repository(project.dir, flaw.file)
        if path is not None:
            return InCode(path, flaw.line, blob_url(page, head, path, flaw.line))
    return None


def blob_url(page: str, head: Sha, path: str, line: int) -> str:
    """The line's address; empty for a page of no known forge."""
    for pattern, way in _PAGES:
        if head and (found := pattern.match(page)):
            return f"{found[1]}{way}{head}/{quote(path)}#L{line}"
    return ""
