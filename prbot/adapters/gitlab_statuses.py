"""External statuses on GitLab: set, moved on, and ended in every pipeline that has them.

GitLab puts a status into the newest pipeline of its commit, and makes one where there is none.
Its own pipeline often begins a moment later: what was pending then stays in the older one, and
would stay there for ever.
Wire facts: https://docs.gitlab.com/api/commits/#set-commit-pipeline-status and
#list-all-commit-statuses (`pipeline_id` is told since GitLab 16.3).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog
from pydantic import BaseModel, TypeAdapter

from prbot.adapters.gitlab_limits import Request
from prbot.adapters.gitlab_shapes import User
from prbot.adapters.gitlab_wire import Wire
from prbot.errors.forge import ForgeRefused, NotFound
from prbot.model import Login, RepoRef, Sha
from prbot.ports.forge import CheckReport, StatusState

log = structlog.get_logger()

_DESCRIPTION_LIMIT = 255
_STATES = {
    StatusState.PENDING: "pending",
    StatusState.SUCCESS: "success",
    StatusState.FAILURE: "failed",
}
_STANDS_ALREADY = "Cannot transition status"
"""What GitLab says to a status that is pending and is set pending again."""


class Standing(BaseModel):
    """A status as it stands in one pipeline."""

    name: str
    status: str
    pipeline_id: int | None = None
    author: User | None = None


STANDING = TypeAdapter(list[Standing])


@dataclass(frozen=True)
class Statuses:
    """`bot_login` tells which statuses are ours."""

    wire: Wire
    bot_login: Callable[[], Awaitable[Login]]

    async def set(
        self,
        repo: RepoRef,
        sha: Sha,
        context: str,
        state: StatusState,
        description: str,
        report: CheckReport | None = None,
    ) -> None:
        """One request for a pending one; two for one that ends, and one more for each older
        pipeline where it is still pending.

        A status that is pending already stays as it is: GitLab moves it on, and cannot
        set it anew. Raises ForgeRefused for a commit of a fork, which has no place for one.
        """
        body = {"name": context, "state": _STATES[state], "description": _cut(description)}
        what = f"status {context} of {repo} at {sha[:7]}"
        path = f"{_project(repo)}/statuses/{sha}"
        request = Request("set", what, "POST", path, body=body)
        try:
            await self._post(request)
        except NotFound:
            cause = "no branch of this project holds the commit (HTTP 404)"
            raise ForgeRefused(self.wire.name, f"set {what}", cause) from None
        if state is not StatusState.PENDING:
            await self._end_others(repo, sha, request, body)

    async def _post(self, request: Request) -> None:
        try:
            await self.wire.ask(request)
        except ForgeRefused as error:
            if _STANDS_ALREADY not in str(error):
                raise
            log.debug("status stands already", action="write", status=request.what)

    async def _end_others(
        self, repo: RepoRef, sha: Sha, request: Request, body: dict[str, Any]
    ) -> None:
        """What cannot be ended there is no reason to set the status again: it is set."""
        path = f"{_project(repo)}/repository/commits/{sha}/statuses"
        asked = {"name": body["name"]}
        read = Request("read", request.what, "GET", path, parameters=asked)
        bot = await self.bot_login()
        try:
            pages = self.wire.pages(read, STANDING)
            standing = [one async for page in pages for one in page]
            for pipeline in left_pending(standing, body["name"], bot):
                there = body | {"pipeline_id": pipeline}
                await self._post(Request("set", request.what, "POST", request.path, body=there))
        except (ForgeRefused, NotFound) as error:
            log.warning("status left pending", action="write", status=read.what, error=str(error))


def left_pending(standing: Iterable[Standing], name: str, bot: Login) -> list[int]:
    """The pipelines where our status of this name has not ended, oldest first."""
    running = (one for one in standing if one.status in ("pending", "running"))
    ours = (one for one in running if one.author is not None and one.author.username == bot)
    found = {one.pipeline_id for one in ours if one.name == name}
    return sorted(pipeline for pipeline in found if pipeline is not None)


def _project(repo: RepoRef) -> str:
    return f"/projects/{quote(repo.path, safe='')}"


def _cut(description: str) -> str:
    if len(description) <= _DESCRIPTION_LIMIT:
        return description
    return description[: _DESCRIPTION_LIMIT - 1] + "…"
