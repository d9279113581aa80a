"""The commits that GitHub's merge queue tries: branches of its own, one for each.

Named `gh-readonly-queue/BASE/pr-NUMBER-SHA`, and gone when the queue is done with them.
https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue#triggering-merge-group-checks-with-other-ci-providers
and https://docs.github.com/en/rest/git/refs#list-matching-references.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from prbot.adapters.github_limits import Request
from prbot.adapters.github_shapes import GHOST, BaseRepository
from prbot.adapters.github_wire import Wire
from prbot.model import Actor, QueueMoved, RepoRef, Sha

_PLACE = "heads/gh-readonly-queue/"
_BRANCH = re.compile(r"refs/heads/gh-readonly-queue/(?P<base>.+)/pr-[0-9]+-[0-9a-f]+")


class _Object(BaseModel):
    type: str
    sha: str


class _Ref(BaseModel):
    ref: str
    object: _Object


_REFS = TypeAdapter(list[_Ref])
_REPOSITORY = TypeAdapter(BaseRepository)


class Queues:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def merge_queue(self, repo: RepoRef) -> tuple[QueueMoved, ...]:
        """One conditional request; one more, for the default branch, while something is queued.
        GitHub does not tell who put it there."""
        path, what = f"/repos/{quote(repo.path)}", f"merge queue of {repo}"
        asked = Request("read", what, "GET", f"{path}/git/matching-refs/{_PLACE}", repo.path)
        refs = [ref async for page in self._wire.known_pages(asked, _REFS) for ref in page]
        found = [(match["base"], ref) for ref in refs if (match := _BRANCH.fullmatch(ref.ref))]
        if not found:
            return ()
        told = await self._wire.read(Request("read", what, "GET", path, repo.path), _REPOSITORY)
        ghost, default = Actor(GHOST), told.default_branch
        return tuple(
            QueueMoved(repo, Sha(ref.object.sha), base, default, ghost, False, "found in the queue")
            for base, ref in found
        )
