"""The same webhook posted to prbot and, in turn, to a bare handler on the same core."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench import vitals
from bench.machine import tell
from bench.poster import Letter, Tally, post
from bench.town import BOT, HOOK_SECRET, PERSON, Town
from prbot.demo.git import git
from prbot.demo.person import Clone

LINES = 64
"""Connections at once."""
UNSERVED = "elsewhere/infra"
"""A repository prbot does not serve: what is measured is the door, not the work behind."""
CLIENT, SERVER = 0, -1
"""Of the cores we may use, the one for each."""


@dataclass(frozen=True)
class Pair:
    prbot: Tally
    bare: Tally

    @property
    def ratio(self) -> float:
        return self.prbot.rate / self.bare.rate


@dataclass(frozen=True)
class Receiver:
    """A web server's process, and what is posted to it."""

    pid: int
    letter: Letter


@dataclass(frozen=True)
class Found:
    """Round by round: over `LINES` connections, and over a single one."""

    crowded: list[Pair]
    alone: list[Pair]


async def letter(place: Town) -> Letter:
    """A pull request's webhook, as long as GitHub's, and not delivered yet."""
    source = place.directory / "sources" / "unserved"
    await asyncio.to_thread(source.mkdir, parents=True)
    await git(source, "init", "--quiet", "--initial-branch", "main")
    await git(source, "commit", "--quiet", "--allow-empty", "-m", "Begin")
    forge = place.forge
    forge.courier.hold()
    people = {PERSON: "write", BOT: "write"}
    await forge.create_repository(UNSERVED, source, private=True, collaborators=people)
    clone = await Clone.of(forge, UNSERVED, PERSON, place.directory / "clone-unserved")
    await clone.push("topic", "Change", {"README.md": "Hello.\n"})
    await forge.open_pull(UNSERVED, head="topic", title="Change", author=PERSON)

    def made() -> bytes | None:
        mine = (each.body for each in forge.deliveries if each.event == "pull_request")
        return next((body for body in mine if UNSERVED.encode() in body), None)

    body = await forge.wait_for(made)
    return Letter(f"{place.prbot.url}/hooks/github", "pull_request", body, HOOK_SECRET)


async def rounds(place: Town, ours: Letter, times: int, seconds: float) -> Found:
    """`times` measured rounds, after one that warms both."""
    found = Found([], [])
    prbot = Receiver(place.prbot.process.pid, ours)
    pin(prbot.pid, SERVER)
    pin(os.getpid(), CLIENT)
    async with _bare(ours) as bare:
        for number in range(times + 1):
            crowded = await _pair(prbot, bare, f"crowd-{number}", LINES, seconds)
            alone = await _pair(prbot, bare, f"alone-{number}", 1, seconds / 4)
            rates = f"prbot {crowded.prbot.rate:,.0f}/s, bare {crowded.bare.rate:,.0f}/s"
            tell(f"webhooks, round {number or 'to warm up'}: {rates}")
            if number:
                found.crowded.append(crowded)
                found.alone.append(alone)
    return found


async def _pair(prbot: Receiver, bare: Receiver, name: str, lines: int, seconds: float) -> Pair:
    """prbot stands still while the other works: it may have events left to digest."""
    ours = await _post(prbot, name, lines, seconds)
    os.kill(prbot.pid, signal.SIGSTOP)
    try:
        return Pair(ours, await _post(bare, name, lines, seconds))
    finally:
        os.kill(prbot.pid, signal.SIGCONT)


async def _post(receiver: Receiver, name: str, lines: int, seconds: float) -> Tally:
    before = vitals.cpu_seconds(receiver.pid)
    tally = await post(receiver.letter, name, lines, seconds)
    tally.cpu = vitals.cpu_seconds(receiver.pid) - before
    return tally


@asynccontextmanager
async def _bare(letter: Letter) -> AsyncIterator[Receiver]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.bare"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        pin(process.pid, SERVER)
        yield Receiver(process.pid, letter.to(f"{url}/hooks/github"))
    finally:
        process.stdin.close()
        await process.wait()


CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def pin(pid: int, which: int) -> None:
    """Keep all threads of a process on one core, where there is a choice."""
    if len(CORES) > 1:
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(thread), {CORES[which]})
