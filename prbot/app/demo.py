"""`prbot demo`: the small forge, a repository on it, and prbot beside it, in one process.

The forge listens on 127.0.0.1 only, and whoever reaches its page may act as any of its
people; nothing of it outlives the command unless it is asked to be kept.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from prbot.adapters.local_repository import LocalRepository
from prbot.adapters.terraform import Terraform
from prbot.adapters.terraform_setup import cli_config, find_command
from prbot.app.serve import running
from prbot.config.server import ForgeConfig, Mode, ServerConfig
from prbot.demo.forge import DemoForge
from prbot.demo.person import Clone
from prbot.demo.sample import BRANCH, ENVIRONMENTS, write_sample
from prbot.demo.script import AUTHOR, REPOSITORY, REVIEWER, Stage, Story
from prbot.demo.state import Comment, Pull, Status
from prbot.errors import PrbotError
from prbot.errors.demo import DemoMisused, DemoStepFailed
from prbot.ports.tool import ToolRun
from prbot.telemetry import Redactor, set_up_logs

BOT = "prbot-demo"
TOKEN, HOOK = "PRBOT_DEMO_TOKEN", "PRBOT_DEMO_HOOK"
GRACE = 10.0
OWN = "local/repository"
"""What a person's own repository is called on the demo forge."""


@dataclass(frozen=True)
class Wish:
    """What the command line asked for."""

    port: int
    script: bool
    repo: Path | None
    head: str | None
    base: str | None
    allow_apply: bool
    kind: str = "github"

    @property
    def repository(self) -> str:
        return OWN if self.repo else REPOSITORY

    @property
    def mode(self) -> Mode:
        """A person's own code reaches real infrastructure: plans only, unless allowed."""
        return Mode.APPLY if self.repo is None or self.allow_apply else Mode.COMMENT


def demo(
    *,
    port: int,
    script: bool,
    repo: Path | None,
    head: str | None,
    base: str | None,
    allow_apply: bool,
    keep: bool,
    forge: str = "github",
) -> int:
    """Run until ctrl-C, or until the script has ended. 0 when everything came out right."""
    if script and repo is not None:
        raise DemoMisused("--script plays with the sample repository only")
    if (repo is None) != (head is None):
        raise DemoMisused("--repo and --head go together")
    directory = Path(tempfile.mkdtemp(prefix="prbot-demo-"))
    repo = repo.absolute() if repo else None
    wish = Wish(port, script, repo, head, base, allow_apply, forge)
    redactor = Redactor()
    try:
        with (directory / "prbot.log").open("w") as log:
            set_up_logs(redactor, as_json=True, stream=log)
            asyncio.run(_demo(wish, directory, redactor))
    except PrbotError as error:
        _say(f"The demo stopped: {error}")
        _say(f"  {error.next_step}")
        keep = keep or isinstance(error, DemoStepFailed)
        return 1
    finally:
        if keep:
            _say(f"Everything is kept in {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    return 0


async def _demo(wish: Wish, directory: Path, redactor: Redactor) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _forge(wish, directory) as forge, _prbot(wish, forge, directory, redactor):
        if wish.script:
            await _until(stop, _play(forge, directory))
        else:
            pull = await _open(wish, forge)
            _introduce(wish, forge, pull)
            await _until(stop, _narrate(forge))
            _say("Stopping.")


async def _until(stop: asyncio.Event, work: object) -> None:
    """Do the work, but no longer than until somebody wants to stop."""
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]  # any coroutine
    stopping = asyncio.ensure_future(stop.wait())
    done, _ = await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for other in (task, stopping):
        other.cancel()
    if task in done:
        task.result()


# --- the forge and prbot ------------------------------------------------------------------


@asynccontextmanager
async def _forge(wish: Wish, directory: Path) -> AsyncIterator[DemoForge]:
    forge = DemoForge(directory / "forge", kind=wish.kind)
    await forge.start(port=wish.port)
    try:
        for login in (AUTHOR, REVIEWER):
            forge.create_user(login)
        forge.create_user(BOT, kind="Bot")
        people = {AUTHOR: "write", REVIEWER: "admin", BOT: "write"}
        source, base = await _source(wish, directory)
        await forge.create_repository(
            wish.repository, source, collaborators=people, default_branch=base
        )
        yield forge
    finally:
        await forge.stop()


