"""Merging on GitLab: a merge request at exactly one head, and its branch afterwards.

Whether a merge makes a commit or moves the branch forward is the project's setting; a caller
can only ask for a squash. Wire facts: https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request
(405 and 422: it cannot be merged, 409: `sha` is not the head) and
https://docs.gitlab.com/api/branches/#delete-repository-branch.
"""

from __future__ import annotations

from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from prbot.adapters.gitlab_limits import Request
from prbot.adapters.gitlab_shapes import MERGE_REQUEST, spoken
from prbot.adapters.gitlab_wire import Wire
from prbot.errors import ForgeRefused, NotFound, NotMergeable
from prbot.model import PullRef, Sha


class _Commit(BaseModel):
    id: str


class _Branch(BaseModel):
    commit: _Commit


_BRANCH = TypeAdapter(_Branch)


class Merges:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def merge(self, pull: PullRef, sha: Sha, method: str) -> None:
        """Two requests when it is refused: it may have been merged before, and GitLab says
        why it cannot be only of the merge request itself."""
        what = f"merge request {spoken(pull)}"
        path = f"{_project(pull)}/merge_requests/{pull.number}"
        body = {"sha": sha, **({"squash": True} if method == "squash" else {})}
        try:
            await self._wire.ask(Request("merge", what, "PUT", f"{path}/merge", body=body))
        except (ForgeRefused, NotFound) as error:
            found = await self._wire.read(Request("read", what, "GET", path), MERGE_REQUEST)
            if found.state == "merged":
                return
            cause = error.cause if isinstance(error, ForgeRefused) else str(error)
            why = found.detailed_merge_status.replace("_", " ")
            said = f"{cause}: {why}" if why not in ("", "mergeable") else cause
            raise NotMergeable(self._wire.name, what, said) from error

    async def delete_branch(self, pull: PullRef, branch: str, sha: Sha) -> None:
        """Two requests. Somebody may push between them: GitLab compares nothing itself."""
        what = f"branch {branch} of {pull.repo}"
        path = f"{_project(pull)}/repository/branches/{quote(branch, safe='')}"
        try:
            found = await self._wire.read(Request("read", what, "GET", path), _BRANCH)
            if found.commit.id == sha:
                await self._wire.ask(Request("delete", what, "DELETE", path))
        except NotFound:
            return


def _project(pull: PullRef) -> str:
    return f"/projects/{quote(pull.repo.path, safe='')}"
