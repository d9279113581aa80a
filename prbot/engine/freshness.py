"""Looks, right before an apply, whether its plan is still what it was made from.

After `init` and before anything may change: what cannot be known then (a workflow that does
not initialise here, a state that only its own commands reach) is left to the tool.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from prbot.config.stages import Recipe
from prbot.engine.planner import Planner, in_one_spelling, ordered, var_files_of
from prbot.engine.reading import whole
from prbot.engine.ways import Way
from prbot.errors.plans import NoRecord, NotFresh, PlanAgain
from prbot.model import Checkout
from prbot.plans.arguments import var_files as var_files_among
from prbot.plans.canonical import Digests
from prbot.plans.freshness import Difference, Record, record_of, remedy, stale_fields, told
from prbot.plans.record import StoredPlan
from prbot.ports.tool import Tool, ToolRun


@dataclass(frozen=True)
class Freshness:
    """Of one plan, where it is about to be applied. `digests` are of the JSON that is kept of
    it, `age` is how old it may be."""

    planner: Planner
    plan: StoredPlan
    digests: Digests
    way: Way
    checkout: Checkout
    worktree: Path
    tool: Tool
    age: timedelta

    def check_steps(self) -> None:
        """Before the first of them runs. Raises as `check`."""
        record = self._record()
        steps = replace(record, workflow=self.way.recipe.lines)
        raise_for(self.plan, stale_fields(record, steps, self.age))

    async def check(self, run: ToolRun) -> None:
        """Raises NotFresh, PlanAgain where planning again may be enough, NoRecord, and what
        the tool raises."""
        record = self._record()
        found = await self._found(record, run)
        raise_for(self.plan, stale_fields(record, found, self.age))

    def _record(self) -> Record:
        record = record_of(self.plan)
        if record is None:
            raise NoRecord(self.plan.id)
        return record

    async def _found(self, record: Record, run: ToolRun) -> Record:
        planner, checkout, recipe = self.planner, self.checkout, self.way.recipe
        asked = self.plan.inputs.asked
        var_files = var_files_of(self.way.place, run.root, self.worktree)
        arguments, closing = ordered(replace(self.way, asked=asked), var_files)
        var_files += tuple(var_files_among(asked))
        known = replace(
            record,
            content=self.digests.content,
            configuration=self.digests.configuration,
            arguments=in_one_spelling((*arguments, *closing)),
            tool=await self.tool.version(),
            workflow=recipe.lines,
            variables=(*self.digests.variables, *planner.given(self.digests)),
            head=checkout.head,
            base=checkout.base,
            commit=checkout.laid,
            lock_file=None,
            files=None,
            state=None,
            at=planner.clock.now(),
        )
        return await self._initialised(known, run, var_files) if initialises(recipe) else known

    async def _initialised(self, known: Record, run: ToolRun, var_files: Sequence[str]) -> Record:
        init = await self.tool.initialised(run)
        reading = self.planner.reading(self.plan.pull, self.checkout, self.worktree)
        parts, state = await asyncio.gather(
            reading.parts(self.way, init, var_files),
            self.tool.snapshot(run),
        )
        lock_file = hashlib.sha256(init.lock_file).hexdigest()
        return replace(known, lock_file=lock_file, files=whole(parts), parts=parts, state=state)


def raise_for(plan: StoredPlan, found: tuple[Difference, ...]) -> None:
    """One thing that planning again does not mend is enough to refuse."""
    if not found:
        return
    if all(each.again for each in found):
        raise PlanAgain(plan.id, told(found))
    raise NotFresh(plan.id, told(found), remedy(found))


def initialises(recipe: Recipe) -> bool:
    """Whether the tool itself applies, and was initialised by prbot before it could."""
    kinds = [step.kind for step in (*recipe.preparation, *recipe.apply)]
    if "apply" not in kinds or "init" not in kinds:
        return False
    changing = min(kinds.index(kind) for kind in ("apply", "run") if kind in kinds)
    return "init" in [step.kind for step in recipe.preparation] or kinds.index("init") < changing