async def _source(wish: Wish, directory: Path) -> tuple[Path, str]:
    """The repository to show, and its default branch."""
    if wish.repo is None:
        source = directory / "sample"
        await write_sample(source, directory / "states")
        await _apply_main(source, directory / "preparing")
        return source, "main"
    local = await LocalRepository.containing(wish.repo, dict(os.environ))
    base = wish.base or (await local.default_branch()).rpartition("/")[2]
    for branch in (base, wish.head or ""):
        await local.commit(f"refs/heads/{branch}")
    return local.root, base


def _terraform(scratch: Path) -> Terraform:
    scratch.mkdir()
    cli, environment = scratch / "terraform.tfrc", dict(os.environ)
    cli.write_text(cli_config(None))
    command = find_command(None, environment.get("PATH", ""))
    return Terraform(command, cli, scratch, environment)


async def _apply_main(source: Path, scratch: Path) -> None:
    """Bring the sample's default branch to life, so that there is something to change."""
    _say("Preparing a repository whose main branch is applied ...")
    tool = _terraform(scratch)
    for name in ENVIRONMENTS:
        root, data_dir = source / "environments" / name, scratch / name
        run = ToolRun(root, data_dir, "default", tool.environment, timeout=120)
        await tool.init(run)
        await tool.plan(run, data_dir / "plan")
        await tool.apply(run, data_dir / "plan")


@asynccontextmanager
async def _prbot(
    wish: Wish, forge: DemoForge, directory: Path, redactor: Redactor
) -> AsyncIterator[None]:
    hook = secrets.token_hex(20)
    environ = {**os.environ, TOKEN: forge.create_token(BOT), HOOK: hook}
    config = ServerConfig(
        listen="127.0.0.1:0",
        state_dir=directory / "prbot",
        repositories=(wish.repository,),
        mode=wish.mode,
        forges=(
            ForgeConfig(
                name="demo",
                kind="gitlab" if wish.kind == "gitlab" else "github",
                api_url=forge.api_url,
                clone_url=forge.url,
                token=f"env://{TOKEN}",
                webhook_secret=f"env://{HOOK}",
            ),
        ),
    )
    async with running(config, environ, redactor) as prbot:
        forge.add_hook(f"{prbot.url}/hooks/{wish.kind}", hook)
        yield


# --- without a person ---------------------------------------------------------------------


async def _play(forge: DemoForge, directory: Path) -> None:
    began = monotonic()
    clone = await Clone.of(forge, REPOSITORY, AUTHOR, directory / "clone")
    await Story(Stage(forge, BOT, clone, directory / "states", _tell_step)).play()
    _say(f"The whole story came out right in {monotonic() - began:.1f} s.")


def _tell_step(name: str, seconds: float, seen: str) -> None:
    _say(f"{seconds:6.1f} s  {name:<50} {seen[:70]}")


# --- with a person ------------------------------------------------------------------------


async def _open(wish: Wish, forge: DemoForge) -> Pull:
    return await forge.open_pull(
        wish.repository,
        head=wish.head or BRANCH,
        base=wish.base,
        title="A bigger service" if wish.repo is None else f"Plan {wish.head}",
        author=AUTHOR,
    )


def _introduce(wish: Wish, forge: DemoForge, pull: Pull) -> None:
    _say("A small forge runs on this machine, and prbot listens to it.\n")
    _say(f"  {forge.page_url(pull)}\n")
    _say(f"{AUTHOR} opened this {forge.customs.word}; prbot is planning it. On the page you can")
    if wish.mode is Mode.APPLY:
        _say(f"  - approve it as {REVIEWER},")
        _say("  - comment `prbot apply`, `prbot plan` or `prbot help` as anybody,")
        _say("  - merge it: what is left is applied.")
    else:
        _say("  - comment `prbot plan` or `prbot help` as anybody.")
        _say("Nothing is applied from your own repository; --allow-apply would change that.")
    _say(f"Git: git clone {forge.clone_url(wish.repository)}\nctrl-C ends the demo.\n")


async def _narrate(forge: DemoForge) -> None:
    """Tell every new comment and status as it comes."""
    told: set[int] = set()
    while True:
        count = forge.changes.count
        for repository in forge.repositories.values():
            news: list[Comment | Status] = [*repository.comments.values(), *repository.statuses]
            for entry in sorted(news, key=lambda e: e.id):
                if entry.id not in told:
                    told.add(entry.id)
                    _say(_news(entry))
        await forge.changes.after(count)


def _news(entry: Comment | Status) -> str:
    if isinstance(entry, Status):
        return f"  {entry.context}: {entry.state}, {entry.description}"
    line = next((line for line in entry.body.splitlines() if line.strip()), "")
    return f"  {entry.user.login} commented on #{entry.pull.number}: {line[:90]}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
