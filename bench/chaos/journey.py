"""What people do with one pull request, whatever happens to prbot meanwhile.

They open it, have it approved, and comment `prbot apply` or merge it. What failed they
ask for again; what was interrupted they try to apply once more (it must be refused) and
unlock. After each act they wait until prbot is at rest. Beside them somebody presses
"Redeliver" for every webhook that nobody took.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.chaos.strike import Scene
from prbot.demo.forge import DemoForge
from prbot.demo.state import Comment, Pull

AUTHOR, REVIEWER, BOT = "alice", "bob", "prbot"
PATIENCE = 60.0
"""Seconds within which prbot must be at rest again, deaths included."""
TRIES = 3


class NotSettled(Exception):
    """Something that was asked got no answer in time; the words say what is open."""


@dataclass
class Journey:
    """`asked` are the comments that command, and `acts` the words for all that was done."""

    forge: DemoForge
    scene: Scene
    repository: str
    by_merge: bool
    pull: Pull | None = None
    asked: list[Comment] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)

    @property
    def opened(self) -> Pull:
        if self.pull is None:
            raise RuntimeError("nothing was opened yet")
        return self.pull

    async def go(self, branch: str) -> None:
        """From the opened pull request to nothing left to do. Raises NotSettled."""
        self._note("open")
        self.pull = await self.forge.open_pull(
            self.repository, head=branch, title="Change", author=AUTHOR
        )
        await self._rest()
        await self._until_planned()
        await self.forge.review(self.opened, REVIEWER, "APPROVE")
        await (self._merge() if self.by_merge else self._comment("prbot apply"))
        await self._until_applied()
        await self._tidy_up()
        await self._comment("prbot help")

    async def _until_planned(self) -> None:
        for _ in range(TRIES):
            if self.verdict("prbot/plan") == "success":
                return
            await self._comment("prbot plan")

    async def _until_applied(self) -> None:
        """What never began may be asked for again; what began, never with any effect."""
        for _ in range(TRIES):
            if self.scene.books.intents():
                break
            await self._comment("prbot plan")
            await self._comment("prbot apply")
        if self.scene.books.intents() != ["applied"]:
            await self._tool_ended()
            await self._comment("prbot apply")

    async def _tidy_up(self) -> None:
        if self.scene.books.intents() != ["applied"]:
            await self._comment("prbot unlock")
        elif self.opened.open:
            await self._merge()

    async def _merge(self) -> None:
        self._note("merge")
        await self.forge.merge(self.opened, REVIEWER)
        await self._rest()

    async def _comment(self, text: str) -> None:
        self._note(text)
        self.asked.append(await self.forge.comment(self.opened, AUTHOR, text))
        await self._rest()

    def _note(self, act: str) -> None:
        self.acts.append(f"{time.strftime('%H:%M:%S')} {act}")

    def verdict(self, check: str) -> str:
        """The state of the newest status of the head, empty when there is none."""
        newest = self.opened.repo.latest_statuses(self.opened.head_sha)
        return next((status.state for status in newest if status.context == check), "")

    # --- waiting -----------------------------------------------------------------------------

    async def _rest(self) -> None:
        """Until every webhook is stored and everything that came of it is done."""
        await self._wait_until(lambda: not self._open())

    async def _tool_ended(self) -> None:
        """An apply's tool outlives its worker: what it creates, it may end creating."""
        await self._wait_until(lambda: not any(self.scene.running(("apply",))))

    async def _wait_until(self, done: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not done():  # noqa: ASYNC110 - a database tells nobody
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise NotSettled(f"after `{self.acts[-1]}`: {self._open() or 'a tool'}") from None

    def _open(self) -> dict[str, int]:
        """Everything that is not done yet, in words and numbers."""
        undelivered = sum(d.status != 202 for d in self.forge.deliveries)
        asked = {comment.id for comment in self.asked}
        heard = {run.comment_id for run in self.scene.books.runs()}
        found = {"webhooks not taken": undelivered, "comments without a run": len(asked - heard)}
        return {what: n for what, n in found.items() if n} | self.scene.books.open()


async def redeliver(forge: DemoForge) -> None:
    """Send again, for ever, what was not answered with 202."""
    while True:
        await asyncio.sleep(0.2)
        if forge.courier.idle:
            for delivery in [d for d in forge.deliveries if d.status != 202 and not d.lost]:
                forge.redeliver(delivery.id)
