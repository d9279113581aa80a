"""A demo forge, `prbot serve` beside it as a process of its own, and one pull request.

The forge answers in the benchmark's process: its share of the time is in what is
measured, as a real forge's would be, only that a real one is farther away.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from bench.cases import DIRECTORY, LOCK_FILE, Case
from prbot.demo.forge import DemoForge
from prbot.demo.git import git
from prbot.demo.hooks import Delivery
from prbot.demo.person import Clone
from prbot.demo.state import Comment, Pull

BOT = "prbot"
PERSON = "alice"
TOKEN = "token-of-the-benchmark"
HOOK_SECRET = "hook-secret-of-the-benchmark"
BRANCH = "topic"
PATIENCE = 300.0
"""Seconds after which a comment is not waited for any more."""

CONFIGURATION = """\
listen: 127.0.0.1:0
state_dir: {state}
repositories: ["acme/*"]
forges:
  - name: forge
    kind: github
    api_url: {api}
    clone_url: {site}
    token: env://BENCH_TOKEN
    webhook_secret: env://BENCH_HOOK_SECRET
terraform:
  environment: ["AWS_*"]
"""


@dataclass
class Served:
    """A running `prbot serve`. `lines` is its log so far: (Unix time, event)."""

    process: asyncio.subprocess.Process
    state: Path
    url: str = ""
    lines: list[tuple[float, str]] = field(default_factory=list)
    listening: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def cli_config(self) -> Path:
        """The CLI configuration that prbot gives to its tools."""
        return self.state / "terraform.tfrc"

    async def listen(self) -> None:
        """Read the log as it comes, so that its pipe never fills up."""
        if self.process.stderr is None:
            return
        async for line in self.process.stderr:
            try:
                entry = json.loads(line)
            except ValueError:
                print(line.decode(errors="replace"), end="", file=sys.stderr)
                continue
            at = datetime.fromisoformat(entry["timestamp"]).timestamp()
            self.lines.append((at, entry["event"]))
            if entry["event"] == "serving":
                self.url = entry["address"]
                self.listening.set()
        self.listening.set()

    def moment(self, event: str, since: float) -> float | None:
        """When the log first said `event` from `since` on, in Unix time."""
        return next((at for at, said in self.lines if said == event and at >= since), None)


@dataclass(frozen=True)
class Heard:
    """One round of prbot's: seconds from the webhook to the comment, and of its parts."""

    total: float
    parts: Mapping[str, float]


@dataclass
class Town:
    """`directory` is the benchmark's own."""

    directory: Path
    forge: DemoForge
    prbot: Served

    async def open(self, case: Case, files: Mapping[str, str]) -> Street:
        """A repository with `files` on main, and a pull request that waits for its push."""
        source = self.directory / "sources" / case.name
        await asyncio.to_thread(_write, source, files)
        await git(source, "init", "--quiet", "--initial-branch", "main")
        await git(source, "add", "--all")
        await git(source, "commit", "--quiet", "-m", "Begin")
        people = {PERSON: "write", BOT: "write"}
        name = case.repository
        await self.forge.create_repository(name, source, private=True, collaborators=people)
        place = self.directory / f"clone-{case.name}"
        return Street(self, case, await Clone.of(self.forge, name, PERSON, place))


