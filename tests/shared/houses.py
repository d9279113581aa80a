"""One project, its nights, and the issues about it: what is told of drift, and what people say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from nights import APP, REPO, Calendar
from town import PATIENCE, REPOSITORY, Town
from watchfiles import awatch

from prbot.demo.state import Issue
from prbot.drift.issue import Kept
from prbot.drift.state import Standing
from prbot.model import ProjectKey


@dataclass
class House:
    """One project, its nights, and the issues about it."""

    town: Town
    calendar: type[Calendar]
    project: ProjectKey = APP

    @property
    def issues(self) -> list[Issue]:
        return list(self.town.forge.repository(REPOSITORY).issues.values())

    async def standing(self) -> Standing:
        assert self.town.prbot is not None
        async with self.town.prbot.store.begin() as unit:
            found = await unit.drift.get(REPO, self.project)
        return found or Standing(REPO, self.project)

    async def kept(self) -> Kept:
        """What is known of the one issue."""
        assert self.town.prbot is not None
        async with self.town.prbot.store.begin() as unit:
            (issue,) = await unit.drift_issues.about(REPO)
        return issue.kept

    async def is_left_closed(self) -> bool:
        return (await self.kept()).by_person

    async def is_told_open(self) -> bool:
        return (await self.kept()).open

    async def looked_at(self, last: datetime | None) -> None:
        """Wait for a check that ended after `last`."""
        assert self.town.prbot is not None
        async with asyncio.timeout(PATIENCE):
            watching = awatch(self.town.directory, step=5, rust_timeout=200, yield_on_timeout=True)
            while True:
                await self.town.prbot.service.drift.sweep()
                now = await self.standing()
                if now.checked_at not in (None, last) and now.run is None:
                    return
                await anext(watching)

    async def night(self) -> None:
        """The next night's check."""
        assert self.town.prbot is not None
        await self.town.prbot.service.drift.sweep()  # it says when
        before = await self.standing()
        assert before.due_at is not None
        self.calendar.go_to(before.due_at)
        await self.looked_at(before.checked_at)
        await self.written()

    async def written(self) -> None:
        await self.town.written()

    async def answered(self, issue: Issue, by: str, words: str) -> str:
        """Say it to the issue, and wait for the answer."""
        self.town.seen |= {comment.id for comment in issue.comments}
        await self.town.forge.comment(issue, by, words)
        return await self.town.hears(issue, "prbot " + words.split()[1])

    async def look(self) -> None:
        """As if somebody wanted it looked at now; wait for all that follows."""
        assert self.town.prbot is not None
        now = await self.standing()
        async with self.town.prbot.store.begin() as unit:
            await unit.drift.plan(replace(now, asked_at=self.calendar().now()))
        await self.looked_at(now.checked_at)
        await self.corrected()

    async def corrected(self) -> None:
        """Wait until no correction is under way or waits, and all is told."""
        assert self.town.prbot is not None
        store = self.town.prbot.store
        async with asyncio.timeout(PATIENCE):
            watching = awatch(self.town.directory, step=5, rust_timeout=200, yield_on_timeout=True)
            while True:
                await self.town.prbot.service.drift.sweep()
                async with store.begin() as unit:
                    known = await unit.corrections.of_project(REPO, self.project)
                if all(one.outcome is not None for one in known):
                    break
                await anext(watching)
        await self.written()
