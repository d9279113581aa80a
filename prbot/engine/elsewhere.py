"""What a run brings about beside its own pull request, in the same transaction: runs of other
pull requests, issues.

So each is started exactly once, whichever process decides and whenever it dies.
"""

from __future__ import annotations

import structlog

from prbot.engine.letters import drift_comment, issue_letter
from prbot.engine.messages import advance_message
from prbot.engine.world import World
from prbot.model import PullRef, RunId
from prbot.ports.outbox import of_repository
from prbot.ports.queue import Message
from prbot.ports.store import UnitOfWork
from prbot.runs.correction import OfDrift
from prbot.runs.elsewhere import asks_again
from prbot.runs.landings import Landing
from prbot.runs.run import Ask, AskKind, Run
from prbot.runs.steps import Land, PlanAgain, Say, Settle, WriteIssue

log = structlog.get_logger()


class Elsewhere:
    def __init__(self, world: World) -> None:
        self._world = world

    async def write_issue(self, unit: UnitOfWork, run: Run, step: WriteIssue) -> None:
        whole, letter = of_repository(run.pull.repo), issue_letter(self._world, run.pull.repo, step)
        key = f"{run.id} issue {step.topic}"
        await unit.outbox.put(key, whole, letter, self._world.clock.now())

    async def say_below(self, unit: UnitOfWork, run: Run, about: OfDrift, step: Say) -> None:
        """A comment below the issue that a correction is about."""
        if about.place is None:
            log.info("not told: there is no issue", action="correct", run=run.id)
            return
        own = f"prbot:{self._world.settings.installation}:{step.topic}"
        letter = drift_comment(self._world, about.place, about.marker, own, step.message)
        key, now = f"{run.id} say {step.topic}", self._world.clock.now()
        await unit.outbox.put(key, of_repository(about.place), letter, now)

    async def land(self, unit: UnitOfWork, run: Run, step: Land) -> None:
        if run.checkout is None:
            return
        now = self._world.clock.now()
        for project in step.projects:
            await unit.landings.add(Landing(run.pull, project, run.checkout.commit, now))

    async def settle(self, unit: UnitOfWork, run: Run, step: Settle) -> list[Message]:
        """The messages of the runs that tell the others."""
        now = self._world.clock.now()
        for landing in step.landings:
            await unit.landings.settle(landing, run.pull, now)
        others = dict.fromkeys(one.pull for one in step.landings if one.pull != run.pull)
        why = f"applied with pull request {run.pull.number}"
        ask = Ask(AskKind.MERGE, run.ask.actor, why, settled_by=run.pull)
        return [await self._started(unit, pull, ask) for pull in others]

    async def plan_again(self, unit: UnitOfWork, run: Run, step: PlanAgain) -> list[Message]:
        """The messages of the runs that plan."""
        started = []
        for pull in await unit.plans.holders(run.pull.repo, step.projects):
            if pull == run.pull:
                continue
            held = {plan.project for plan in await unit.plans.of_pull(pull)}
            projects = held.intersection(step.projects)
            for ask in asks_again(await unit.runs.of_pull(pull), projects, run.pull):
                started.append(await self._started(unit, pull, ask))
        return started

    async def _started(self, unit: UnitOfWork, pull: PullRef, ask: Ask) -> Message:
        run = Run(RunId(self._world.new_id("r")), pull, ask, self._world.clock.now())
        await unit.runs.add(run)
        return advance_message(run)
