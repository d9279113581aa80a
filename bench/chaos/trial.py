"""One trial: a town of its own, one pull request, one kill, and the verdict."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from bench.chaos import provider
from bench.chaos.books import Books
from bench.chaos.crew import Crew, Member
from bench.chaos.journey import AUTHOR, BOT, REVIEWER, Journey, NotSettled, redeliver
from bench.chaos.strike import Scene, Strike, Struck, struck
from bench.chaos.verdict import Verdict, verdict
from prbot.adapters.terraform_setup import cli_config
from prbot.demo.forge import DemoForge
from prbot.demo.git import git
from prbot.demo.person import Clone

THINGS, PAUSE = 3, 150
"""How many things an apply creates, one after the other, and milliseconds for each."""
WINDOW = (THINGS - 0.5) * PAUSE / 1000
"""Seconds from the first create to the last one's end."""
REPOSITORY, BRANCH = "acme/infra", "topic"
TOKEN, HOOK_SECRET = "token-of-the-chaos", "hook-secret-of-the-chaos"
LAST_LINES = 60

CONFIGURATION = """\
listen: 127.0.0.1:0
state_dir: {state}
database: {database}
repositories: ["acme/*"]
limits: {{grace: 5, lease: 2}}
forges:
  - name: forge
    kind: github
    api_url: {api}
    clone_url: {site}
    token: env://CHAOS_TOKEN
    webhook_secret: env://CHAOS_HOOK_SECRET
terraform:
  provider_mirror: {mirror}
  plugin_cache: false
"""


@dataclass(frozen=True)
class Kit:
    """What all trials share: where the provider is installed, its lock file's text, and the
    URL of a PostgreSQL's own database (None: SQLite)."""

    mirror: Path
    lock_file: str
    postgres: str | None = None


@dataclass(frozen=True)
class Outcome:
    """`lines`: the journal's length at the end. `evidence` is only there when it is bad."""

    title: str
    verdict: Verdict
    hit: bool
    lines: int
    evidence: str = ""


def prepare(directory: Path, postgres: str | None = None) -> Kit:
    """Install the provider, and let Terraform write its lock file once."""
    mirror, root = directory / "providers", directory / "init"
    provider.install(mirror)
    root.mkdir()
    rc = directory / "terraform.tfrc"
    rc.write_text(cli_config(mirror))
    for name, text in provider.module(root / "state", root / "ledger", 0, 0).items():
        (root / name).write_text(text)
    surroundings = {**os.environ, "TF_CLI_CONFIG_FILE": str(rc)}
    subprocess.run(["terraform", "init"], cwd=root, env=surroundings, check=True, stdout=-3)
    return Kit(mirror, (root / ".terraform.lock.hcl").read_text(), postgres)


def tried(kit: Kit, strike: Strike | None) -> Outcome:
    """One trial in an event loop and a directory of its own; undisturbed without a strike."""
    directory = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        return asyncio.run(_tried(directory, kit, strike))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _tried(directory: Path, kit: Kit, strike: Strike | None) -> Outcome:
    with _database(directory, kit) as address:
        return await _in_town(directory, kit, strike, address)


async def _in_town(directory: Path, kit: Kit, strike: Strike | None, address: str) -> Outcome:
    async with _town(directory, kit, strike, address) as (journey, scene, state):
        going = asyncio.create_task(journey.go(BRANCH))
        striking = asyncio.create_task(_struck(strike, scene, journey.forge))
        resending = asyncio.create_task(redeliver(journey.forge))
        fault = ""
        try:
            await going
        except NotSettled as error:
            fault = f"not settled {error}"
        except Exception:
            fault = traceback.format_exc()
        for task in (striking, resending):
            task.cancel()
        ended = await asyncio.gather(striking, resending, return_exceptions=True)
        hit = isinstance(ended[0], Struck) and bool(ended[0].pids)
        if isinstance(ended[0], Exception):
            fault += f"\nthe striker failed: {ended[0]!r}"
        found = verdict(journey, scene, state, THINGS)
        if fault:
            found = replace(found, lost=max(1, found.lost), faults=(*found.faults, fault))
        title = strike.title if strike else "undisturbed"
        evidence = "" if found.good else _evidence(strike, found, journey, scene)
        return Outcome(title, found, hit, scene.books.transitions(), evidence)


