"""What a process must know before it speaks of a pull request: the secrets in its plans.

Whoever made a plan has told the redactor what it calls secret; another process, or the same
one after a restart, reads that in the plan's JSON, sealed beside the plan. So what a tool
prints later, and what is told later, is as clean as if nothing had happened between.

Not promised: the secrets of plans that newer ones replaced. What was kept of those was
redacted before it was kept.
"""

from __future__ import annotations

import asyncio

import structlog

from prbot.engine.world import World
from prbot.errors.plans import BadPlan
from prbot.errors.server import WrongInstallationKey
from prbot.model import PullRef
from prbot.plans.plan import parse
from prbot.plans.summary import sensitive_strings

log = structlog.get_logger()


async def remember(world: World, pull: PullRef) -> None:
    """Let the redactor know what the newest plan of each project marks, if it does not yet.

    To be called inside `redactor.about` this pull request. Raises what the artifacts raise
    that are away.
    """
    async with world.store.begin() as unit:
        names = await unit.plans.newest_json(pull)
    for name in names:
        if not world.redactor.has_heard(name):
            await _hear(world, name)


async def _hear(world: World, name: str) -> None:
    """One that cannot be read tells nothing, now or ever."""
    try:
        shown = await world.artifacts.get(name)
        # in a thread: a large plan takes seconds to read, and webhooks want their answer
        secrets = frozenset[str]() if shown is None else await asyncio.to_thread(_marked, shown)
    except (WrongInstallationKey, BadPlan) as error:
        log.warning("plan not read again", action="remember", plan=name, error=str(error))
        secrets = frozenset()
    world.redactor.hide(secrets, name)


def _marked(shown: bytes) -> frozenset[str]:
    return sensitive_strings(parse(shown))
