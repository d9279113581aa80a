"""Pull requests of our own on GitHub: found by their branch and their author, edited in place.

Wire facts: https://docs.github.com/rest/pulls/pulls#list-pull-requests (`head` is
`owner:branch`), #create-a-pull-request (422 while another one is open for the branch) and
#update-a-pull-request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from prbot.adapters.github_limits import Request
from prbot.adapters.github_shapes import LISTED_PULLS, PULL_NUMBER
from prbot.adapters.github_wire import Wire
from prbot.model import Login, PullRef, RepoRef


@dataclass(frozen=True)
class Proposals:
    """`bot_login` tells whose pull requests are ours."""

    wire: Wire
    bot_login: Callable[[], Awaitable[Login]]

    async def upsert(self, repo: RepoRef, branch: str, base: str, title: str, body: str) -> int:
        """Two requests."""
        words = {"title": title, "body": body}
        found = await self._open(repo, branch, base)
        if found is None:
            words |= {"head": branch, "base": base}
            what = f"a pull request from {branch} of {repo}"
            create = Request("open", what, "POST", _path(repo), repo.path, body=words)
            return (await self.wire.read(create, PULL_NUMBER)).number
        path, what = f"{_path(repo)}/{found}", f"pull request {found} of {repo}"
        await self.wire.ask(Request("edit", what, "PATCH", path, repo.path, body=words))
        return found

    async def close(self, pull: PullRef) -> None:
        path, what = f"{_path(pull.repo)}/{pull.number}", f"pull request {pull}"
        body = {"state": "closed"}
        await self.wire.ask(Request("close", what, "PATCH", path, pull.repo.path, body=body))

    async def _open(self, repo: RepoRef, branch: str, base: str) -> int | None:
        bot, owner = await self.bot_login(), repo.path.partition("/")[0]
        asked = {"state": "open", "head": f"{owner}:{branch}", "base": base}
        what = f"pull requests from {branch} of {repo}"
        request = Request("read", what, "GET", _path(repo), repo.path, parameters=asked)
        async for page in self.wire.pages(request, LISTED_PULLS):
            for pull in page:
                if pull.user is not None and pull.user.login == bot and pull.head.ref == branch:
                    return pull.number
        return None


def _path(repo: RepoRef) -> str:
    return f"/repos/{quote(repo.path)}/pulls"
