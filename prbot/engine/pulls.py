"""The pull request that a run is about, as the forge tells it now."""

from __future__ import annotations

from prbot.engine.world import World
from prbot.model import PullRequest
from prbot.runs.queued import ENTRY, entry_of
from prbot.runs.run import Run


async def pull_of(world: World, run: Run) -> PullRequest:
    """A commit of a merge queue is in no pull request, so no forge is asked for one.

    Raises ForgeUnavailable, ForgeRefused and NotFound.
    """
    if run.ask.kind in ENTRY:
        return entry_of(run)
    return await world.forge_of(run.pull.repo).reader.pull_request(run.pull)
