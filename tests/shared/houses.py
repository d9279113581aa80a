"""One project, its nights, and the issues about it: what is told of drift, and what people say."""

from __future__ import annotations

from nights import REPO, Nights
from town import REPOSITORY

from prbot.demo.state import Issue
from prbot.drift.issue import Kept


class House(Nights):
    """One project, its nights, and the issues about it."""

    @property
    def issues(self) -> list[Issue]:
        return list(self.town.forge.repository(REPOSITORY).issues.values())

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

    async def night(self) -> None:
        """The next night's check, and all that it tells."""
        await self.next()
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
        await self.again()
        await self.corrected()

    async def corrected(self) -> None:
        """Wait until no correction is under way or waits, and all is told."""
        assert self.town.prbot is not None
        store = self.town.prbot.store

        async def over() -> bool | None:
            async with store.begin() as unit:
                known = await unit.corrections.of_project(REPO, self.project)
            return all(one.outcome is not None for one in known) or None

        await self.sweeps(over)
        await self.written()
