"""Keeps what checks found, once, with all that follows from it.

A run that has ended and whose check stands as under way is read here: its plans become a
section, in the same transaction the check ends and what follows is performed, and only then
its plans go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

import structlog

from prbot.config.drift import DriftSettings, GroupBy
from prbot.config.repo import UNSAID
from prbot.drift.aftermath import (
    CompleteBaseline,
    CorrectByRule,
    DriftStep,
    Ended,
    Known,
    after_check,
)
from prbot.drift.checking import caused
from prbot.drift.flapping import traced
from prbot.drift.schedule import last_night
from prbot.drift.sight import TellIssue, answered
from prbot.drift.state import Correction, Standing
from prbot.drift.trying import AUTO
from prbot.drift.verdict import ProjectVerdict
from prbot.engine.alarm import Alarm
from prbot.engine.checkouts import generated_names
from prbot.engine.drift_by_hand import ByHand
from prbot.engine.drift_corrections import settle
from prbot.engine.drift_issues import tell_issue
from prbot.engine.drift_judging import why_not_by_rule
from prbot.engine.drift_places import SILENCE, Place, Places, watch_of
from prbot.engine.drift_proposals import DriftProposals, Found
from prbot.engine.drift_reading import DriftReading, Seen, plan_id_of
from prbot.engine.drift_signals import signal_found
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.errors.store import StoreUnavailable
from prbot.plans.record import StoredPlan
from prbot.ports.store import UnitOfWork
from prbot.runs.correcting import by_rule
from prbot.runs.drifting import head_of
from prbot.runs.landings import Landing
from prbot.runs.reasons import Reason
from prbot.runs.run import Run

log = structlog.get_logger()

DAY = timedelta(days=1)
"""How far back corrections count."""
AT_NEXT_CHECK = "it is tried again after the next check"


class DriftEnds:
    """`outbox` is rung when there may be something to tell."""

    def __init__(self, world: World, places: Places, outbox: Alarm) -> None:
        self._world = world
        self._places = places
        self._by_hand = ByHand(world)
        self._outbox = outbox
        self._proposals = DriftProposals(world)
        self._reading = DriftReading(world)

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
        seen = await self._reading.ended(standing, run, settings)
        ended = await self._ended(standing, run, seen, place)
        section, applied = (ended.section, seen.proved) if seen and ended else (None, None)
        if section is None:
            self._places.forget(repo)
        branch = "" if place is None else place.branch
        head = await self._head(run)
        told = section is not None or run.ask.correction is None
        found = Found(standing, section, settings, branch, head)
        made = await self._proposals.made(found) if told else ()
        moved = await self._by_hand.look(standing, settings)
        async with world.store.begin() as unit:
            now = world.clock.now()
            await unit.drift.hold(now, SILENCE)  # of two that end at once one sees the other
            before = await unit.drift.end(run.id, section, now, applied)
            if before is None:  # somebody else was first
                return
            artifacts = (*await unit.plans.drop_of_pull(run.pull), *generated_names([run]))
            await settle(world, unit, run, standing, section)
            fates = await self._proposals.settle(unit, made, before, section)
            await self._by_hand.keep(unit, moved)
            trace = before.trace if section is None else traced(before.trace, section)
            await unit.drift.trace(standing, trace)
            known = await self._known(unit, standing, settings, bool(made))
            if ended is not None:
                for step in after_check(replace(ended, before=before), known):
                    await self._step(unit, step, known, standing)
                shown = answered(ended.section, known.answers, now)
                baseline = known.watch.baseline_at is None
                since = replace(before, trace=trace)
                await signal_found(world, unit, since, run.id, shown, baseline)
            await self._proposals.put(unit, made, standing, known)
            await self._proposals.withdraw(unit, fates)
        gone = "gone" if run.ask.correction is None else run.state.value
        verdict = section.verdict.value if section is not None else gone
        log.info("drift looked for", action="drift", project=standing.key, verdict=verdict)
        self._outbox.ring()
        await self._clear_away(artifacts)

    async def _ended(
        self, standing: Standing, run: Run, seen: Seen | None, place: Place | None
    ) -> Ended | None:
        """With what stands against a correction that a rule asks for, also where just one ended
        for another reason."""
        if seen is None:
            return None
        why = None
        if place is not None:
            why = await why_not_by_rule(self._world, standing, seen, place.rules)
        if why == () and by_rule(run) and run.ask.correction and run.trouble is not None:
            why = (Reason("planned", run.trouble.sentence, AT_NEXT_CHECK),)
        section = caused(seen.section, standing, seen.drifted, await self._left(run, seen))
        section = replace(section, uncorrected=why or ())
        return Ended(section, standing, why, corrected=run.ask.correction is not None)

    async def _left(self, run: Run, seen: Seen) -> tuple[Landing, ...]:
        """What merged pull requests left to apply, where that matters."""
        if seen.section.verdict is not ProjectVerdict.BEHIND:
            return ()
        async with self._world.store.begin() as unit:
            return await unit.landings.of(run.pull)

    async def _head(self, run: Run) -> StoredPlan | None:
        async with self._world.store.begin() as unit:
            plans = {plan.id: plan for plan in await unit.plans.of_pull(run.pull)}
        return plans.get(plan_id_of(head_of(run)))

    async def _clear_away(self, artifacts: Sequence[str]) -> None:
        """What stays when this fails is only in the way."""
        try:
            await self._world.artifacts.drop(artifacts)
        except PrbotError as error:
            log.warning("not cleared away", action="drift", error=str(error))

    async def _known(
        self, unit: UnitOfWork, standing: Standing, settings: DriftSettings, proposed: bool
    ) -> Known:
        """Of the projects no more than something may follow from: each of a thousand checks
        would else read what all the others found. That is none while only the baseline is made,
        before it is complete, and before a sweep is through just what is not in sync."""
        now, repo = self._world.clock.now(), standing.repo
        watch = await watch_of(unit.drift, repo)
        reach = await unit.drift.reach(repo, last_night(settings.night, now).begin)
        begun = settings.issues or not settings.baseline or watch.baseline_at is not None
        through = not reach.awaited or (watch.baseline_at is None and not reach.never)
        alone = settings.group_by is GroupBy.PROJECT  # other issues name the clean ones, too
        few = begun and alone and not through
        standings: tuple[Standing, ...] = ()
        if few:
            standings = await unit.drift.not_in_sync(repo, standing.project)
        elif begun or proposed or not reach.never:
            standings = await unit.drift.of_repo(repo)
        return Known(
            watch=watch,
            settings=settings,
            standings=standings,
            now=now,
            issues=await unit.drift_issues.about(repo),
            answers=await unit.drift_issues.answers(repo, now),
            corrections=await unit.corrections.since(repo, now - DAY),
            reach=reach if few else None,
        )

    async def _step(
        self, unit: UnitOfWork, step: DriftStep, known: Known, standing: Standing
    ) -> None:
        match step:
            case CompleteBaseline():
                await unit.drift.watch(replace(known.watch, baseline_at=known.now))
            case TellIssue():
                await tell_issue(self._world, unit, step, known.settings)
            case CorrectByRule(facts):
                wish, repo = self._world.new_id("c"), standing.repo
                auto = Correction(wish, repo, standing.project, AUTO, known.now, facts=facts)
                await unit.corrections.add(auto)
            case _:
                assert_never(step)
