"""The processes of prbot in one trial: how they start, die and start again.

Each leads a process group of its own and writes its log into a file, over all its lives.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

START = 60.0
"""Seconds a process has to say that it is there."""
SAYS = ("serving", "working")
"""Events of the log that say so."""


@dataclass
class Member:
    """One process by its name; `verb` is prbot's. `lives` counts its starts."""

    name: str
    verb: str
    config: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    lives: int = 0
    url: str = ""

    @property
    def log(self) -> Path:
        return self.config.with_name(f"{self.name}.log")

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    async def start(self) -> None:
        """Raises RuntimeError when it ends instead."""
        self.lives += 1
        begun = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - it only starts
                (sys.executable, "-m", "prbot", self.verb, "--config", str(self.config)),
                env=dict(self.environment),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        async with asyncio.timeout(START):
            while not (said := self._said(begun)):
                if not self.alive:
                    raise RuntimeError(f"{self.name} ended as it started")
                await asyncio.sleep(0.02)
        self.url = said.get("address", "")

    def _said(self, begun: int) -> dict[str, str]:
        """The line of the log that says it is there, if it stands after `begun` bytes."""
        for line in self.log.read_bytes()[begun:].splitlines():
            with contextlib.suppress(ValueError):
                entry: dict[str, str] = json.loads(line)
                if entry.get("event") in SAYS:
                    return entry
        return {}

    def kill(self, whole: bool) -> None:
        """SIGKILL, to it alone or to everything it started as well."""
        victims = [self.pid, *(descendants(self.pid) if whole else ())]
        kill_all(victims)
        if self.process is not None:
            self.process.wait()


@dataclass
class Crew:
    """All of them. `directory` is the trial's own; it marks what was started from it."""

    directory: Path
    members: Sequence[Member]
    expected_dead: set[str] = field(default_factory=set)

    async def start(self) -> None:
        for member in self.members:
            await member.start()

    @property
    def url(self) -> str:
        return next(member.url for member in self.members if member.verb == "serve")

    @property
    def died(self) -> list[str]:
        """Who is dead and should not be."""
        return [m.name for m in self.members if not m.alive and m.name not in self.expected_dead]

    def of(self, pid: int) -> Member | None:
        """Whose child, or child's child, this process is."""
        line = [pid, *ancestors(pid)]
        return next((member for member in self.members if member.pid in line), None)

    def tools(self) -> list[int]:
        """Processes that this crew's tools are, or that they started, whoever still lives."""
        mark = os.fsencode(self.directory)
        own = {member.pid for member in self.members}
        return [pid for pid in pids() if pid not in own and mark in surroundings(pid)]

    def end(self) -> None:
        """Nobody and nothing of this trial goes on."""
        for member in self.members:
            member.kill(whole=True)
        kill_all(self.tools())


# --- processes, as /proc shows them -------------------------------------------------------------


def pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))


def parent(pid: int) -> int:
    """0 when it is gone. The second field may hold anything, in parentheses."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    state, above = text[text.rindex(")") + 2 :].split()[:2]
    return 0 if state in "ZX" else int(above)


def ancestors(pid: int) -> list[int]:
    found = []
    while (pid := parent(pid)) > 1:
        found.append(pid)
    return found


def descendants(pid: int) -> list[int]:
    return [each for each in pids() if pid in ancestors(each)]


def surroundings(pid: int) -> bytes:
    """Its environment; empty when it is gone, ended or another's."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes() if parent(pid) else b""
    except OSError:
        return b""


def kill_all(victims: Sequence[int]) -> None:
    for pid in victims:
        if pid > 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
