"""Pull requests that rules ask for: after a check, before its plans are thrown away.

The letter is made before the check's result is kept, and put in the same transaction, under a key
that names its content: equal drift proposes once, also after people closed the pull request.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

import structlog

from prbot.config.drift import DriftSettings
from prbot.drift.aftermath import Known
from prbot.drift.issue import Section
from prbot.drift.proposing import PROPOSED, adopt_is_wanted, may_propose
from prbot.drift.reading import as_drift
from prbot.drift.state import Correction, Standing
from prbot.engine.drift_adopting import Adopting, adopting
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.plans.plan import parse
from prbot.plans.record import StoredPlan
from prbot.ports import ProposalLetter, UnitOfWork, of_repository

log = structlog.get_logger()


@dataclass(frozen=True)
class Ready:
    """A letter, and the key under which it is put once."""

    key: str
    letter: ProposalLetter


class DriftProposals:
    def __init__(self, world: World) -> None:
        self._world = world

    async def made(
        self,
        standing: Standing,
        section: Section | None,
        settings: DriftSettings,
        branch: str,
        plan: StoredPlan | None,
    ) -> Ready | None:
        """None where no rule wants one, or nothing can be written. `plan` is the head's."""
        if section is None or plan is None or not adopt_is_wanted(section, settings.rules):
            return None
        try:
            return await self._made(standing, section, branch, plan)
        except PrbotError as error:
            redact = self._world.redactor.redact
            log.warning("not proposed", action="drift", error=redact(str(error)))
            return None

    async def _made(
        self, standing: Standing, section: Section, branch: str, plan: StoredPlan
    ) -> Ready | None:
        shown = await self._world.artifacts.get(plan.plan_json)
        if shown is None:
            return None
        async with self._world.store.begin() as unit:
            known = await unit.drift.of_repo(standing.repo)
        asked = Adopting(
            repo=standing.repo,
            branch=branch,
            head=section.commit,
            project=standing.project,
            projects=[each.project for each in known],
            found=section.found,
            by=None,
            at=section.checked_at,
        )
        letter, told = await adopting(self._world, asked, as_drift(parse(shown)))
        if letter is None:
            reasons = "; ".join(f"{one.where} {one.why}" for one in told.refused)
            log.info("nothing to adopt", action="drift", project=standing.key, why=reasons)
            return None
        return Ready(_key(standing, letter), letter)

    async def put(self, unit: UnitOfWork, ready: Ready, standing: Standing, known: Known) -> None:
        """In the check's own transaction."""
        if not may_propose(standing, known):
            return
        note = _noted(ready, standing, known.now)
        await unit.corrections.add(note)
        about = of_repository(standing.repo)
        await unit.outbox.put(ready.key, about, ready.letter, known.now)


def _key(standing: Standing, letter: ProposalLetter) -> str:
    told = hashlib.sha256(repr((standing.key, sorted(letter.change.files.items()))).encode())
    return f"{letter.change.branch} {told.hexdigest()[:32]}"


def _noted(ready: Ready, standing: Standing, now: datetime) -> Correction:
    return Correction(ready.key, standing.repo, standing.project, "adopt", now, outcome=PROPOSED)