async def _struck(strike: Strike | None, scene: Scene, forge: DemoForge) -> Struck | None:
    """Strike; then start again who has died, if somebody does so."""
    if strike is None:
        return None
    done = await struck(strike, scene)
    alone = len(scene.crew.members) == 1
    if done.member is not None and (alone or strike.returns or done.member.verb == "serve"):
        await done.member.start()
        scene.crew.expected_dead.discard(done.member.name)
        for hook in forge.courier.hooks:
            hook.url = f"{scene.crew.url}/hooks/github"
    return done


@contextmanager
def _database(directory: Path, kit: Kit) -> Iterator[str]:
    """A path or URL of a database that is the trial's own."""
    if kit.postgres is None:
        yield str(directory / "prbot" / "prbot.sqlite3")
        return
    name = directory.name.replace("-", "_").lower()
    with psycopg.connect(kit.postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield kit.postgres.rpartition("/")[0] + f"/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@asynccontextmanager
async def _town(
    directory: Path, kit: Kit, strike: Strike | None, address: str
) -> AsyncIterator[tuple[Journey, Scene, Path]]:
    """The forge with a pushed branch, prbot beside it, and where Terraform's state will be."""
    forge = DemoForge(directory / "forge")
    await forge.start()
    state, ledger = directory / "app.tfstate", directory / "ledger"
    books = Books(address)
    crew = Crew(directory, _members(directory, kit, forge, address))
    try:
        await asyncio.gather(_repository(directory, kit, forge, state, ledger), crew.start())
        forge.add_hook(f"{crew.url}/hooks/github", HOOK_SECRET)
        scene = Scene(crew, books, ledger, directory / "prbot")
        yield Journey(forge, scene, REPOSITORY, bool(strike and strike.by_merge)), scene, state
    finally:
        crew.end()
        books.close()
        await forge.stop()


def _members(directory: Path, kit: Kit, forge: DemoForge, address: str) -> tuple[Member, ...]:
    """One server on SQLite; a server and two workers on PostgreSQL."""
    forge.create_user(BOT, kind="Bot", token=TOKEN)
    config = directory / "prbot.server.yaml"
    config.write_text(
        CONFIGURATION.format(
            state=directory / "prbot",
            database=address if kit.postgres else "sqlite",
            api=forge.api_url,
            site=forge.url,
            mirror=kit.mirror,
        )
    )
    own = {**os.environ, "CHAOS_TOKEN": TOKEN, "CHAOS_HOOK_SECRET": HOOK_SECRET}
    serve = Member("serve", "serve", config, own)
    if kit.postgres is None:
        return (serve,)
    return (serve, *(Member(name, "worker", config, own) for name in ("worker-1", "worker-2")))


async def _repository(
    directory: Path, kit: Kit, forge: DemoForge, state: Path, ledger: Path
) -> None:
    """`main` with an empty project, and a pushed branch with things in it."""
    for login in (AUTHOR, REVIEWER):
        forge.create_user(login)
    source = directory / "source"
    files = provider.module(state, ledger, THINGS, PAUSE)
    things = files.pop("things.tf")
    files[".terraform.lock.hcl"] = kit.lock_file
    (source / "app").mkdir(parents=True)
    for name, text in files.items():
        (source / "app" / name).write_text(text)
    await git(source, "init", "--quiet", "--initial-branch", "main")
    await git(source, "add", "--all")
    await git(source, "commit", "--quiet", "-m", "Begin")
    people = {AUTHOR: "write", REVIEWER: "admin", BOT: "write"}
    await forge.create_repository(REPOSITORY, source, private=True, collaborators=people)
    clone = await Clone.of(forge, REPOSITORY, AUTHOR, directory / "clone")
    await clone.push(BRANCH, "Change", {"app/things.tf": things})


def _evidence(strike: Strike | None, found: Verdict, journey: Journey, scene: Scene) -> str:
    """All that helps to understand a bad trial."""
    journal = (
        f"{r['at']} {r['subject']} {r['action']} {r['detail']}" for r in scene.books.journal()
    )
    logs = (line for m in scene.crew.members for line in [f"-- {m.name}", *_tail(m.log)])
    said = [f"-- {c.user.login}: {c.body[:300]}" for c in journey.opened.comments]
    parts = {
        "strike": [str(strike)],
        "verdict": [str(found)],
        "acts": journey.acts,
        "ledger": [f"{name} {pid}" for name, pid in scene.creates()],
        "locks": [str(row) for row in scene.books.locks()],
        "journal": journal,
        "comments": said,
        "logs": logs,
    }
    return "\n".join(f"== {title}\n" + "\n".join(lines) for title, lines in parts.items())


def _tail(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-LAST_LINES:] if log.exists() else []
