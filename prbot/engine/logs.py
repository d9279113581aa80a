"""What the tool said while it made a plan, for the page that a check is.

Kept beside the plan, its end, as an artifact that goes with it. A log that is gone or cannot be
read is none: nobody waits for a page of words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import structlog

from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.model import PlanId
from prbot.plans.record import StoredPlan
from prbot.runs.steps import SetStatus, Step

log = structlog.get_logger()

MOST = 100
"""Logs that one check is told of; with more of them of each too little would be left."""

Logs = Mapping[PlanId, str]


async def logs_of(world: World, steps: Iterable[Step]) -> Logs:
    """Of the plans that the checks among these steps tell of. Only where a check has a page."""
    found = {
        result.plan.id: result.plan
        for step in steps
        if isinstance(step, SetStatus) and step.detail is not None
        for result in step.detail.results
        if result.plan is not None
        if world.forge_of(result.plan.pull.repo).shows_reports
    }
    if len(found) > MOST:
        return {}
    said = await asyncio.gather(*(_said(world, plan) for plan in found.values()))
    return {plan: text for plan, text in zip(found, said, strict=True) if text}


async def _said(world: World, plan: StoredPlan) -> str:
    try:
        kept = await world.artifacts.get(plan.log)
    except PrbotError as error:
        log.warning("log not read", action="write", plan=plan.id, error=str(error))
        return ""
    return (kept or b"").decode("utf-8", "replace")
