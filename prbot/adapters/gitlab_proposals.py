"""Merge requests of our own on GitLab: found by their branch and their author, edited in place.

Wire facts: https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests
(`source_branch`, `target_branch`, `author_username`), #create-mr (409 while another one is open
for the branch) and #update-mr.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from prbot.adapters.gitlab_limits import Request
from prbot.adapters.gitlab_notes import inert
from prbot.adapters.gitlab_shapes import MERGE_REQUEST, MERGE_REQUESTS
from prbot.adapters.gitlab_wire import Wire
from prbot.model import Login, PullRef, RepoRef


@dataclass(frozen=True)
class Proposals:
    """`bot_login` tells whose merge requests are ours."""

    wire: Wire
    bot_login: Callable[[], Awaitable[Login]]

    async def upsert(self, repo: RepoRef, branch: str, base: str, title: str, body: str) -> int:
        """Two requests."""
        words = {"title": title, "description": inert(body)}
        found = await self._open(repo, branch, base)
        if found is None:
            words |= {"source_branch": branch, "target_branch": base}
            what = f"a merge request from {branch} of {repo}"
            create = Request("open", what, "POST", _path(repo), body=words)
            return (await self.wire.read(create, MERGE_REQUEST)).iid
        path, what = f"{_path(repo)}/{found}", f"merge request {found} of {repo}"
        await self.wire.ask(Request("edit", what, "PUT", path, body=words))
        return found

    async def close(self, pull: PullRef) -> None:
        path, what = f"{_path(pull.repo)}/{pull.number}", f"merge request {pull}"
        body = {"state_event": "close"}
        await self.wire.ask(Request("close", what, "PUT", path, body=body))

    async def _open(self, repo: RepoRef, branch: str, base: str) -> int | None:
        bot = await self.bot_login()
        asked = {"state": "opened", "source_branch": branch, "target_branch": base}
        what = f"merge requests from {branch} of {repo}"
        parameters = asked | {"author_username": bot}
        request = Request("read", what, "GET", _path(repo), parameters=parameters)
        async for page in self.wire.pages(request, MERGE_REQUESTS):
            for merge in page:
                mine = merge.author is not None and merge.author.username == bot
                if mine and merge.source_project_id == merge.target_project_id:
                    return merge.iid
        return None


def _path(repo: RepoRef) -> str:
    return f"/projects/{quote(repo.path, safe='')}/merge_requests"
