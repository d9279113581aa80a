"""Marks plans that became too old to be applied as they are, and tells their pull requests.

Sleeps until the next plan may come due. Whether one does is decided anew, from the
tables, in the transaction that marks it; so several processes may do it at once, and a
crash leaves all of it done or nothing. Who waits for a freed project is woken after the
transaction; at its start each process wakes whoever waits, so a crash between costs no more.

A letter's key here begins with `expired`, never with a run: what a run has told, and
since when its plans stand in the pull request, stays as it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

import structlog

from prbot.config.files import RepoFiles
from prbot.config.repo import Effective
from prbot.engine.alarm import Alarm
from prbot.engine.letters import comment_letter, status_letter
from prbot.engine.memory import remember
from prbot.engine.world import World
from prbot.errors.store import StoreUnavailable
from prbot.model import PlanId, PullRef, RepoRef
from prbot.plans.record import StoredPlan
from prbot.ports.store import UnitOfWork
from prbot.runs.expiry import Expiring, Kept, expire
from prbot.runs.journal import EXPIRED, JournalEntry
from prbot.runs.steps import FreeLocks, Say, SetStatus

log = structlog.get_logger()

RETRY = timedelta(minutes=1)
"""When to look again after the database did not answer."""
AT_LEAST = timedelta(seconds=1)
"""Plans of many projects come due one by one; they are looked at together."""
AT_MOST = timedelta(hours=1)
"""What could not expire because something ran is looked at again; clocks may be set."""


class Moved(Exception):  # not an error: it is looked at again
    """Somebody else acted on the pull request since it was looked at."""


class Expiry:
    """One per process. `outbox` is rung when letters were put, `wake` called when a project
    of the repository was freed."""

    def __init__(
        self, world: World, outbox: Alarm, wake: Callable[[RepoRef], Awaitable[None]]
    ) -> None:
        self._world = world
        self._outbox = outbox
        self._wake = wake
        self._alarm = Alarm()
        self._freed: deque[RepoRef] = deque()

    async def run(self) -> None:
        """Look at once, then whenever a plan may have come due."""
        while True:
            await self._alarm.wait(await self._look())

    async def _look(self) -> timedelta:
        """How long to sleep then."""
        try:
            await self.sweep()
            return await self._pause()
        except StoreUnavailable as error:
            log.warning("plans not looked at", action="expire", error=str(error))
            return RETRY

    async def _pause(self) -> timedelta:
        """A plan that is yet to be made comes due no sooner than its whole age from now."""
        now, age = self._world.clock.now(), self._world.settings.plan_age
        async with self._world.store.begin() as unit:
            made = await unit.plans.first_since(now - age)
        due = age if made is None else made + age - now
        return max(AT_LEAST, min(due, age, AT_MOST))

    async def sweep(self) -> None:
        """Mark all that is too old now. Raises StoreUnavailable."""
        moment = self._world.clock.now() - self._world.settings.plan_age
        async with self._world.store.begin() as unit:
            older = await unit.plans.older_than(moment)
        for pull, droppable in _by_pull(older).items():
            if pull.repo.forge in self._world.forges and self._world.settings.serves(pull.repo):
                with self._world.redactor.about(str(pull)):
                    await self._try(pull, frozenset(droppable), moment)
        while self._freed:
            await self._wake(self._freed[0])  # it stays there if the database does not answer
            self._freed.popleft()

    async def _try(self, pull: PullRef, droppable: frozenset[PlanId], moment: datetime) -> None:
        try:
            await self._expire(pull, droppable, moment)
        except Moved:
            log.info("plans left alone", action="expire", pull=str(pull))
        except StoreUnavailable:
            raise
        except Exception:  # one pull request must not keep the others' plans
            log.exception("plans not expired", action="expire", pull=str(pull))

    async def _expire(self, pull: PullRef, droppable: frozenset[PlanId], moment: datetime) -> None:
        age = self._world.settings.plan_age
        await remember(self._world, pull)
        async with self._world.store.begin() as unit:
            expiring = expire(
                await _kept(unit, pull, droppable, moment), age, self._may_apply(pull.repo)
            )
            if expiring is None:
                return
            artifacts = await self._perform(unit, pull, expiring)
        log.info("plans expired", action="expire", pull=str(pull), plans=len(expiring.plans))
        self._outbox.ring()
        if any(isinstance(step, FreeLocks) for step in expiring.steps):
            self._freed.append(pull.repo)
        await self._world.artifacts.drop(artifacts)

    def _may_apply(self, repo: RepoRef) -> bool:
        rules = self._world.settings.rules_of(repo, RepoFiles())
        return isinstance(rules, Effective) and rules.may_apply

    async def _perform(
        self, unit: UnitOfWork, pull: PullRef, expiring: Expiring
    ) -> tuple[str, ...]:
        """The names of the artifacts nobody needs any more. Raises Moved."""
        for step in expiring.steps:
            await self._step(unit, pull, step, f"expired {expiring.plans[0].id}")
        gone = await unit.plans.expire([plan.id for plan in expiring.plans], self._now())
        for plan in expiring.plans:
            line = JournalEntry(self._now(), pull, None, plan.id, EXPIRED, str(plan.project))
            await unit.journal.write(line)
        # A run that began meanwhile may have judged by what is gone now. One that begins
        # from here on waits for our locks and letters, or finds the plan too old.
        runs = await unit.runs.of_pull(pull)
        if set(gone) != {plan.plan_file for plan in expiring.plans} or not all(
            r.state.finished for r in runs
        ):
            raise Moved
        return gone

    async def _step(
        self, unit: UnitOfWork, pull: PullRef, step: FreeLocks | Say | SetStatus, key: str
    ) -> None:
        match step:
            case FreeLocks(projects):
                await unit.locks.free(pull, projects)
                names = ", ".join(map(str, projects))
                subject = key.split()[-1]
                line = JournalEntry(self._now(), pull, None, subject, "unlocked", names)
                await unit.journal.write(line)
            case Say():
                letter = comment_letter(self._world, pull, step)
                await unit.outbox.put(f"{key} comment", pull, letter, self._now())
            case SetStatus():
                status = status_letter(self._world, pull, step)
                if status is not None:
                    await unit.outbox.put(f"{key} {status.context}", pull, status, self._now())

    def _now(self) -> datetime:
        return self._world.clock.now()


def _by_pull(plans: Iterable[StoredPlan]) -> dict[PullRef, list[PlanId]]:
    found: dict[PullRef, list[PlanId]] = {}
    for plan in plans:
        found.setdefault(plan.pull, []).append(plan.id)
    return found


async def _kept(
    unit: UnitOfWork, pull: PullRef, droppable: frozenset[PlanId], moment: datetime
) -> Kept:
    return Kept(
        pull=pull,
        plans=await unit.plans.of_pull(pull),
        droppable=droppable,
        runs=await unit.runs.of_pull(pull),
        locks=await unit.locks.of_repo(pull.repo),
        moment=moment,
    )
