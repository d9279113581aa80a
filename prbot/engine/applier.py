"""Applies one saved plan by the steps of its project's workflow.

What comes before the first step that may change anything can be done any number of times.
From that step on there is an intent in the store, and the journal hears what the tool tells;
how it ends is the worker's to store.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from prbot.engine.hearing import Hearing
from prbot.engine.stages import Stage
from prbot.engine.ways import PLAN_FILE, Way
from prbot.engine.world import World
from prbot.errors.applies import FrozenMeanwhile, PlanTriedBefore
from prbot.errors.plans import StepAfterApply, StepFailed, StepKilled, StepTimedOut
from prbot.plans.record import StoredPlan
from prbot.ports.tool import ApplyOutcome, Tool, ToolRun
from prbot.runs.freezes import not_frozen
from prbot.runs.run import Job, Run

DONE = ApplyOutcome(ok=True, stale=False, killed=False, diagnostics="", events=())


@dataclass
class Applier:
    """One apply; `file` are the bytes of the plan that people reviewed, `tool` made it. `check`
    is the last look at what it was made from, and raises where that is not so any more.
    `environment` is the project's: freezes may speak of it."""

    world: World
    run: Run
    job: Job
    plan: StoredPlan
    file: bytes
    tool: Tool
    check: Callable[[ToolRun], Awaitable[None]]
    environment: str | None = None
    hearing: Hearing | None = None

    async def apply(self, way: Way, surroundings: ToolRun) -> ApplyOutcome:
        """How it ended. Raises FrozenMeanwhile, PlanTriedBefore, StepAfterApply, what `check`
        and the steps raise that failed, and what the tool raises."""
        world = self.world
        prepare = await way.stage("plan", self.tool, world.redactor, surroundings)
        await prepare.perform(way.recipe.preparation)
        self._restore(surroundings.data_dir / PLAN_FILE)
        stage = await way.stage("apply", self.tool, world.redactor, surroundings)
        async with AsyncExitStack() as stack:

            async def begin() -> None:
                await self.check(stage.run)
                await self._intend()
                hearing = Hearing(world, self.run, self.job, self.tool, stage.run)
                self.hearing = await stack.enter_async_context(hearing)

            stage.begin, stage.apply = begin, self._apply
            return await self._perform(stage, way)

    async def _perform(self, stage: Stage, way: Way) -> ApplyOutcome:
        try:
            await stage.perform(way.recipe.apply)
        except (StepFailed, StepKilled, StepTimedOut) as error:
            if stage.outcome is not None:  # it ended well, or nothing would have followed
                raise StepAfterApply(self.plan.id, str(error), error.output) from error
            if self.hearing is None or not _cut_off(error):
                raise
            said = f"{error}\n\n{error.output}"
            return ApplyOutcome(False, stale=False, killed=True, diagnostics=said, events=())
        return stage.outcome or DONE

    async def _apply(self, surroundings: ToolRun, words: Sequence[str]) -> ApplyOutcome:
        plan_file = surroundings.data_dir / PLAN_FILE
        self._restore(plan_file)  # no step has put another in its place
        heard = self.hearing.heard if self.hearing else None
        return await self.tool.apply(surroundings, plan_file, heard, words)

    def _restore(self, plan_file: Path) -> None:
        plan_file.unlink(missing_ok=True)
        plan_file.write_bytes(self.file)

    async def _intend(self) -> None:
        now = self.world.clock.now()
        async with self.world.store.begin() as unit:
            freezes = await unit.freezes.in_force(now)
            if stops := not_frozen(freezes, self.run.pull.repo, self.environment, now):
                raise FrozenMeanwhile(self.plan.id, "; ".join(why.message for why in stops))
            if not await unit.plans.intend(self.plan.id, self.job, now):
                raise PlanTriedBefore(self.plan.id)


def _cut_off(error: StepFailed | StepKilled | StepTimedOut) -> bool:
    """Nobody knows what it did and did not record."""
    return isinstance(error, StepKilled) or (isinstance(error, StepTimedOut) and error.killed)
