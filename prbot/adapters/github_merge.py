"""Merging on GitHub: a pull request at exactly one head, and its branch afterwards.

Wire facts: https://docs.github.com/rest/pulls/pulls#merge-a-pull-request (405: it cannot be
merged, 409: `sha` is not the head) and https://docs.github.com/rest/git/refs#delete-a-reference.
"""

from __future__ import annotations

from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from prbot.adapters.github_limits import Request
from prbot.adapters.github_shapes import PULL
from prbot.adapters.github_wire import Wire
from prbot.errors.forge import ForgeRefused, NotFound, NotMergeable
from prbot.model import PullRef, RepoRef, Sha


class _Commit(BaseModel):
    sha: str


class _Branch(BaseModel):
    commit: _Commit


_BRANCH = TypeAdapter(_Branch)


class Merges:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def merge(
        self, pull: PullRef, sha: Sha, method: str, *, delete_branch: bool = False
    ) -> bool:
        """Two requests when it is refused: it may have been merged before."""
        path = f"{_repo(pull.repo)}/pulls/{pull.number}"
        body = {"sha": sha, "merge_method": method}
        asked = Request(
            "merge", f"pull request {pull}", "PUT", f"{path}/merge", pull.repo.path, body=body
        )
        try:
            await self._wire.ask(asked)
        except (ForgeRefused, NotFound) as error:
            if not await self._is_merged(pull, path):
                cause = error.cause if isinstance(error, ForgeRefused) else str(error)
                raise NotMergeable(self._wire.name, f"pull request {pull}", cause) from error
        return True

    async def _is_merged(self, pull: PullRef, path: str) -> bool:
        request = Request("read", f"pull request {pull}", "GET", path, pull.repo.path)
        return bool((await self._wire.read(request, PULL)).merged)

    async def delete_branch(self, pull: PullRef, branch: str, sha: Sha) -> None:
        """Two requests. Somebody may push between them: GitHub compares nothing itself."""
        name, what = quote(branch), f"branch {branch} of {pull.repo}"
        where = f"{_repo(pull.repo)}/branches/{quote(branch, safe='')}"
        try:
            read = Request("read", what, "GET", where, pull.repo.path)
            if (await self._wire.read(read, _BRANCH)).commit.sha != sha:
                return
            path = f"{_repo(pull.repo)}/git/refs/heads/{name}"
            await self._wire.ask(Request("delete", what, "DELETE", path, pull.repo.path))
        except NotFound:
            return


def _repo(repo: RepoRef) -> str:
    return f"/repos/{quote(repo.path)}"
