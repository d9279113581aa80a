"""The commits that GitLab's merge trains try, each with a pipeline of its own.

Trains are of paid editions; a project without them does not say `merge_trains_enabled`.
Wire facts: https://docs.gitlab.com/api/merge_trains/ and
https://docs.gitlab.com/ci/pipelines/merge_trains/.
"""

from __future__ import annotations

from urllib.parse import quote

import structlog

from prbot.adapters.gitlab_limits import Request
from prbot.adapters.gitlab_shapes import CARS, GHOST, PROJECT, Car
from prbot.adapters.gitlab_wire import Wire
from prbot.errors.forge import ForgeRefused, NotFound
from prbot.intake.gitlab_reading import is_bot
from prbot.model import Actor, Login, QueueMoved, RepoRef, Sha

log = structlog.get_logger()


class Trains:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def merge_queue(self, repo: RepoRef) -> tuple[QueueMoved, ...]:
        """One request; one more where the project has trains."""
        path, what = f"/projects/{quote(repo.path, safe='')}", f"merge trains of {repo}"
        project = await self._wire.read(Request("read", what, "GET", path), PROJECT)
        if not project.merge_trains_enabled or not project.default_branch:
            return ()
        order = {"scope": "active", "sort": "asc"}
        asked = Request("read", what, "GET", f"{path}/merge_trains", parameters=order)
        try:
            cars = [car async for page in self._wire.known_pages(asked, CARS) for car in page]
        except (ForgeRefused, NotFound) as error:  # the edition, or our role, is too small
            log.info("merge trains not seen", action="reconcile", repo=str(repo), error=str(error))
            return ()
        return tuple(_moved(repo, car, project.default_branch) for car in cars if car.tried)


def _moved(repo: RepoRef, car: Car, default: str) -> QueueMoved:
    name = GHOST if car.user is None else Login(car.user.username)
    commit, actor = car.tried or Sha(""), Actor(name, is_bot(name))
    base = car.target_branch or default
    return QueueMoved(repo, commit, base, default, actor, False, "found on a train")
