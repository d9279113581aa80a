"""The whole story of a pull request, played by two people against a bot that listens.

Knows nothing of the bot but what people see: comments, statuses, and what was applied.
Each step waits for what it expects and fails with what it saw instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from prbot.demo.forge import DemoForge
from prbot.demo.person import Clone
from prbot.demo.state import Pull
from prbot.errors.demo import DemoStepFailed

PATIENCE = 90.0
"""Seconds a step may take before the story is given up."""
REPOSITORY = "acme/infra"
AUTHOR, REVIEWER = "alice", "bob"
STAGING, PRODUCTION = "environments/staging", "environments/production"


@dataclass(frozen=True)
class Stage:
    """Where the story is played. `bot` writes the comments; the sample's states lie in
    `states` as `NAME.tfstate`; `tell(step, seconds, what was seen)` is called after each."""

    forge: DemoForge
    bot: str
    clone: Clone
    states: Path
    tell: Callable[[str, float, str], None]


@dataclass
class Story:
    """The steps, in order; `play` raises DemoStepFailed at the first that goes wrong."""

    stage: Stage
    seen: set[int] = field(default_factory=set)

    async def play(self) -> None:
        await self._first_pull()
        await self._second_pull()

    async def _first_pull(self) -> None:
        forge = self.stage.forge
        pull = await forge.open_pull(
            REPOSITORY, head="bigger-service", title="A bigger service", author=AUTHOR
        )
        await self._step("open: planned and commented", self._says(pull, STAGING, PRODUCTION))
        await self._step("open: the check is green", self._status(pull, "prbot/plan", "success"))
        await forge.comment(pull, AUTHOR, "prbot plan")
        await self._step("plan: answered with a new comment", self._says(pull, "prbot apply"))
        await self.stage.clone.push(
            "bigger-service", "One more", {f"{STAGING}/more.tf": _resource("more", "one")}
        )
        await self._step("push: planned again", self._says(pull, "terraform_data.more"))
        await forge.comment(pull, AUTHOR, f"prbot apply -d {STAGING}")
        await self._step("apply: refused without approval", self._says(pull, "approv"))
        await forge.review(pull, REVIEWER, "APPROVE")
        await forge.comment(pull, AUTHOR, f"prbot apply -d {STAGING}")
        await self._step("approve, apply: staging applied", self._says(pull, "applied"))
        self._demand(self._has("staging", "terraform_data.more"), "staging's state lacks it")
        await forge.merge(pull, REVIEWER)
        await self._step("merge: production applied on merge", self._says(pull, "applied"))
        self._demand(not self._held(pull), "the merge was held")

    async def _second_pull(self) -> None:
        forge, clone = self.stage.forge, self.stage.clone
        await clone.push("tuning", "Tune", {f"{PRODUCTION}/tuning.tf": _resource("tuning", "a")})
        pull = await forge.open_pull(REPOSITORY, head="tuning", title="Tuning", author=AUTHOR)
        await self._step("second: planned", self._says(pull, "terraform_data.tuning"))
        await clone.push(
            "main", "Hotfix past review", {f"{PRODUCTION}/hotfix.tf": _resource("hotfix", "now")}
        )
        await forge.merge(pull, REVIEWER, method="squash")
        await self._step(
            "merge: held, the plan is not the reviewed one", self._says(pull, "accept-changes")
        )
        self._demand(not self._has("production", "terraform_data.tuning"), "it was applied")
        await forge.comment(pull, REVIEWER, "prbot apply --accept-changes")
        await self._step("accept: the held plan is applied", self._says(pull, "applied"))
        self._demand(self._has("production", "terraform_data.tuning"), "its state lacks it")

    # --- what a step waits for -----------------------------------------------------------

    async def _step(self, name: str, what: Awaitable[str]) -> None:
        began = monotonic()
        try:
            seen = await what
        except TimeoutError:
            raise DemoStepFailed(name, self._last_words()) from None
        self.stage.tell(name, monotonic() - began, seen)

    async def _says(self, pull: Pull, *words: str) -> str:
        """The bot's next comment that was not seen yet and holds all the words."""

        def look() -> str | None:
            for comment in pull.repo.comments.values():
                mine = comment.pull is pull and comment.user.login == self.stage.bot
                if not mine or comment.id in self.seen:
                    continue
                if all(word in comment.body for word in words):
                    self.seen |= {c.id for c in pull.repo.comments.values() if c.pull is pull}
                    return _headline(comment.body)
            return None

        return await self.stage.forge.wait_for(look, PATIENCE)

    async def _status(self, pull: Pull, context: str, state: str) -> str:
        def look() -> str | None:
            ours = (s for s in pull.repo.statuses if (s.sha, s.context) == (pull.head_sha, context))
            last = next(reversed(list(ours)), None)
            return last.description if last is not None and last.state == state else None

        return await self.stage.forge.wait_for(look, PATIENCE)

    def _held(self, pull: Pull) -> bool:
        return any("accept-changes" in c.body for c in pull.repo.comments.values())

    def _has(self, name: str, address: str) -> bool:
        """Whether the state of an environment holds the resource."""
        state = json.loads((self.stage.states / f"{name}.tfstate").read_text())
        kind, _, label = address.partition(".")
        return any((r["type"], r["name"]) == (kind, label) for r in state["resources"])

    def _demand(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise DemoStepFailed("check", otherwise)

    def _last_words(self) -> str:
        comments = list(self.stage.forge.repository(REPOSITORY).comments.values())
        ours = [c.body for c in comments if c.user.login == self.stage.bot]
        return f"the bot's last comment was: {_headline(ours[-1])}" if ours else "it said nothing"


def _headline(body: str) -> str:
    line = next((line for line in body.splitlines() if line.strip()), "")
    return re.sub(r"[#*`]|<[^>]*>", "", line).strip()


def _resource(name: str, value: str) -> str:
    return f'resource "terraform_data" "{name}" {{\n  input = "{value}"\n}}\n'
