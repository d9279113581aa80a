"""kill -9 of `prbot serve`, between steps and in the middle of an apply."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import aiohttp
import pytest
from serving import eventually, opened, reading, started
from town import Town, resource


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


MOMENTS = {
    "the delivery was stored": lambda town, pull: any(
        d.status == 202 and d.event == town.news_of_pulls for d in town.forge.deliveries
    ),
    "planning was announced": lambda town, pull: any(
        s.state == "pending" for s in pull.repo.statuses
    ),
    "a tool was started": lambda town, pull: any(town.directory.glob("prbot/jobs/*/*")),
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
        await town.hears(pull, "Not done", "was interrupted")
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
        await eventually(lambda: any(town.directory.glob("prbot/jobs/*/*")), town)
        assert await first.stop() == 0
    second = await started(town)
    async with reading(second):
        await town.hears(pull, "terraform_data.more")
        await second.stop()
