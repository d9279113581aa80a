"""kill -9 of `prbot serve`, between steps and in the middle of an apply."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from town import HOOK_SECRET, REPOSITORY, Town, resource
from watchfiles import awatch

from prbot.demo.state import Pull


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


@dataclass
class Process:
    """`prbot serve` as a process of its own."""

    town: Town
    process: asyncio.subprocess.Process
    url: str

    async def kill(self) -> None:
        """The machine's own SIGKILL: nothing can be tidied up."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


def operators_file(town: Town) -> Path:
    path = town.directory / "prbot.server.yaml"
    path.write_text(
        f"""
listen: 127.0.0.1:0
state_dir: {town.directory / "prbot"}
repositories: ["acme/*"]
limits: {{grace: 20}}
forges:
  - name: forge
    kind: github
    api_url: {town.forge.api_url}
    clone_url: {town.forge.url}
    token: env://STORY_TOKEN
    webhook_secret: env://STORY_HOOK
"""
    )
    return path


async def started(town: Town) -> Process:
    """Start it, wait until it says where it listens, and point the forge there."""
    path = await asyncio.to_thread(operators_file, town)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "prbot", "serve", "--config", str(path)),
        env=town.environ,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stderr is not None
    async with asyncio.timeout(60):
        async for line in process.stderr:
            if b'"serving"' in line:
                url = line.decode().split('"address": "')[1].split('"')[0]
                break
        else:
            pytest.fail("prbot serve ended before it listened")
    town.forge.courier.hooks.clear()
    town.forge.add_hook(f"{url}/hooks/github", HOOK_SECRET)
    return Process(town, process, url)


@asynccontextmanager
async def reading(process: Process) -> AsyncIterator[None]:
    """Keep the log's pipe empty while the block lasts."""
    assert process.process.stderr is not None
    reader = asyncio.create_task(process.process.stderr.read())
    try:
        yield
    finally:
        reader.cancel()


async def opened(town: Town, files: dict[str, str | None]) -> Pull:
    clone = await town.clone_of("bob")
    await clone.push("topic", "Change", files)
    return await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")


MOMENTS = {
    "the delivery was stored": lambda town, pull: any(
        d.status == 202 and d.event == "pull_request" for d in town.forge.deliveries
    ),
    "planning was announced": lambda town, pull: any(
        s.state == "pending" for s in pull.repo.statuses
    ),
    "a tool was started": lambda town, pull: any(town.directory.glob("prbot/jobs/*")),
    "the comment was written": lambda town, pull: bool(town.said(pull)),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_kill_while_planning(town: Town, moment: str) -> None:
    """It ends with the plan comment, once, whenever it was killed."""
    await town.build({"app/main.tf": town.backend("app") + resource("web")})
    first = await started(town)
    async with reading(first):
        pull = await opened(town, {"app/more.tf": resource("more")})
        await eventually(lambda: MOMENTS[moment](town, pull), town)
        await first.kill()
    second = await started(town)
    async with reading(second):
        await town.hears(pull, "terraform_data.more")
        await town.status(pull, "prbot/apply", "success")
        # Something later in the same pull request proves that nothing more was to come.
        await town.forge.comment(pull, "alice", "prbot help")
        await town.hears(pull, "prbot plan")
        assert sum("terraform_data.more" in c.body for c in town.said(pull)) == 1
        assert await second.stop() == 0


async def eventually(look: Callable[[], bool], town: Town) -> None:
    """Wait for something that is seen in the town's files, looking at each change."""
    watching = awatch(town.directory, step=5, rust_timeout=200, yield_on_timeout=True)
    async with asyncio.timeout(60):
        while not look():
            await anext(watching)


async def test_kill_while_applying(town: Town) -> None:
    """It reports the apply as interrupted after the restart, and never starts it again."""
    gate, count = town.directory / "gate", town.directory / "count"
    os.mkfifo(gate)
    slow = (
        'resource "terraform_data" "slow" {\n'
        '  provisioner "local-exec" {\n'
        f'    command = "echo run >> {count}; cat {gate}"\n'
        "  }\n}\n"
    )
    await town.build({"app/main.tf": town.backend("app") + resource("web")})
    first = await started(town)
    async with reading(first):
        pull = await opened(town, {"app/slow.tf": slow})
        await town.hears(pull, "terraform_data.slow")
        await town.forge.review(pull, "bob", "APPROVE")
        await town.forge.comment(pull, "alice", "prbot apply")
        await eventually(count.exists, town)
        await first.kill()
    second = await started(town)
    async with reading(second):
        body = await town.hears(pull, "nterrupted")
        assert "prbot plan" in body
        await town.status(pull, "prbot/apply", "failure")
        await town.forge.comment(pull, "alice", "prbot apply")
        await town.hears(pull, "Not done", "not run twice")
        assert await asyncio.to_thread(count.read_text) == "run\n"
        await asyncio.to_thread(gate.write_text, "go")  # lets the old tool end
        await second.stop()


async def test_drain(town: Town) -> None:
    """It lets a running plan end on SIGTERM, and exits 0."""
    await town.build({"app/main.tf": town.backend("app") + resource("web")})
    first = await started(town)
    async with reading(first):
        async with aiohttp.ClientSession() as client, client.get(f"{first.url}/readyz") as answer:
            assert answer.status == 200
        pull = await opened(town, {"app/more.tf": resource("more")})
        await eventually(lambda: any(town.directory.glob("prbot/jobs/*")), town)
        assert await first.stop() == 0
    second = await started(town)
    async with reading(second):
        await town.hears(pull, "terraform_data.more")
        await second.stop()
