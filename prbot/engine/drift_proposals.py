"""Pull requests that rules or people ask for: made after a check, before its plans go.

The letter is made before the check's result is kept, and put in the same transaction. By rule
its key names its content, so that equal drift proposes once, also after people closed the pull
request; whoever asks is answered each time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from prbot.config.drift import DriftSettings, Proposal
from prbot.drift.aftermath import Known
from prbot.drift.issue import Kind, Section, facts_of, group_of
from prbot.drift.proposing import PROPOSED, Proposed, branch_of, may_propose, wanted_by_rule
from prbot.drift.reading import TAKEN_BACK, as_drift
from prbot.drift.sight import answered
from prbot.drift.state import Answer, Correction, Standing
from prbot.drift.tell import Withdrawn
from prbot.drift.trying import REFUSED
from prbot.drift.wishing import (
    HOW,
    Wish,
    left_alone,
    reasons_of,
    why_not_propose,
    wishes_of,
)
from prbot.engine.drift_adopting import Adopting, adopting, reverting
from prbot.engine.drift_issues import tell_below
from prbot.engine.drift_withdrawing import Settled, settled
from prbot.engine.letters import withdraw_letter
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.errors.plans import BadPlan
from prbot.errors.store import StoreUnavailable
from prbot.model import ProjectKey
from prbot.plans.plan import parse
from prbot.plans.record import StoredPlan
from prbot.ports.outbox import Below, ProposalLetter, of_repository
from prbot.ports.store import UnitOfWork
from prbot.runs.reasons import Reason, Reasons
from prbot.runs.say import Refusal

log = structlog.get_logger()


@dataclass(frozen=True)
class Ready:
    """A letter, and the key under which it is put once; `wish` None: a rule asked for it.
    `more` is told beside the rest."""

    key: str
    letter: ProposalLetter
    wish: Wish | None = None
    more: str = ""


@dataclass(frozen=True)
class Not:
    """A wish that is not fulfilled, and why."""

    wish: Wish
    reasons: Reasons


@dataclass(frozen=True)
class Found:
    """A check that has ended. `section` None: there was nothing to look at. `branch` is the
    default one, `plan` that of its head."""

    standing: Standing
    section: Section | None
    settings: DriftSettings
    branch: str
    plan: StoredPlan | None


@dataclass(frozen=True)
class Around:
    """What is known beside it before the letters are made."""

    projects: tuple[ProjectKey, ...]
    answers: tuple[Answer, ...]
    wishes: tuple[Wish, ...]
    now: datetime


class DriftProposals:
    def __init__(self, world: World) -> None:
        self._world = world

    async def made(self, found: Found) -> tuple[Ready | Not, ...]:
        """What rules and people ask for. Raises StoreUnavailable."""
        around = await self._around(found)
        made = [await self._wished(found, around, wish) for wish in around.wishes]
        ruled = await self._by_rule(found, around)
        return (*made, *([ruled] if ruled is not None else []))

    async def _around(self, found: Found) -> Around:
        """All projects only where something is asked for: most checks ask for nothing."""
        now, standing = self._world.clock.now(), found.standing
        repo, section, rules = standing.repo, found.section, found.settings.rules
        async with self._world.store.begin() as unit:
            wishes = wishes_of(await unit.corrections.since(repo, now), standing.project)
            wanted = wishes or (section is not None and wanted_by_rule(section, rules))
            known = await unit.drift.of_repo(repo) if wanted else ()
            projects = tuple(each.project for each in known)
            return Around(projects, await unit.drift_issues.answers(repo, now), wishes, now)

    # --- by rule -----------------------------------------------------------------------------

    async def _by_rule(self, found: Found, around: Around) -> Ready | None:
        """None where no rule wants one, or nothing can be written."""
        section = found.section
        if section is None or found.plan is None:
            return None
        how = wanted_by_rule(section, found.settings.rules)
        if how is None:
            return None
        try:
            letter, told = await self._proposing(how, found, section, around, None)
        except StoreUnavailable:
            raise
        except PrbotError as error:
            redact = self._world.redactor.redact
            log.warning("not proposed", action="drift", error=redact(str(error)))
            return None
        if letter is None:
            reasons = "; ".join(f"{one.where} {one.why}" for one in told.refused)
            log.info("nothing to adopt", action="drift", project=found.standing.key, why=reasons)
            return None
        key = _key(section, letter)
        return Ready(key, replace(letter, correction=_noted(key, how, section, around.now)))

    async def _proposing(
        self, how: Proposal, found: Found, section: Section, around: Around, wish: Wish | None
    ) -> tuple[ProposalLetter | None, Proposed]:
        asked = Adopting(
            repo=section.repo,
            branch=found.branch,
            head=section.commit,
            project=section.project,
            projects=around.projects,
            found=tuple(one for one in section.found if one.verdict in TAKEN_BACK),
            by=None if wish is None else wish.by,
            at=section.checked_at,
            left=left_alone(answered(section, around.answers, around.now)),
        )
        if how is Proposal.REVERT:
            return reverting(self._world, asked)
        if found.plan is None or (shown := await self._shown(found.plan)) is None:
            raise BadPlan("it is no longer stored")
        return await adopting(self._world, asked, as_drift(parse(shown)))

    async def _shown(self, plan: StoredPlan) -> bytes | None:
        return await self._world.artifacts.get(plan.plan_json)

    # --- by somebody's word ------------------------------------------------------------------

    async def _wished(self, found: Found, around: Around, wish: Wish) -> Ready | Not:
        reasons = why_not_propose(wish, found.section)
        if reasons or found.section is None:
            return Not(wish, reasons)
        try:
            letter, told = await self._proposing(wish.how, found, found.section, around, wish)
        except StoreUnavailable:
            raise
        except PrbotError as error:
            why = Reason(wish.command, str(error), error.next_step or "say it again")
            return Not(wish, (why,))
        if letter is None:
            return Not(wish, reasons_of(told.refused))
        more = "What cannot be written is named there, with the reasons." if told.refused else ""
        kept = replace(wish.correction, at=around.now, outcome=PROPOSED)
        key = f"{letter.change.branch} {kept.id}"
        return Ready(key, replace(letter, correction=kept), wish, more)

    # --- what became of them -----------------------------------------------------------------

    async def settle(
        self,
        unit: UnitOfWork,
        made: tuple[Ready | Not, ...],
        before: Standing,
        section: Section | None,
    ) -> Settled:
        """Before anybody is told what was found: what is proven is told as that."""
        if section is None:
            return ()
        letters = (one.letter.correction for one in made if isinstance(one, Ready))
        again = {kept.how for kept in letters if kept is not None}
        return await settled(unit, before, section, again)

    async def withdraw(self, unit: UnitOfWork, ended: Settled) -> None:
        """Close those that nobody needs any more."""
        now, named = self._world.clock.now(), {name: how for how, name in HOW.items()}
        for one, fate in ended:
            if one.pull is not None and one.how in named:
                branch = branch_of(named[one.how], one.project)
                letter = withdraw_letter(self._world, one.pull, branch, Withdrawn(fate.value))
                await unit.outbox.put(f"withdraw {one.pull}", one.pull, letter, now)

    # --- kept --------------------------------------------------------------------------------

    async def put(
        self, unit: UnitOfWork, made: tuple[Ready | Not, ...], standing: Standing, known: Known
    ) -> None:
        """In the check's own transaction."""
        for one in made:
            below = None if one.wish is None else _below(standing, known, one.wish)
            if isinstance(one, Not):
                await self._refuse(unit, one, below)
            elif one.wish is not None or await _is_new(unit, one, standing, known):
                if one.letter.correction is not None:
                    await unit.corrections.add(one.letter.correction)
                below = None if below is None else replace(below, more=one.more)
                letter, about = replace(one.letter, below=below), of_repository(standing.repo)
                await unit.outbox.put(one.key, about, letter, known.now)

    async def _refuse(self, unit: UnitOfWork, one: Not, below: Below | None) -> None:
        kept = replace(one.wish.correction, outcome=REFUSED)
        await unit.corrections.add(kept)
        if below is not None:
            told = Refusal(one.wish.command, one.wish.by, one.reasons)
            await tell_below(self._world, unit, below, kept, told)


