"""Reads the own plans of pull requests that adopt drift, and tells there what they still change.

Not promised: that it is told before somebody merges; the plan itself says the same.
"""

from __future__ import annotations

import asyncio

import structlog

from prbot.config.drift import Proposal
from prbot.drift.state import Correction
from prbot.drift.tell import Unproven
from prbot.drift.wishing import HOW
from prbot.drift.withdrawing import still_changed
from prbot.engine.letters import unproven_letter
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.errors.store import StoreUnavailable
from prbot.model import PlanId, RepoRef
from prbot.plans.plan import parse
from prbot.plans.record import StoredPlan
from prbot.ports.store import UnitOfWork

log = structlog.get_logger()


class DriftProving:
    """One per process. What it has read it does not read again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read: set[PlanId] = set()

    async def look(self, repo: RepoRef) -> int:
        """How many comments are to be written. Raises StoreUnavailable."""
        async with self._world.store.begin() as unit:
            proposed = await unit.corrections.proposed(repo)
            adopting = [one for one in proposed if one.how == HOW[Proposal.ADOPT]]
            found = [(one, await _plan_of(unit, one)) for one in adopting]
        fresh = [(one, plan) for one, plan in found if plan and plan.id not in self._read]
        return sum([await self._tell(one, plan) for one, plan in fresh])

    async def _tell(self, one: Correction, plan: StoredPlan) -> bool:
        names = await self._names(one, plan)
        self._read.add(plan.id)
        if not names or one.pull is None:
            return False
        letter = unproven_letter(self._world, one.pull, Unproven(plan.id, names))
        now = self._world.clock.now()
        async with self._world.store.begin() as unit:
            await unit.outbox.put(f"unproven {plan.id}", one.pull, letter, now)
        return True

    async def _names(self, one: Correction, plan: StoredPlan) -> tuple[str, ...]:
        try:
            shown = await self._world.artifacts.get(plan.plan_json)
            # in a thread: a large plan takes seconds to read, and webhooks want their answer
            return () if shown is None else await asyncio.to_thread(_changed, one, shown)
        except StoreUnavailable:
            raise
        except PrbotError as error:
            redact = self._world.redactor.redact
            log.warning("plan not read", action="drift", plan=plan.id, error=redact(str(error)))
            return ()


def _changed(one: Correction, shown: bytes) -> tuple[str, ...]:
    return still_changed(one, parse(shown))


async def _plan_of(unit: UnitOfWork, one: Correction) -> StoredPlan | None:
    """The newest of the pull request, if it would change anything."""
    plans = await unit.plans.of_pull(one.pull) if one.pull is not None else ()
    mine = next((plan for plan in plans if plan.project == one.project), None)
    return mine if mine is not None and mine.summary.has_changes else None
