"""kill -9 of `prbot serve` and of the tool in the middle of an apply, and the way back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from serving import Process, eventually, opened, reading, started
from state_server import StateServer
from town import Town

from prbot.adapters import process, session
from prbot.demo.state import Pull

FIRST = 'resource "terraform_data" "first" {\n  input = "made before"\n}\n'
SLOW = """
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "echo run >> '%s'; cat '%s'" }
}
"""


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


@asynccontextmanager
async def stuck(town: Town, backend: str) -> AsyncIterator[tuple[Process, Pull]]:
    """prbot in the middle of an apply: the first resource is made, the second hangs."""
    gate, count = town.directory / "gate", town.directory / "count"
    os.mkfifo(gate)
    await town.build({"app/main.tf": backend})
    prbot = await started(town)
    async with reading(prbot):
        pull = await opened(town, {"app/more.tf": FIRST + SLOW % (count, gate)})
        await town.hears(pull, "terraform_data.slow")
        await town.forge.review(pull, "bob", "APPROVE")
        await town.forge.comment(pull, "alice", "prbot apply")
        await eventually(count.exists, town)
        yield prbot, pull
        assert await asyncio.to_thread(count.read_text) == "run\n"  # never applied twice


def kill_tool(town: Town) -> None:
    """The whole session of the apply, as the machine does when it runs out of memory."""
    (left,) = process.leftovers(town.directory / "prbot" / "jobs" / "1")
    os.killpg(left.pid, signal.SIGKILL)
    session.kill_session(left.pid)


async def test_the_way_back(town: Town, state_server: StateServer) -> None:
    """It tells what was created and not recorded, with its import block, and whose lock is
    left; on command it breaks that lock, and then a plan works again."""
    async with stuck(town, state_server.backend("app")) as (first, pull):
        lock = state_server.locks["app"]["ID"]
        await eventually(lambda: lock in journal_of(town), town)
        await first.kill()
        kill_tool(town)
        assert "app" not in state_server.states  # Terraform saved nothing
        second = await started(town)
        async with reading(second):
            await town.hears(pull, "nterrupted", "look at what was interrupted")
            body = await town.hears(pull, "## Interrupted: `app`")
            (made,) = [line for line in body.splitlines() if line.startswith("- `terraform_data.f")]
            assert "to = terraform_data.first" in body
            assert f'id = "{made.split("`")[3]}"' in body
            assert "- `terraform_data.slow`: create" in body
            assert lock in body
            assert "by the interrupted apply" in body
            assert "prbot unlock -d app" in body
            await town.status(pull, "prbot/apply", "failure")

            await town.forge.comment(pull, "alice", "prbot plan")
            await town.hears(pull, "state lock")
            await town.forge.comment(pull, "alice", "prbot unlock -d app")
            await town.hears(pull, "State unlocked")
            assert state_server.locks == {}
            await town.forge.comment(pull, "alice", "prbot plan")
            await town.hears(pull, "2 to create")
            assert await second.stop() == 0


async def test_a_tool_that_still_runs(town: Town, state_server: StateServer) -> None:
    """It breaks no lock while the tool runs, and says to wait."""
    async with stuck(town, state_server.backend("app")) as (first, pull):
        lock = state_server.locks["app"]["ID"]
        await eventually(lambda: lock in journal_of(town), town)
        await first.kill()
        second = await started(town)
        async with reading(second):
            body = await town.hears(pull, "## Interrupted: `app`")
            assert "The tool still runs" in body
            assert "wait until the tool has ended" in body
            await town.forge.comment(pull, "alice", "prbot unlock")
            await town.hears(pull, "Not done", "still runs")
            assert state_server.locks["app"]["ID"] == lock
            kill_tool(town)
            assert await second.stop() == 0


async def test_a_lock_of_somebody_else(town: Town, state_server: StateServer) -> None:
    """It breaks no lock that the apply was not seen to hold, whatever it looks like."""
    async with stuck(town, state_server.backend("app")) as (first, pull):
        mine = state_server.locks["app"]
        await eventually(lambda: mine["ID"] in journal_of(town), town)
        await first.kill()
        kill_tool(town)
        state_server.locks["app"] = {**mine, "ID": "another-lock"}
        second = await started(town)
        async with reading(second):
            body = await town.hears(pull, "## Interrupted: `app`")
            assert "another-lock" in body
            assert "by the interrupted apply" not in body
            await town.forge.comment(pull, "alice", "prbot unlock")
            await town.hears(pull, "## Unlocked")
            assert state_server.locks["app"]["ID"] == "another-lock"
            assert state_server.unlocked.count("app") <= 1  # the plan's own
            assert await second.stop() == 0


def journal_of(town: Town) -> str:
    """What the database's files hold, read as they are: another process writes them."""
    files = Path(town.directory / "prbot").glob("prbot.sqlite3*")
    return "".join(path.read_bytes().decode("latin-1") for path in files)
