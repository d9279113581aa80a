"""Looks after pull requests about drift until it is known what became of them.

After one was applied its project is looked at at once, whatever it still holds: that proves it.
One that is not needed any more is closed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from prbot.config.drift import Proposal
from prbot.drift.issue import Section
from prbot.drift.state import Correction, Standing
from prbot.drift.telling import PROVEN
from prbot.drift.wishing import HOW
from prbot.drift.withdrawing import Fate, fate_of, is_to_be_proven
from prbot.model import PullRef, RepoRef
from prbot.ports.store import UnitOfWork

Settled = tuple[tuple[Correction, Fate], ...]


async def putting_back(unit: UnitOfWork, repo: RepoRef) -> frozenset[PullRef]:
    """Those whose code is the default branch's: what they hold may be looked at."""
    found = await unit.corrections.proposed(repo)
    how = HOW[Proposal.REVERT]
    return frozenset(one.pull for one in found if one.how == how and one.pull is not None)


async def to_prove(
    unit: UnitOfWork, repo: RepoRef, standings: Iterable[Standing], now: datetime
) -> tuple[Standing, ...]:
    """Projects that such a pull request applied since the last look at them."""
    pulls, found = await putting_back(unit, repo), []
    for standing in standings if pulls else ():
        last = await unit.plans.last_applied(repo, standing.project)
        if last is None or last.pull not in pulls or last.applied_at is None:
            continue
        if is_to_be_proven(standing, last.applied_at):
            found.append(replace(standing, asked_at=standing.asked_at or now))
    return tuple(found)


async def settled(
    unit: UnitOfWork, before: Standing, section: Section, again: Collection[str]
) -> Settled:
    """What became of those of the project, which is kept as well. `again` is how it is proposed
    anew just now."""
    found = []
    last = await unit.plans.last_applied(before.repo, before.project)
    for one in await unit.corrections.proposed(before.repo):
        if one.project != before.project:
            continue
        mine = last is not None and last.pull == one.pull
        fate = fate_of(one, before.section, section, mine, one.how in again)
        if fate is Fate.KEPT:
            continue
        ended = replace(one, outcome=fate.value)
        if fate is Fate.PROVEN and last is not None and last.applied_at is not None:
            ended = replace(one, outcome=PROVEN, at=last.applied_at)
        await unit.corrections.add(ended)
        found.append((one, fate))
    return tuple(found)