@dataclass
class Street:
    """One case's repository and its pull request, once the first round has opened it."""

    town: Town
    case: Case
    clone: Clone
    pull: Pull | None = None

    async def change(self, module: str, word: str) -> Heard:
        """Push a new root module; wait for the comment that holds `word`, and for calm."""
        courier = self.town.forge.courier
        courier.hold()
        await self._push({f"{DIRECTORY}/main.tf": module})
        seen = {comment.id for comment in self._said()}
        begun, at = time.perf_counter(), time.time()
        courier.release(_only_the_pull_request)
        comment = await self.town.forge.wait_for(lambda: self._fresh(seen), PATIENCE)
        ended = time.perf_counter()
        if word not in comment.body:
            raise RuntimeError(f"prbot did not plan:\n{comment.body}")
        parts = self._parts(at, at + ended - begun)
        await self._calm()
        return Heard(ended - begun, parts)

    async def _push(self, files: dict[str, str | None]) -> None:
        """The webhook of the push is made, and kept back."""
        forge = self.town.forge
        before = len(forge.deliveries)
        await self.clone.push(BRANCH, "Change", files)
        if self.pull is None:
            name = self.case.repository
            self.pull = await forge.open_pull(name, head=BRANCH, title="Change", author=PERSON)

        def made() -> bool:
            return any(d.event == "pull_request" for d in forge.deliveries[before:])

        await forge.wait_for(made, PATIENCE)

    def _said(self) -> list[Comment]:
        """The bot's comments, oldest first."""
        comments = self.pull.comments if self.pull else []
        return [comment for comment in comments if comment.user.login == BOT]

    def _fresh(self, seen: set[int]) -> Comment | None:
        return next((comment for comment in self._said() if comment.id not in seen), None)

    def _parts(self, begun: float, ended: float) -> dict[str, float]:
        """How long until the job began, how long it took, and how long until the comment."""
        marks = [self.town.prbot.moment(event, begun) for event in ("job started", "job ended")]
        times = [begun, *(mark for mark in marks if mark is not None), ended]
        names = ("before the job", "the job", "after the job")
        spans = [later - earlier for earlier, later in pairwise(times)]
        return dict(zip(names, spans, strict=True)) if len(times) == 4 else {}

    async def _calm(self) -> None:
        """Until prbot has set its last check, and nobody has anything to do any more."""
        await self.town.forge.wait_for(self._settled, PATIENCE)
        await self.town.forge.settled(PATIENCE)
        await asyncio.sleep(0.2)

    def _settled(self) -> bool:
        if self.pull is None:
            return False
        newest = self.pull.repo.latest_statuses(self.pull.head_sha)
        states = {status.context: status.state for status in newest}
        return states.keys() == {"prbot/plan", "prbot/apply"} and "pending" not in states.values()


def _only_the_pull_request(waiting: Sequence[Delivery]) -> Sequence[Delivery]:
    """Without the `push` that forges tell beside it: the clock starts with this one."""
    return [delivery for delivery in waiting if delivery.event == "pull_request"]


def _write(directory: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)


@asynccontextmanager
async def town(
    directory: Path, environment: Mapping[str, str], provider_mirror: Path | None
) -> AsyncIterator[Town]:
    """A forge, and prbot that serves it, for the length of the block."""
    forge = DemoForge(directory / "forge")
    await forge.start()
    forge.create_user(PERSON)
    forge.create_user(BOT, kind="Bot", token=TOKEN)
    try:
        async with _served(directory, forge, environment, provider_mirror) as served:
            forge.add_hook(f"{served.url}/hooks/github", HOOK_SECRET)
            yield Town(directory, forge, served)
    finally:
        await forge.stop()


@asynccontextmanager
async def _served(
    directory: Path,
    forge: DemoForge,
    environment: Mapping[str, str],
    provider_mirror: Path | None,
) -> AsyncIterator[Served]:
    state = directory / "prbot"
    text = CONFIGURATION.format(state=state, api=forge.api_url, site=forge.url)
    text += f"  provider_mirror: {provider_mirror}\n" if provider_mirror else ""
    config = directory / "prbot.server.yaml"
    await asyncio.to_thread(config.write_text, text)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "prbot", "serve", "--config", str(config)),
        env={**environment, "BENCH_TOKEN": TOKEN, "BENCH_HOOK_SECRET": HOOK_SECRET},
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    served = Served(process, state)
    listening = asyncio.create_task(served.listen())
    try:
        await asyncio.wait_for(served.listening.wait(), PATIENCE)
        if not served.url:
            raise RuntimeError("prbot serve ended before it listened")
        yield served
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await listening


async def lock_file(root: Path) -> dict[str, str]:
    """The lock file that init left in `root`, as a file of the repository."""
    place = root / LOCK_FILE
    if not await asyncio.to_thread(place.exists):
        return {}
    return {f"{DIRECTORY}/{LOCK_FILE}": await asyncio.to_thread(place.read_text)}
