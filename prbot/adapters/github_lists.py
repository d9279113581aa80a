"""What GitHub lists for the reconciler: repositories, pull requests, new comments.

Each list is asked for conditionally, page by page: one that did not change is answered
304 and costs nothing of the rate limit
(https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
Not promised: that a list which changes while its pages are read holds everything; what
was missed stands in the next one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import quote

from prbot.adapters.github_limits import Request
from prbot.adapters.github_shapes import (
    COMMENTS,
    INSTALLATIONS,
    INSTALLED,
    LISTED_PULLS,
    REPOSITORIES,
    Comment,
    listed_pull_of,
)
from prbot.adapters.github_wire import Wire
from prbot.model import (
    Actor,
    Commented,
    IssueCommented,
    Login,
    PullRef,
    PullRequest,
    RepoRef,
)


class Lists:
    """`installed`: we are a GitHub App, which sees the repositories of its installations."""

    def __init__(self, name: str, wire: Wire, installed: bool) -> None:
        self._name = name
        self._wire = wire
        self._installed = installed

    async def repositories(self) -> tuple[RepoRef, ...]:
        """One request; for an App one, and one more for each installation."""
        found = [path async for path in self._paths()]
        return tuple(RepoRef(self._name, path) for path in dict.fromkeys(found))

    async def _paths(self) -> AsyncIterator[str]:
        async for request in self._places():
            shape = INSTALLED if self._installed else REPOSITORIES
            async for page in self._wire.known_pages(request, shape):
                for repository in page:
                    if not repository.archived:
                        yield repository.full_name

    async def _places(self) -> AsyncIterator[Request]:
        if not self._installed:
            yield Request("read", "our repositories", "GET", "/user/repos", None)
            return
        ours = Request("read", "our installations", "GET", "/app/installations", None)
        async for page in self._wire.known_pages(ours, INSTALLATIONS):
            for installation in page:
                if installation.suspended_at is None:
                    what = f"repositories of installation {installation.id}"
                    path = "/installation/repositories"
                    yield Request("read", what, "GET", path, None, installation=installation.id)

    async def open_pulls(self, repo: RepoRef) -> tuple[PullRequest, ...]:
        order = {"state": "open", "sort": "created", "direction": "asc"}
        pages = self._wire.known_pages(self._of(repo, "pulls", **order), LISTED_PULLS)
        return tuple([listed_pull_of(repo, pull) async for page in pages for pull in page])

    async def recently_closed_pulls(
        self, repo: RepoRef, since: datetime
    ) -> tuple[PullRequest, ...]:
        """Stops at the first page that was last changed before `since`."""
        found = []
        order = {"state": "closed", "sort": "updated", "direction": "desc"}
        async for page in self._wire.known_pages(self._of(repo, "pulls", **order), LISTED_PULLS):
            found += [pull for pull in page if pull.closed_at and pull.closed_at >= since]
            if page and page[-1].updated_at < since:
                break
        return tuple(listed_pull_of(repo, pull) for pull in found)

    async def comments_since(
        self, repo: RepoRef, since: datetime
    ) -> tuple[Commented | IssueCommented, ...]:
        text = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        order = {"since": text, "sort": "updated", "direction": "asc"}
        pages = self._wire.known_pages(self._of(repo, "issues/comments", **order), COMMENTS)
        found = [_commented(repo, comment) async for page in pages for comment in page]
        return tuple(comment for comment in found if comment and comment.created_at >= since)

    def _of(self, repo: RepoRef, what: str, **parameters: str) -> Request:
        path = f"/repos/{quote(repo.path)}/{what}"
        return Request("read", f"{what} of {repo}", "GET", path, repo.path, parameters=parameters)


def _commented(repo: RepoRef, comment: Comment) -> Commented | IssueCommented | None:
    """None for what the webhook of a new comment would not have led to either: an edited
    one, one of an account that is gone."""
    if comment.edited or comment.user is None:
        return None
    actor = Actor(Login(comment.user.login), comment.user.type == "Bot")
    said = (comment.id, comment.body or "", actor, comment.created_at, "found")
    if comment.pull_number is not None:
        return Commented(PullRef(repo, comment.pull_number), *said)
    number = comment.issue_number
    return None if number is None else IssueCommented(repo, number, *said)