async def _is_new(unit: UnitOfWork, one: Ready, standing: Standing, known: Known) -> bool:
    """Whether a rule may open it. What is noted of equal drift stays: its pull request, too."""
    if not may_propose(standing, known):
        return False
    noted = await unit.corrections.of_project(standing.repo, standing.project)
    return all(each.id != one.key for each in noted)


def _below(standing: Standing, known: Known, wish: Wish) -> Below | None:
    """The issue that tells of the project; None where there is none any more."""
    by = known.settings.group_by
    group = group_of(standing.repo, standing.project, standing.environment, by)
    for issue in known.issues:
        if (issue.kind, issue.group) == (Kind.DRIFT, group):
            return Below(issue.place, issue.marker, wish.command, wish.by)
    return None


def _key(section: Section, letter: ProposalLetter) -> str:
    """Of what it changes; where that is nothing, of what drifted."""
    content: object = sorted(letter.change.files.items()) or sorted(facts_of(section))
    told = hashlib.sha256(repr((section.where, content)).encode())
    return f"{letter.change.branch} {told.hexdigest()[:32]}"


def _noted(key: str, how: Proposal, section: Section, now: datetime) -> Correction:
    facts = tuple(facts_of(section))
    repo, project = section.repo, section.project
    return Correction(key, repo, project, HOW[how], now, outcome=PROPOSED, facts=facts)
