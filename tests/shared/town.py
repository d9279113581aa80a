"""A town for the stories: a demo forge with people, a repository, and prbot beside it.

Everything is real but the forge: git over HTTP, Terraform, SQLite, the web server. The
service runs in the test's own event loop; stories about dying processes start it as a
process of its own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from migrated import with_tables
from watchfiles import awatch

from prbot.app.serve import Running, running
from prbot.config.server import AppCredentials, ForgeConfig, Limits, ServerConfig, ToolConfig
from prbot.demo.forge import DemoForge
from prbot.demo.git import git
from prbot.demo.person import Clone
from prbot.demo.state import CheckRun, Comment, Issue, Pull
from prbot.model import PullRef, RepoRef
from prbot.ports.store import JournalEntry
from prbot.telemetry import Redactor

REPOSITORY = "acme/infra"
BOT = "prbot"
PATIENCE = 120.0
HOOK_SECRET = "hook-secret-of-the-stories"
APP_RIGHTS = {
    "checks": "write",
    "contents": "read",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
OUTDATED = "<details><summary>Outdated</summary>"
BOT_TOKEN = "token-of-the-bot-in-the-stories"


def resource(name: str, value: str = "one") -> str:
    return f'resource "terraform_data" "{name}" {{\n  input = "{value}"\n}}\n'


def closed_now() -> str:
    """An apply window of an hour that does not hold this moment, nor soon."""
    hour = (datetime.now(UTC) + timedelta(hours=3)).hour % 23
    return f"Mon-Sun {hour:02}:00-{hour:02}:59 UTC"


@dataclass
class Town:
    """`directory` is the test's own. `seen` are the comments already looked at."""

    directory: Path
    forge: DemoForge
    environ: dict[str, str]
    config: ServerConfig
    stack: AsyncExitStack
    prbot: Running | None = None
    seen: set[int] = field(default_factory=set)
    bot: str = BOT

    @property
    def gitlab(self) -> bool:
        return self.forge.customs.kind == "gitlab"

    @property
    def word(self) -> str:
        """What its people call a pull request."""
        return self.forge.customs.word

    def named(self, pull: Pull) -> str:
        """As comments name it: with GitLab's sign, which does nothing there."""
        return f"{self.word} `!{pull.number}`" if self.gitlab else f"{self.word} {pull.number}"

    def titled(self, pull: Pull) -> str:
        """As titles of issues name it."""
        return self.named(pull).replace("`", "")

    @property
    def news_of_pulls(self) -> str:
        """The webhook that tells what happens to pull requests."""
        return "Merge Request Hook" if self.gitlab else "pull_request"

    @property
    def door(self) -> str:
        """Where prbot takes the webhooks of this forge."""
        assert self.prbot is not None
        return self.door_at(self.prbot.url)

    def door_at(self, url: str) -> str:
        return f"{url}/hooks/{self.forge.customs.kind}"

    # --- building ------------------------------------------------------------------------

    async def build(self, files: dict[str, str], name: str = REPOSITORY) -> Clone:
        """Create the repository with these files on `main`, and alice's clone of it."""
        source = self.directory / f"source-{name.replace('/', '-')}"
        source.mkdir()
        await git(source, "init", "--quiet", "--initial-branch", "main")
        for path, text in files.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_text(text)
        await git(source, "add", "--all")
        await git(source, "commit", "--quiet", "--allow-empty", "-m", "Begin")
        people = {"alice": "write", "bob": "admin", "carol": "read", BOT: "write"}
        await self.forge.create_repository(name, source, private=True, collaborators=people)
        clone = self.directory / f"clone-{name.replace('/', '-')}"
        return await Clone.of(self.forge, name, "alice", clone)

    def become_an_app(self, **rights: str) -> None:
        """From now on prbot is a GitHub App, installed in the repository; `rights` beside
        the usual ones (an empty one takes it away)."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        wanted = {name: level for name, level in (APP_RIGHTS | rights).items() if level}
        app = self.forge.create_app("prbot", "acme", public, wanted)
        self.forge.install(app, [REPOSITORY])
        self.environ["STORY_KEY"], self.bot = private.decode(), app.bot.login
        credentials = AppCredentials(id=app.id, private_key="env://STORY_KEY")
        entry = self.config.forges[0].model_copy(update={"token": None, "app": credentials})
        self.config = self.config.model_copy(update={"forges": (entry,)})

    async def clone_of(self, login: str, name: str = REPOSITORY) -> Clone:
        """Another person's clone of the repository."""
        return await Clone.of(self.forge, name, login, self.directory / f"clone-{login}")

    def backend(self, name: str) -> str:
        """A backend whose state outlives checkouts."""
        path = self.state_file(name)
        path.parent.mkdir(exist_ok=True)
        return f'terraform {{\n  backend "local" {{\n    path = "{path}"\n  }}\n}}\n'

    def state_file(self, name: str) -> Path:
        return self.directory / "states" / f"{name}.tfstate"

    async def start(self, **changes: object) -> Running:
        """Start prbot in this event loop, and let the forge tell it what happens."""
        config = self.config.model_copy(update=changes)
        self.prbot = await self.stack.enter_async_context(running(config, self.environ, Redactor()))
        self.listen_at(self.prbot.url)
        return self.prbot

    def listen_at(self, url: str) -> None:
        self.forge.courier.hooks.clear()
        self.forge.add_hook(self.door_at(url), HOOK_SECRET)

    async def journal(self, pull: Pull) -> tuple[JournalEntry, ...]:
        """What prbot wrote down about a pull request, oldest first."""
        assert self.prbot is not None
        ref = PullRef(RepoRef("forge", pull.repo.full_name), pull.number)
        async with self.prbot.store.begin() as unit:
            return await unit.journal.of_pull(ref)

    # --- looking -------------------------------------------------------------------------

    def said(self, pull: Pull | Issue) -> list[Comment]:
        """The bot's comments on a pull request or an issue, oldest first."""
        mine = (c for c in pull.repo.comments.values() if c.pull is pull)
        return [comment for comment in mine if comment.user.login == self.bot]

    def folded(self, comment: Comment) -> bool:
        """Whether people see that it is outdated, and not its text. GitLab folds no comments:
        there it is a fold in its text."""
        return comment.body.startswith(OUTDATED) if self.gitlab else comment.minimised == "outdated"

    async def hears(self, pull: Pull | Issue, *words: str) -> str:
        """Wait for a comment by the bot, not looked at before, that holds all the words."""

        def look() -> Comment | None:
            fresh = (c for c in self.said(pull) if c.id not in self.seen)
            return next((c for c in fresh if all(w in c.body for w in words)), None)

        try:
            comment = await self.forge.wait_for(look, PATIENCE)
        except TimeoutError:
            bodies = "\n---\n".join(c.body for c in self.said(pull)) or "nothing"
            pytest.fail(f"the bot never said {words}; it said:\n{bodies}")
        self.seen |= {c.id for c in self.said(pull)}
        return comment.body

    async def reads(self, pull: Pull, look: Callable[[str], bool]) -> str:
        """Wait until one of the bot's comments, new or edited, is as wanted."""

        def found() -> str | None:
            return next((c.body for c in self.said(pull) if look(c.body)), None)

        return await self.forge.wait_for(found, PATIENCE)

    async def comes_true(self, look: Callable[[], Awaitable[bool]]) -> None:
        """Wait until the database says so: asked after each change at the forge, and often
        without one, because the forge does not hear of what is done in the database alone."""
        async with asyncio.timeout(PATIENCE):
            while True:
                seen = self.forge.changes.count
                if await look():
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await self.forge.changes.after(seen)

    async def written(self) -> None:
        """Wait until nothing is left to be told. prbot takes a comment for read from when it knows
        that it stands there, a moment after the forge shows it."""
        assert self.prbot is not None
        store = self.prbot.store

        async def over() -> bool:
            async with store.begin() as unit:
                return await unit.outbox.next_due() is None

        await self.comes_true(over)

    async def working(self, pull: Pull) -> None:
        """Wait until Terraform's plan of the pull request's project runs."""
        records = self.directory / "prbot" / "jobs"

        def runs() -> bool:
            found = (path.read_text() for path in records.glob("*/*/process.json"))
            return any('"plan"' in text for text in found)

        async with asyncio.timeout(PATIENCE):
            watching = awatch(self.directory, step=5, rust_timeout=200, yield_on_timeout=True)
            while not runs():
                await anext(watching)

    async def check(self, pull: Pull, name: str, state: str) -> CheckRun:
        """Wait until the newest check run of this name at the head is in this state."""

        def look() -> CheckRun | None:
            runs = (run for run in pull.repo.latest_checks(pull.head_sha) if run.name == name)
            return next((run for run in runs if run.state == state), None)

        try:
            return await self.forge.wait_for(look, PATIENCE)
        except TimeoutError:
            seen = [(c.name, c.state, c.title) for c in pull.repo.check_runs.values()]
            pytest.fail(f"{name} never was {state}; seen: {seen}")

    async def status(self, pull: Pull, context: str, state: str, sha: str | None = None) -> str:
        """Wait until the newest status of the commit is in this state; its description."""
        wanted = sha or pull.head_sha

        def look() -> str | None:
            ours = [s for s in pull.repo.statuses if (s.sha, s.context) == (wanted, context)]
            return (ours[-1].description or " ") if ours and ours[-1].state == state else None

        try:
            return await self.forge.wait_for(look, PATIENCE)
        except TimeoutError:
            seen = [(s.context, s.state, s.description) for s in pull.repo.statuses]
            pytest.fail(f"{context} never was {state}; seen: {seen}")


