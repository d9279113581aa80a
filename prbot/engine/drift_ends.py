"""Keeps what checks found, once, with all that follows from it.

A run that has ended and whose check stands as under way is read here: its plans become a
section, in the same transaction the check ends and what follows is performed, and only then
its plans go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

import structlog

from prbot.config.drift import DriftSettings
from prbot.config.repo import UNSAID
from prbot.drift.aftermath import CompleteBaseline, DriftStep, Ended, Known, after_check
from prbot.drift.checking import CLEAN, Reading, Subject, section_of
from prbot.drift.issue import Section
from prbot.drift.reading import Asked, Read, read
from prbot.drift.state import Standing
from prbot.drift.telling import TellIssue
from prbot.drift.verdict import LastApplied
from prbot.engine.alarm import Alarm
from prbot.engine.checkouts import generated_names
from prbot.engine.drift_issues import tell_issue
from prbot.engine.drift_places import Places, watch_of
from prbot.engine.drift_proposals import DriftProposals, Found
from prbot.engine.world import World
from prbot.errors import BadPlan, PrbotError, StoreUnavailable
from prbot.model import PlanId, PullRef, RepoRef, Sha
from prbot.plans.plan import parse
from prbot.plans.record import Applied, StoredPlan
from prbot.plans.summary import sensitive_strings
from prbot.ports import UnitOfWork
from prbot.runs.drifting import GONE, NOT_LOOKED_AT, head_of, same_code
from prbot.runs.run import AskKind, Job, JobKind, JobState, Run, RunState, Trouble

log = structlog.get_logger()

DAY = timedelta(days=1)
"""How far back corrections count."""


class DriftEnds:
    """`outbox` is rung when there may be something to tell."""

    def __init__(self, world: World, places: Places, outbox: Alarm) -> None:
        self._world = world
        self._places = places
        self._outbox = outbox
        self._proposals = DriftProposals(world)

    async def keep(self) -> None:
        """All checks whose runs have ended. Raises StoreUnavailable."""
        async with self._world.store.begin() as unit:
            going = [(each, each.run) for each in await unit.drift.under_way()]
            runs = [(each, await unit.runs.get(run)) for each, run in going if run is not None]
        for standing, run in runs:
            if run.state.finished:
                await self._try(standing, run)

    async def _try(self, standing: Standing, run: Run) -> None:
        try:
            with self._world.redactor.about(str(run.pull)):
                await self._keep(standing, run)
        except StoreUnavailable:
            raise
        except Exception:  # one look must not keep the others from being kept, and begun
            log.exception("drift not kept", action="drift", project=standing.key)

    async def _keep(self, standing: Standing, run: Run) -> None:
        world, repo = self._world, standing.repo
        place = await self._places.at(repo, fresh=False)
        settings = UNSAID if place is None else place.rules.drift
        section, applied = await self._found(standing, run, settings)
        if section is None:
            self._places.forget(repo)
        branch = "" if place is None else place.branch
        head = await self._head(run)
        made = await self._proposals.made(Found(standing, section, settings, branch, head))
        async with world.store.begin() as unit:
            now = world.clock.now()
            before = await unit.drift.end(run.id, section, now, applied)
            if before is None:  # somebody else was first
                return
            artifacts = (*await unit.plans.drop_of_pull(run.pull), *generated_names([run]))
            known = await self._known(unit, repo, settings)
            if section is not None:
                for step in after_check(Ended(section, before), known):
                    await self._step(unit, step, known)
            await self._proposals.put(unit, made, standing, known)
        verdict = section.verdict.value if section is not None else "gone"
        log.info("drift looked for", action="drift", project=standing.key, verdict=verdict)
        self._outbox.ring()
        await self._clear_away(artifacts)

    async def _head(self, run: Run) -> StoredPlan | None:
        async with self._world.store.begin() as unit:
            plans = {plan.id: plan for plan in await unit.plans.of_pull(run.pull)}
        return plans.get(_plan_id(head_of(run)))

    async def _clear_away(self, artifacts: Sequence[str]) -> None:
        """What stays when this fails is only in the way."""
        try:
            await self._world.artifacts.drop(artifacts)
        except PrbotError as error:
            log.warning("not cleared away", action="drift", error=str(error))

    async def _known(self, unit: UnitOfWork, repo: RepoRef, settings: DriftSettings) -> Known:
        now = self._world.clock.now()
        return Known(
            watch=await watch_of(unit.drift, repo),
            settings=settings,
            standings=await unit.drift.of_repo(repo),
            now=now,
            issues=await unit.drift_issues.about(repo),
            answers=await unit.drift_issues.answers(repo, now),
            corrections=await unit.corrections.since(repo, now - DAY),
        )

    async def _step(self, unit: UnitOfWork, step: DriftStep, known: Known) -> None:
        match step:
            case CompleteBaseline():
                await unit.drift.watch(replace(known.watch, baseline_at=known.now))
            case TellIssue():
                await tell_issue(self._world, unit, step, known.settings)
            case _:
                assert_never(step)

    # --- what was found ----------------------------------------------------------------------

    async def _found(
        self, standing: Standing, run: Run, settings: DriftSettings
    ) -> tuple[Section | None, Applied | None]:
        """And what it proves to be applied. None: there was nothing to look at."""
        now = self._world.clock.now()
        commit = run.ask.head_sha or Sha("")
        subject = Subject(standing.repo, standing.project, commit, now, standing.environment)
        if run.state is not RunState.DONE:
            trouble = run.trouble or NOT_LOOKED_AT
            if trouble == GONE:
                return None, None
            return section_of(subject, trouble, LastApplied.NOTHING, None, unmerged=False), None
        async with self._world.store.begin() as unit:
            plans = {plan.id: plan for plan in await unit.plans.of_pull(run.pull)}
            holders = await unmerged_holders(unit, standing.repo)
            locks = await unit.locks.of_repo(standing.repo)
        redact = self._world.redactor.redact_values
        asked = Asked(settings, standing.environment, now.date(), redact)
        head = plans.get(_plan_id(head_of(run)))
        last = last_applied(run, head)
        reading = await self._reading(head_of(run), head, last is LastApplied.SAME, asked)
        job = next(iter(run.jobs_of(JobKind.PLAN_APPLIED)), None)
        before = await self._reading(job, plans.get(_plan_id(job)), True, asked)
        unmerged = any(
            lock.project == standing.project and lock.holder in holders for lock in locks
        )
        section = section_of(subject, reading, last, before, unmerged)
        proved = section.verdict in CLEAN and head is not None
        return section, Applied(commit, head.inputs, now) if proved and head else None

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
        failing = summary.checks.fail + summary.checks.error
        return read(parsed, plan.hash, summary.has_changes, failing, proven, asked)


def _plan_id(job: Job | None) -> PlanId:
    return PlanId("") if job is None or job.plan_id is None else job.plan_id


def last_applied(run: Run, head: StoredPlan | None) -> LastApplied:
    """How the code that is known to run is beside the head's."""
    if run.ask.applied is None:
        return LastApplied.NOTHING
    if head is not None and same_code(head.inputs, run.ask.applied.inputs):
        return LastApplied.SAME
    return LastApplied.DIFFERENT


async def unmerged_holders(unit: UnitOfWork, repo: RepoRef) -> frozenset[PullRef]:
    """Pull requests that hold a project and were closed without a merge."""
    holders = {lock.holder for lock in await unit.locks.of_repo(repo)}
    return frozenset([pull for pull in holders if _closed(await unit.runs.of_pull(pull))])


def _closed(runs: Sequence[Run]) -> bool:
    """A close was the last that happened to it; runs come newest first."""
    events = (run for run in runs if not run.ask.by_comment)
    newest = next(events, None)
    return newest is not None and newest.ask.kind is AskKind.CLOSE and newest.state is RunState.DONE
