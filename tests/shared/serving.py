"""`prbot serve` as a process of its own, for stories in which it dies."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from forked import Forked, forked
from town import PATIENCE, REPOSITORY, Town
from watchfiles import awatch

from prbot.demo.state import Pull


@dataclass
class Process:
    """`prbot serve` as a process of its own."""

    town: Town
    process: Forked
    url: str

    async def kill(self) -> None:
        """The machine's own SIGKILL: nothing can be tidied up."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


def operators_file(town: Town, name: str, **changes: str) -> Path:
    """`changes` are settings as YAML, such as `database="postgresql://…"`."""
    lines = {
        "listen": "127.0.0.1:0",
        "state_dir": str(town.directory / "prbot"),
        "repositories": '["acme/*"]',
        "limits": "{grace: 20}",
    } | changes
    path = town.directory / f"{name}.server.yaml"
    path.write_text(
        "".join(f"{key}: {value}\n" for key, value in lines.items())
        + f"""
forges:
  - name: forge
    kind: {town.forge.customs.kind}
    api_url: {town.forge.api_url}
    clone_url: {town.forge.url}
    token: env://STORY_TOKEN
    webhook_secret: env://STORY_HOOK
"""
    )
    return path


async def started(town: Town, verb: str = "serve", name: str = "prbot", **changes: str) -> Process:
    """Start it, wait until it says that it works, and point the forge at a server."""
    path = await asyncio.to_thread(operators_file, town, name, **changes)
    process = await forked([verb, "--config", str(path)], town.environ)
    said = await _first_word(process)
    if verb == "serve":
        town.listen_at(said["address"])
    return Process(town, process, said.get("address", ""))


async def _first_word(process: Forked) -> dict[str, str]:
    """The line of the log that says it is there."""
    lines: list[str] = []
    async with asyncio.timeout(PATIENCE):
        async for line in process.stderr:
            lines.append(line.decode())
            if line.startswith(b"{"):
                entry: dict[str, str] = json.loads(line)
                if entry.get("event") in ("serving", "working"):
                    return entry
    await process.wait()
    pytest.fail("it ended before it worked:\n" + "".join(lines[-20:]))


@asynccontextmanager
async def reading(process: Process) -> AsyncIterator[None]:
    """Keep the log's pipe empty while the block lasts."""
    reader = asyncio.create_task(process.process.stderr.read())
    try:
        yield
    finally:
        reader.cancel()


async def opened(town: Town, files: dict[str, str | None]) -> Pull:
    clone = await town.clone_of("alice")
    await clone.push("topic", "Change", files)
    return await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")


async def eventually(look: Callable[[], bool], town: Town) -> None:
    """Wait for something that is seen in the town's files, looking at each change."""
    watching = awatch(town.directory, step=5, rust_timeout=200, yield_on_timeout=True)
    async with asyncio.timeout(PATIENCE):
        while not look():
            await anext(watching)