@pytest.fixture
async def town(tmp_path: Path, forge_kind: str) -> AsyncIterator[Town]:
    async with a_town(tmp_path, forge_kind) as town:
        yield town


LEAN = {"GOMAXPROCS": "1", "GOGC": "off", "GOMEMLIMIT": "1GiB"}
"""For Terraform, which runs for a tenth of a second here: one thread, and no garbage collected
before there is some, spare a third of its work."""


@asynccontextmanager
async def a_town(directory: Path, kind: str) -> AsyncIterator[Town]:
    """A town in a directory of its own; stories that compare two build a second one."""
    forge = DemoForge(directory / "forge", kind=kind)
    await forge.start()
    for login in ("alice", "bob", "carol", "mallory"):
        forge.create_user(login)
    forge.create_user(BOT, kind="Bot", token=BOT_TOKEN)
    environ = dict(os.environ) | LEAN | {"STORY_TOKEN": BOT_TOKEN, "STORY_HOOK": HOOK_SECRET}
    config = ServerConfig(
        listen="127.0.0.1:0",
        state_dir=directory / "prbot",
        repositories=("acme/*",),
        limits=Limits(grace=3),
        terraform=ToolConfig(environment=tuple(LEAN)),
        forges=(
            ForgeConfig(
                name="forge",
                kind=forge.customs.kind,
                api_url=forge.api_url,
                clone_url=forge.url,
                token="env://STORY_TOKEN",
                webhook_secret="env://STORY_HOOK",
            ),
        ),
    )
    config.state_dir.mkdir(mode=0o700)
    with_tables(config.database_file)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(forge.stop)
        yield Town(directory, forge, environ, config, stack)
