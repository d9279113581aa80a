"""Keeps what others than prbot do to its issues about drift: they close them, and open them again.

A webhook tells who did it; where it was lost, the issue is looked at before the next check's
result is told. While a letter about the issue waits, what the forge shows is not yet what we
told it, so nothing is concluded from it then; the next check will see.

Not promised: that an issue closed by hand and opened again between two looks was ever noticed;
and only a webhook tells of indexes, reports and incidents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from prbot.config.drift import DriftSettings
from prbot.drift.issue import Kind, by_hand, group_of
from prbot.drift.state import IssueOf, Standing
from prbot.engine.world import World
from prbot.errors import PrbotError
from prbot.model import Ignored, IssueMoved
from prbot.ports.store import JournalEntry, UnitOfWork
from prbot.runs.asks import Listening

log = structlog.get_logger()


@dataclass(frozen=True)
class Moved:
    """An issue of ours, as it was known when the forge showed it open, or closed, by somebody
    else. `event` told of it, None: it was seen."""

    issue: IssueOf
    is_open: bool
    event: IssueMoved | None = None


class ByHand:
    """One per process."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def heard(self, event: IssueMoved, listening: Listening) -> Moved | Ignored:
        """Raises what asking the forge, and StoreUnavailable what the store raises."""
        if not listening.serves(event.repo):
            return Ignored("the repository is not served")
        if event.actor.login.lower() == listening.bot.lower():
            return Ignored("we did it ourselves")
        async with self._world.store.begin() as unit:
            issue = await unit.drift_issues.at(event.repo, event.number)
            busy = issue is not None and await _is_written(unit, issue)
        if issue is None:
            return Ignored("an issue that is not ours")
        if busy:
            return Ignored("the issue is being written; the next check looks at it")
        shown = await self._shown(issue)  # webhooks come late, and in any order
        if shown is None:
            return Ignored("an issue that is gone, or not ours any more")
        return Moved(issue, shown, event)

    async def perform(self, unit: UnitOfWork, moved: Moved) -> str:
        """Keep it in this transaction; a few words of what was done."""
        event, issue = moved.event, moved.issue
        kept = await self._keep(unit, moved)
        state = "open" if moved.is_open else "closed"
        if event is not None and kept:
            now, subject = self._world.clock.now(), f"{issue.about} issue {event.number}"
            action = f"drift issue {'reopened' if moved.is_open else 'closed'}"
            entry = JournalEntry(now, None, event.actor.login, subject, action, "")
            await unit.journal.write(entry)
        return f"issue {issue.number}: {state}{'' if kept else ', as it is known'}"

    async def look(self, standing: Standing, settings: DriftSettings) -> tuple[Moved, ...]:
        """The issues of this project, as the forge shows them now. What cannot be asked is left
        for the next check. Raises StoreUnavailable."""
        group = group_of(standing.repo, standing.project, standing.environment, settings.group_by)
        async with self._world.store.begin() as unit:
            issues = await unit.drift_issues.about(standing.repo)
            mine = [i for i in issues if i.group == group and i.kind in set(Kind) and i.number]
            mine = [issue for issue in mine if not await _is_written(unit, issue)]
        seen: list[Moved] = []
        for issue in mine:
            try:
                shown = await self._shown(issue)
            except PrbotError as error:
                log.warning("issue not seen", action="drift", error=str(error))
                continue
            if shown is not None and shown is not issue.kept.open:
                seen.append(Moved(issue, shown))
        return tuple(seen)

    async def keep(self, unit: UnitOfWork, seen: Sequence[Moved]) -> None:
        """What was seen, in this transaction."""
        for moved in seen:
            if await self._keep(unit, moved):
                state = "open" if moved.is_open else "closed"
                log.info("issue moved", action="drift", issue=moved.issue.number, state=state)

    async def _shown(self, issue: IssueOf) -> bool | None:
        if issue.number is None:
            return None
        reader = self._world.forge_of(issue.place).reader
        return await reader.issue_is_open(issue.place, issue.number, issue.marker)

    async def _keep(self, unit: UnitOfWork, moved: Moved) -> bool:
        """False when it is known, or something was told since it was seen."""
        issue, now = moved.issue, by_hand(moved.issue.kept, moved.is_open)
        if now == issue.kept or issue.number is None:
            return False
        known = await unit.drift_issues.at(issue.place, issue.number)
        if known is None or known.kept != issue.kept:
            return False
        await unit.drift_issues.keep(replace(known, kept=now))
        return True


async def _is_written(unit: UnitOfWork, issue: IssueOf) -> bool:
    """A letter about it waits; its key begins with the marker's name."""
    name = issue.marker.removeprefix("<!-- ").removesuffix(" -->")
    return await unit.outbox.waits(f"drift {name} ")
