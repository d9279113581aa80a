"""Nights that pass by the calendar: prbot's clock is set, and what its looks found is read."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from town import PATIENCE, REPOSITORY, Town
from watchfiles import awatch

from prbot.app import compose
from prbot.config.drift import DriftBounds
from prbot.demo import talk
from prbot.demo.state import Comment, Issue, Pull
from prbot.drift.issue import Section
from prbot.drift.proposing import is_of_drift
from prbot.drift.state import Standing, Watch
from prbot.model import ProjectKey, RepoRef

REPO, APP = RepoRef("forge", REPOSITORY), ProjectKey("app")
CHECKS = DriftBounds(enabled=True)
T = TypeVar("T")


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
    """It begins at noon, for in a night's hours the first look waits for its moment."""
    now = datetime.now(UTC)
    noon = now.replace(hour=12, minute=0, second=0)
    ahead = noon - now if noon > now else noon + timedelta(days=1) - now
    monkeypatch.setattr(Calendar, "ahead", ahead)
    monkeypatch.setattr(compose, "SystemClock", Calendar)
    said_by(Calendar(), monkeypatch)
    return Calendar


def said_by(clock: Any, patch: pytest.MonkeyPatch) -> None:
    """What people say to issues they say by prbot's clock: it tells what they had read."""

    def said(number: int, about: Any, *more: Any, **rest: Any) -> Comment:
        made = Comment(number, about, *more, **rest)
        if isinstance(about, Issue):
            made.created_at = made.updated_at = clock.now()
        return made

    patch.setattr(talk, "Comment", said)


def window_that_has_passed() -> str:
    """For a prbot whose clock cannot be set: what was missed is caught up at once."""
    now = datetime.now(UTC)
    return f"{now - timedelta(hours=2):%H:%M}-{now - timedelta(hours=1):%H:%M} UTC"


async def apply_by_hand(town: Town, directory: Path) -> None:
    """As somebody does who has no prbot."""
    for words in (["init", "-no-color"], ["apply", "-auto-approve", "-no-color"]):
        process = await asyncio.create_subprocess_exec(
            "terraform",
            *words,
            cwd=directory,
            stdout=asyncio.subprocess.DEVNULL,
            env={
                **town.environ,
                "TF_DATA_DIR": str(town.directory / "by-hand"),
                "TF_CLI_CONFIG_FILE": os.devnull,
            },
        )
        assert await process.wait() == 0


def change_by_hand(town: Town, old: str, new: str) -> None:
    """The value that lives, as the state has it."""
    state = town.state_file("app")
    document = json.loads(state.read_text().replace(f'"{old}"', f'"{new}"'))
    state.write_text(json.dumps(document | {"serial": document["serial"] + 1}))


def proposed(town: Town) -> list[Pull]:
    """The pull requests that prbot opened about drift, oldest first."""
    pulls = town.forge.repository(REPOSITORY).pulls.values()
    return [pull for pull in pulls if is_of_drift(pull.head_branch)]


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

    async def last(self) -> datetime | None:
        """When the newest check ended."""
        known = await self.standing()
        return None if known is None else known.checked_at

    async def watch(self) -> Watch:
        assert self.town.prbot is not None
        async with self.town.prbot.store.begin() as unit:
            (watch,) = await unit.drift.watches()
        return watch

    async def sweeps(self, look: Callable[[], Awaitable[T | None]]) -> T:
        """Have it look for drift, as it does every half minute, until `look` finds something."""
        assert self.town.prbot is not None
        async with asyncio.timeout(PATIENCE):
            watching = awatch(self.town.directory, step=5, rust_timeout=200, yield_on_timeout=True)
            while True:
                await self.town.prbot.service.drift.sweep()
                if (found := await look()) is not None:
                    return found
                await anext(watching)

    async def checked(self, last: datetime | None = None) -> Section:
        """Wait for a check that ended after `last`, and for what began with it."""

        async def ended() -> Section | None:
            now = await self.standing()
            over = now is not None and now.run is None and now.checked_at != last
            return now.section if now is not None and over else None

        return await self.sweeps(ended)

    async def again(self) -> Section:
        """The check that somebody wants now."""
        assert self.town.prbot is not None
        known = await self.standing()
        assert known is not None
        async with self.town.prbot.store.begin() as unit:
            await unit.drift.plan(replace(known, asked_at=self.calendar().now()))
        return await self.checked(known.checked_at)

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
