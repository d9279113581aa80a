"""Reads what the plans of a look, or of a correction, tell: a section, and what it proves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from prbot.config.drift import DriftSettings
from prbot.drift.checking import CLEAN, Reading, Subject, section_of
from prbot.drift.issue import Section
from prbot.drift.reading import ANYTHING, Asked, Read, read
from prbot.drift.rules import Beyond
from prbot.drift.state import Standing
from prbot.drift.verdict import LastApplied
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.errors.plans import BadPlan
from prbot.model import PlanId, PullRef, RepoRef, Sha
from prbot.plans.plan import parse
from prbot.plans.record import Applied, StoredPlan
from prbot.plans.summary import sensitive_strings
from prbot.ports.store import UnitOfWork
from prbot.runs.drifting import GONE, NOT_LOOKED_AT, head_of, same_code
from prbot.runs.run import AskKind, Job, JobKind, JobState, Run, RunState, Trouble

LOOKED = {
    AskKind.DRIFT: (RunState.DONE,),
    AskKind.CORRECT: (RunState.DONE, RunState.REFUSED),
}
"""How a run ends whose plans tell how the project stands."""


@dataclass(frozen=True)
class Seen:
    """`section` is what the head's plan shows, `beyond` what else it would do. `proved` is what
    it proves to be applied, `drifted` are the providers whose resources drifted."""

    section: Section
    beyond: Beyond = ANYTHING
    proved: Applied | None = None
    drifted: frozenset[str] = frozenset()


class DriftReading:
    def __init__(self, world: World) -> None:
        self._world = world

    async def ended(self, standing: Standing, run: Run, settings: DriftSettings) -> Seen | None:
        """What an ended run found. None: there was nothing to look at, or nothing can be told
        from what is left of it."""
        if run.state in LOOKED[run.ask.kind]:
            return await self.seen(standing, run, settings)
        trouble, correcting = run.trouble or NOT_LOOKED_AT, run.ask.kind is AskKind.CORRECT
        if trouble == GONE or correcting:
            return None
        subject = _subject(standing, run, self._world.clock.now())
        return Seen(section_of(subject, trouble, LastApplied.NOTHING, None, unmerged=False))

    async def seen(self, standing: Standing, run: Run, settings: DriftSettings) -> Seen:
        """What the newest plans of a run tell, whether it has ended or not."""
        subject = _subject(standing, run, self._world.clock.now())
        async with self._world.store.begin() as unit:
            plans = {plan.id: plan for plan in await unit.plans.of_pull(run.pull)}
            holders = await unmerged_holders(unit, standing.repo)
            locks = await unit.locks.of_repo(standing.repo)
        redact = self._world.redactor.redact_values
        asked = Asked(settings, standing.environment, subject.at.date(), redact)
        head = plans.get(plan_id_of(head_of(run)))
        last = last_applied(run, head)
        reading = await self._reading(head_of(run), head, last is LastApplied.SAME, asked)
        job = next(iter(run.jobs_of(JobKind.PLAN_APPLIED)), None)
        earlier = plans.get(plan_id_of(job))
        before = await self._reading(job, earlier, True, asked)
        unmerged = any(
            lock.project == standing.project and lock.holder in holders for lock in locks
        )
        section = section_of(subject, reading, last, before, unmerged)
        beyond = reading.beyond if isinstance(reading, Read) else ANYTHING
        clean = section.verdict in CLEAN
        telling = earlier if last is LastApplied.DIFFERENT and not clean else head
        section = replace(section, providers=telling.providers if telling else ())
        read_of = before if last is LastApplied.DIFFERENT else reading
        drifted = read_of.providers if isinstance(read_of, Read) else frozenset()
        # what lands while it is looked at is not in it
        proved = Applied(subject.commit, head.inputs, run.created_at) if head and clean else None
        return Seen(section, beyond, proved, drifted)

    async def _reading(
        self, job: Job | None, plan: StoredPlan | None, proven: bool, asked: Asked
    ) -> Reading:
        if job is None or job.state is JobState.FAILED:
            return None if job is None else job.trouble or NOT_LOOKED_AT
        if plan is None or plan.state_is_lost:  # then nothing can be told from it
            return None
        try:
            shown = await self._world.artifacts.get(plan.plan_json)
            if shown is None:
                raise BadPlan("it is no longer stored")
            # in a thread: a large plan takes seconds to read, and webhooks want their answer
            return await asyncio.to_thread(self._read, shown, plan, proven, asked)
        except PrbotError as error:
            redact = self._world.redactor.redact
            return Trouble(redact(str(error)), redact(error.next_step))

    def _read(self, shown: bytes, plan: StoredPlan, proven: bool, asked: Asked) -> Read:
        parsed, summary = parse(shown), plan.summary
        self._world.redactor.hide(sensitive_strings(parsed), plan.plan_json)
        failing = summary.checks.failing
        return read(parsed, plan.hash, summary.has_changes, failing, proven, asked)


def _subject(standing: Standing, run: Run, now: datetime) -> Subject:
    commit = run.ask.head_sha or Sha("")
    return Subject(standing.repo, standing.project, commit, now, standing.environment)


def plan_id_of(job: Job | None) -> PlanId:
    return PlanId("") if job is None or job.plan_id is None else job.plan_id


def last_applied(run: Run, head: StoredPlan | None) -> LastApplied:
    """How the code that is known to run is beside the head's."""
    if any(job.state is JobState.APPLIED for job in run.jobs_of(JobKind.APPLY)):
        return LastApplied.SAME
    if run.ask.applied is None:
        return LastApplied.NOTHING
    if head is not None and same_code(head.inputs, run.ask.applied.inputs):
        return LastApplied.SAME
    return LastApplied.DIFFERENT


async def applied_of(unit: UnitOfWork, standing: Standing) -> Applied | None:
    """What is known to run: applied by us, or proved by a check, whichever is newer. Nothing is
    known where a part was applied, or all destroyed."""
    plan = await unit.plans.last_applied(standing.repo, standing.project)
    proved = standing.applied
    if plan is None or plan.applied_at is None:
        return proved
    if proved is not None and proved.at >= plan.applied_at:
        return proved
    return None if plan.special else Applied(plan.commit, plan.inputs, plan.applied_at)


async def unmerged_holders(unit: UnitOfWork, repo: RepoRef) -> frozenset[PullRef]:
    """Pull requests that hold a project and were closed without a merge."""
    holders = {lock.holder for lock in await unit.locks.of_repo(repo)}
    return frozenset([pull for pull in holders if _closed(await unit.runs.of_pull(pull))])


def _closed(runs: Sequence[Run]) -> bool:
    """A close was the last that happened to it; runs come newest first."""
    events = (run for run in runs if not run.ask.by_comment)
    newest = next(events, None)
    return newest is not None and newest.ask.kind is AskKind.CLOSE and newest.state is RunState.DONE
