"""Our own issues on GitHub: found by their marker and their author, edited in place.

Wire facts: https://docs.github.com/en/rest/issues/issues. Pull requests stand in the list of
issues and are passed over. GitHub's lists may lag behind by moments: an issue whose number
and whose answer were both lost could be opened a second time within them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from prbot.adapters.github_limits import Request
from prbot.adapters.github_shapes import COMMENTS, ISSUE, ISSUES, IssueShape
from prbot.adapters.github_wire import Wire
from prbot.adapters.markers import is_marked
from prbot.errors.forge import NotFound
from prbot.model import Login, RepoRef


@dataclass(frozen=True)
class Issues:
    """`bot_login` tells whose issues are ours."""

    wire: Wire
    bot_login: Callable[[], Awaitable[Login]]

    async def upsert(
        self,
        repo: RepoRef,
        marker: str,
        title: str,
        body: str,
        labels: Sequence[str],
        is_open: bool | None,
        known: int | None,
    ) -> int | None:
        """Two requests when `known` still stands, else the issues are searched."""
        found = await self._known(repo, marker, known) or await self._search(repo, marker)
        if found is None:
            return None if is_open is False else await self._create(repo, title, body, labels)
        words: dict[str, Any] = {"title": title, "body": body}
        if is_open is not None:
            words["state"] = "open" if is_open else "closed"
        if missing := [name for name in labels if name not in found.names]:
            words["labels"] = [*found.names, *missing]  # what people labelled it stays
        path = f"{_path(repo)}/{found.number}"
        what = f"issue {found.number} of {repo}"
        await self.wire.ask(Request("write", what, "PATCH", path, repo.path, body=words))
        return found.number

    async def comment(self, repo: RepoRef, number: int, marker: str, body: str) -> None:
        """Two requests while there are few comments."""
        path, what = f"{_path(repo)}/{number}/comments", f"issue {number} of {repo}"
        bot = await self.bot_login()
        read = Request("read", f"comments of {what}", "GET", path, repo.path)
        async for page in self.wire.pages(read, COMMENTS):
            if any(one.author == bot and is_marked(one.body or "", marker) for one in page):
                return
        words = {"body": body}
        await self.wire.ask(
            Request("write", f"a comment on {what}", "POST", path, repo.path, body=words)
        )

    async def is_open(self, repo: RepoRef, number: int, marker: str) -> bool | None:
        found = await self._known(repo, marker, number)
        return None if found is None else found.is_open

    async def _create(self, repo: RepoRef, title: str, body: str, labels: Sequence[str]) -> int:
        words = {"title": title, "body": body, "labels": list(labels)}
        create = Request("write", f"an issue of {repo}", "POST", _path(repo), repo.path, body=words)
        return (await self.wire.read(create, ISSUE)).number

    async def _known(self, repo: RepoRef, marker: str, number: int | None) -> IssueShape | None:
        if number is None:
            return None
        path, what = f"{_path(repo)}/{number}", f"issue {number} of {repo}"
        try:
            found = await self.wire.read(Request("read", what, "GET", path, repo.path), ISSUE)
        except NotFound:
            return None
        return found if found.is_ours(await self.bot_login(), marker) else None

    async def _search(self, repo: RepoRef, marker: str) -> IssueShape | None:
        """The oldest one marked so: whoever may open issues can copy a marker, not our name."""
        bot = await self.bot_login()
        order = {"state": "all", "creator": bot, "sort": "created", "direction": "asc"}
        what = f"issues of {repo}"
        request = Request("read", what, "GET", _path(repo), repo.path, parameters=order)
        async for page in self.wire.pages(request, ISSUES):
            for issue in page:
                if issue.is_ours(bot, marker):
                    return issue
        return None


def _path(repo: RepoRef) -> str:
    return f"/repos/{quote(repo.path)}/issues"
