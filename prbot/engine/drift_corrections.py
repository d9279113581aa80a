"""Begins corrections that were asked for, and settles them with what their runs came to.

One is begun where no look at its project is under way, and takes the look's place, so that
nothing that was seen before its apply is kept after it. What was asked for waits until then, and
while the forge is away; what waited too long is refused.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from prbot.drift.checking import CLEAN
from prbot.drift.correcting import Ended
from prbot.drift.issue import Kind, Section, group_of
from prbot.drift.state import Correction, IssueOf, Standing
from prbot.drift.trying import AUTO, MENDED, REFUSED, outcome_of, unproven
from prbot.engine.alarm import Alarm
from prbot.engine.drift_places import Place, Places
from prbot.engine.drift_reading import applied_of
from prbot.engine.letters import drift_comment
from prbot.engine.messages import advance_message
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.errors.store import StoreUnavailable
from prbot.model import Login, RunId, Selector
from prbot.ports.outbox import of_repository
from prbot.ports.store import JournalEntry, UnitOfWork
from prbot.runs.correcting import REVERT
from prbot.runs.correction import OfDrift, correction_place
from prbot.runs.drifting import project_of
from prbot.runs.reasons import Reason
from prbot.runs.requirements.asking import TOO_OLD
from prbot.runs.run import Ask, AskKind, Run
from prbot.runs.say import Refusal

log = structlog.get_logger()

WHO = Login("prbot")


class BegunElsewhere(Exception):  # not an error: nothing of ours is kept
    """Another process began it, or it is settled."""


class NowhereTold(Exception):  # not an error: people could not read what came of it
    """No issue tells of the project, for there are too many: by rule nothing is applied then."""


class NotTold(Exception):  # not an error: it is begun when it is, or too old by then
    """The issue that tells of the project is not written yet, or the forge takes none."""


class DriftCorrections:
    """`outbox` is rung when there is something to tell."""

    def __init__(self, world: World, places: Places, outbox: Alarm) -> None:
        self._world = world
        self._places = places
        self._outbox = outbox

    async def begin(self) -> None:
        """All that wait and can begin. Raises StoreUnavailable."""
        async with self._world.store.begin() as unit:
            waiting = await unit.corrections.waiting()
        for each in waiting:
            try:
                await self._try(each)
            except StoreUnavailable:
                raise
            except PrbotError as error:  # the next one may do better
                log.warning("not corrected yet", action="correct", error=str(error))
            except Exception:  # one that cannot be begun must not keep the others from it
                log.exception("not corrected yet", action="correct", project=str(each.project))

    async def _try(self, wish: Correction) -> None:
        if self._world.clock.now() - wish.at > TOO_OLD:
            await self._too_old(wish)
            return
        async with self._world.store.begin() as unit:
            standing = await unit.drift.get(wish.repo, wish.project)
        if standing is None or standing.run is not None:
            return
        self._places.forget(wish.repo)  # it is planned at what is newest now
        place = await self._places.at(wish.repo, fresh=True)
        if place is None:
            return
        try:
            run = await self._begun(wish, place)
        except (BegunElsewhere, NotTold):
            return
        except NowhereTold:
            await self._refuse(wish)
            return
        await self._world.queue.put(advance_message(run))

    async def _begun(self, wish: Correction, place: Place) -> Run:
        now = self._world.clock.now()
        async with self._world.store.begin() as unit:
            standing = await unit.drift.get(wish.repo, wish.project)
            run_id = RunId(self._world.new_id("r"))
            if standing is None or not await unit.drift.begin(standing, run_id):
                raise BegunElsewhere
            if wish not in await unit.corrections.waiting():
                raise BegunElsewhere
            issue = await self._issue_of(unit, wish, place, standing)
            if wish.how == AUTO and issue is None:
                raise NowhereTold
            if wish.how == AUTO and issue is not None and issue.number is None:
                raise NotTold
            ask = await self._ask(unit, wish, place, standing, issue)
            run = Run(run_id, correction_place(wish.repo, standing.number), ask, now)
            await unit.runs.add(run)
            await unit.corrections.add(replace(wish, at=now, run=run_id))
        return run

    async def _ask(
        self,
        unit: UnitOfWork,
        wish: Correction,
        place: Place,
        standing: Standing,
        issue: IssueOf | None,
    ) -> Ask:
        project = wish.project
        about = OfDrift(wish.id, wish.how == AUTO, wish.facts)
        if issue is not None:
            about = replace(about, place=issue.place, marker=issue.marker)
        return Ask(
            AskKind.CORRECT,
            wish.by or WHO,
            f"drift {wish.how}",
            place.head,
            select=Selector(dirs=(project.dir,), workspaces=(project.workspace,)),
            base_branch=place.branch,
            default_branch=place.branch,
            applied=await applied_of(unit, standing),
            correction=about,
        )

    async def _issue_of(
        self, unit: UnitOfWork, wish: Correction, place: Place | None, standing: Standing
    ) -> IssueOf | None:
        """Where its drift is told; the settings say by which group."""
        if place is None:
            return None
        by = place.rules.drift.group_by
        group = group_of(wish.repo, wish.project, standing.environment, by)
        known = await unit.drift_issues.about(wish.repo)
        found = (each for each in known if (each.kind, each.group) == (Kind.DRIFT, group))
        return next(found, None)

    async def _refuse(self, wish: Correction) -> None:
        log.info("not corrected: no issue tells of it", action="correct", project=str(wish.project))
        async with self._world.store.begin() as unit:
            if wish in await unit.corrections.waiting():
                await unit.corrections.add(replace(wish, outcome=REFUSED))

    async def _too_old(self, wish: Correction) -> None:
        place = await self._places.at(wish.repo, fresh=False)
        said = f"it was said at {wish.at:%Y-%m-%d %H:%M} UTC, and could not be begun since"
        async with self._world.store.begin() as unit:
            if wish not in await unit.corrections.waiting():
                return
            await unit.corrections.add(replace(wish, outcome=REFUSED))
            standing = await unit.drift.get(wish.repo, wish.project)
            if standing is None or wish.by is None:
                return
            issue = await self._issue_of(unit, wish, place, standing)
            told = Refusal(REVERT, wish.by, (Reason("age", said, "say it again"),))
            if issue is not None:
                own = f"prbot:{self._world.settings.installation}:{wish.id}"
                letter = drift_comment(self._world, issue.place, issue.marker, own, told)
                about, now = of_repository(issue.place), self._world.clock.now()
                await unit.outbox.put(f"drift {wish.id} too old", about, letter, now)
        self._outbox.ring()


async def settle(
    world: World, unit: UnitOfWork, run: Run, standing: Standing, section: Section | None
) -> None:
    """Note what a run that has ended means for corrections of its project: its own ends, and
    an interrupted one is mended where a plan changes nothing any more."""
    known = await unit.corrections.of_project(standing.repo, standing.project)
    place = correction_place(standing.repo, standing.number)
    if run.ask.correction is not None:
        ending = (one for one in known if run.ask.correction and one.id == run.ask.correction.id)
        await _end(world, unit, run, next(ending, None), section)
        if section is None and outcome_of(run, section) != REFUSED:
            await _look_again(world, unit, standing)  # nothing tells how it stands now
    if section is not None and section.verdict in CLEAN:
        for one in unproven(known):
            await unit.corrections.add(replace(one, outcome=MENDED))
        await unit.locks.free(place, [standing.project])


async def _look_again(world: World, unit: UnitOfWork, standing: Standing) -> None:
    """What could not even begin is not looked at again at once: it would go round in circles."""
    now = await unit.drift.get(standing.repo, standing.project)
    if now is not None:
        await unit.drift.plan(replace(now, asked_at=world.clock.now()))


async def _end(
    world: World, unit: UnitOfWork, run: Run, one: Correction | None, section: Section | None
) -> None:
    outcome, now = outcome_of(run, section), world.clock.now()
    if one is not None:
        await unit.corrections.add(replace(one, outcome=outcome))
        ended = f"{one.project}: {outcome}"
        line = JournalEntry(now, None, one.by, run.id, f"drift {one.how}", ended)
        await unit.journal.write(line)
    others = await unit.corrections.of_project(run.pull.repo, project_of(run))
    if outcome != Ended.INTERRUPTED and not unproven(others):  # else that holds it still
        await unit.locks.free(run.pull, [project_of(run)])
