"""Nights that pass by the calendar: prbot's clock is set, and what its looks found is read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from town import PATIENCE, REPOSITORY, Town
from watchfiles import awatch

from prbot.app import compose
from prbot.config.drift import DriftBounds
from prbot.drift.issue import Section
from prbot.drift.state import Standing, Watch
from prbot.model import ProjectKey, RepoRef

REPO, APP = RepoRef("forge", REPOSITORY), ProjectKey("app")
CHECKS = DriftBounds(enabled=True)


class Calendar(compose.SystemClock):
    """The system's clock, some time ahead."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + type(self).ahead

    @classmethod
    def go_to(cls, moment: datetime) -> None:
        cls.ahead = moment - datetime.now(UTC)


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> type[Calendar]:
    monkeypatch.setattr(Calendar, "ahead", timedelta(0))
    monkeypatch.setattr(compose, "SystemClock", Calendar)
    return Calendar


@dataclass
class Nights:
    """The checks of one project, as prbot knows them."""

    town: Town
    calendar: type[Calendar]
    project: ProjectKey = APP

    async def standing(self) -> Standing | None:
        assert self.town.prbot is not None
        async with self.town.prbot.store.begin() as unit:
            return await unit.drift.get(REPO, self.project)

    async def watch(self) -> Watch:
        assert self.town.prbot is not None
        async with self.town.prbot.store.begin() as unit:
            (watch,) = await unit.drift.watches()
        return watch

    async def checked(self, last: datetime | None = None) -> Section:
        """Wait for a check that ended after `last`."""
        assert self.town.prbot is not None
        async with asyncio.timeout(PATIENCE):
            watching = awatch(self.town.directory, step=5, rust_timeout=200, yield_on_timeout=True)
            while True:
                await self.town.prbot.service.drift.sweep()
                now = await self.standing()
                if now is not None and now.section is not None and now.checked_at != last:
                    return now.section
                await anext(watching)

    async def next(self) -> Section:
        """The next night's check; just before its time none is begun."""
        assert self.town.prbot is not None
        before = await self.standing()
        assert before is not None
        await self.town.prbot.service.drift.sweep()  # it says when
        planned = await self.standing()
        assert planned is not None
        assert planned.due_at is not None
        self.calendar.go_to(planned.due_at - timedelta(minutes=10))
        assert await self.town.prbot.service.drift.sweep() == 0
        self.calendar.go_to(planned.due_at)
        return await self.checked(before.checked_at)


@pytest.fixture
def nights(town: Town, calendar: type[Calendar]) -> Nights:
    return Nights(town, calendar)
