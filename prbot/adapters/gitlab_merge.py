"""Merging on GitLab: a merge request at exactly one head, and its branch afterwards.

Whether a merge makes a commit or moves the branch forward is the project's setting; a caller
can only ask for a squash. Wire facts: https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request
(405 and 422: it cannot be merged, 409: `sha` is not the head; `auto_merge` was
`merge_when_pipeline_succeeds` before 17.11), https://docs.gitlab.com/api/merge_trains/ and
https://docs.gitlab.com/api/branches/#delete-repository-branch.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from prbot.adapters.gitlab_limits import Request
from prbot.adapters.gitlab_shapes import MERGE_REQUEST, PROJECT, MergeRequest, spoken
from prbot.adapters.gitlab_wire import Wire
from prbot.errors.forge import ForgeRefused, NotFound, NotMergeable
from prbot.model import PullRef, Sha


class _Commit(BaseModel):
    id: str


class _Branch(BaseModel):
    commit: _Commit


_BRANCH = TypeAdapter(_Branch)
RUNNING = "ci_still_running"
"""https://docs.gitlab.com/api/merge_requests/#merge-status"""


@dataclass(frozen=True)
class _Way:
    """How one merge request is to be merged: by a train where the project has them."""

    pull: PullRef
    sha: Sha
    squash: bool
    train: bool

    @property
    def what(self) -> str:
        return f"merge request {spoken(self.pull)}"

    @property
    def path(self) -> str:
        return f"{_project(self.pull)}/merge_requests/{self.pull.number}"

    def request(self, later: bool = False) -> Request:
        """`later`: once the pipeline that runs has ended well."""
        body = {"sha": self.sha, **({"squash": True} if self.squash else {})}
        if self.train:
            path = f"{_project(self.pull)}/merge_trains/merge_requests/{self.pull.number}"
            body |= {"auto_merge": True, "when_pipeline_succeeds": True} if later else {}
            return Request("merge", self.what, "POST", path, body=body)
        body |= {"auto_merge": True, "merge_when_pipeline_succeeds": True} if later else {}
        return Request("merge", self.what, "PUT", f"{self.path}/merge", body=body)


class Merges:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def merge(
        self, pull: PullRef, sha: Sha, method: str, *, delete_branch: bool = False
    ) -> bool:
        """Two requests; two more when it is refused: it may have been merged before, a
        pipeline may still run, and GitLab says why only of the merge request itself.

        Where merge trains are on it goes there: a merge past the train would begin it anew.
        """
        what = f"merge request {spoken(pull)}"
        project = await self._wire.read(Request("read", what, "GET", _project(pull)), PROJECT)
        way = _Way(pull, sha, method == "squash", bool(project.merge_trains_enabled))
        if way.train and delete_branch:
            await self._delete_later(way)
        try:
            await self._wire.ask(way.request())
            return not way.train
        except (ForgeRefused, NotFound) as error:
            found = await self._wire.read(Request("read", what, "GET", way.path), MERGE_REQUEST)
            if found.state == "merged":
                return True
            if found.sha == sha and found.merge_when_pipeline_succeeds:
                return False
            if found.sha != sha or found.detailed_merge_status != RUNNING:
                raise self._refused(what, error, found) from error
        return await self._when_green(way, delete_branch)

    async def _when_green(self, way: _Way, delete_branch: bool) -> bool:
        """The pipeline may have ended meanwhile, well or badly: the letter is tried again."""
        if delete_branch:
            await self._delete_later(way)
        try:
            await self._wire.ask(way.request(later=True))
        except (ForgeRefused, NotFound) as error:
            raise self._refused(way.what, error) from error
        return False

    async def _delete_later(self, way: _Way) -> None:
        body = {"remove_source_branch": True}
        await self._wire.ask(Request("write", way.what, "PUT", way.path, body=body))

    def _refused(
        self, what: str, error: ForgeRefused | NotFound, found: MergeRequest | None = None
    ) -> NotMergeable:
        cause = error.cause if isinstance(error, ForgeRefused) else str(error)
        why = found.detailed_merge_status.replace("_", " ") if found else ""
        said = f"{cause}: {why}" if why not in ("", "mergeable") else cause
        return NotMergeable(self._wire.name, what, said)

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
