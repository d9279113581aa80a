"""Several processes on one PostgreSQL: work goes on wherever somebody dies or leaves."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from postgres import PostgresServer
from serving import Process, eventually, opened, reading, started
from state_server import StateServer
from town import PATIENCE, Town, resource

SHORT, LONG = "{grace: 5, lease: 2}", "{grace: 5, lease: 600}"


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


@dataclass
class Crew:
    """The processes of one installation."""

    town: Town
    database: str
    stack: AsyncExitStack
    members: list[Process] = field(default_factory=list)

    async def joined(self, verb: str, limits: str = SHORT, **changes: str) -> Process:
        settings = {"database": self.database, "limits": limits} | changes
        name = f"{verb}-{len(self.members)}"
        process = await started(self.town, verb, name, **settings)
        await self.stack.enter_async_context(reading(process))
        self.members.append(process)
        return process


@pytest.fixture
async def crew(town: Town, postgres: str) -> AsyncIterator[Crew]:
    async with crew_of(town, postgres) as crew:
        yield crew


@asynccontextmanager
async def crew_of(town: Town, database: str) -> AsyncIterator[Crew]:
    async with AsyncExitStack() as stack:
        crew = Crew(town, database, stack)
        try:
            yield crew
        finally:
            for member in crew.members:
                if member.process.returncode is None:
                    await member.kill()


IDLE = "{grace: 5, lease: 2, parallel_jobs: 0}"
"""Takes webhooks, decides and writes, but starts no tools."""


async def test_a_worker_on_another_machine(town: Town, crew: Crew) -> None:
    """It plans and applies on a machine that has nothing but the database and the key."""
    await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await crew.joined("serve", IDLE)
    elsewhere = town.directory / "elsewhere"
    await asyncio.to_thread(elsewhere.mkdir)
    key = "installation.key"
    await asyncio.to_thread(os.link, town.directory / "prbot" / key, elsewhere / key)
    await crew.joined("worker", state_dir=str(elsewhere))
    pull = await opened(town, {"app/more.tf": resource("more")})
    await town.hears(pull, "terraform_data.more")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied: 1 of 1")
    assert '"more"' in await asyncio.to_thread(town.state_file("app").read_text)
    assert await asyncio.to_thread(lambda: list((elsewhere / "artifacts").iterdir()))


async def test_a_worker_dies_over_a_plan(town: Town, crew: Crew, state_server: StateServer) -> None:
    """It makes the plan again elsewhere, and tells it once."""
    await town.build({"app/main.tf": state_server.backend("app") + resource("web")})
    await crew.joined("serve", IDLE)
    worker = await crew.joined("worker")
    state_server.shut_out()
    pull = await opened(town, {"app/more.tf": resource("more")})
    await asyncio.wait_for(state_server.reading.wait(), 60)
    await crew.joined("worker")
    await worker.kill()
    state_server.let_in()
    await town.hears(pull, "terraform_data.more")
    await town.forge.comment(pull, "alice", "prbot help")
    await town.hears(pull, "prbot plan")
    assert sum("terraform_data.more" in c.body for c in town.said(pull)) == 1


def slow(gate: Path, count: Path) -> str:
    """A resource that is made when something is written to `gate`; it counts each try."""
    return (
        'resource "terraform_data" "slow" {\n'
        '  provisioner "local-exec" {\n'
        f'    command = "echo run >> {count}; cat {gate}"\n'
        "  }\n}\n"
    )


async def test_a_worker_dies_over_an_apply(town: Town, crew: Crew) -> None:
    """Another process tells that it was interrupted, and nobody ever starts it again."""
    gate, count = town.directory / "gate", town.directory / "count"
    os.mkfifo(gate)
    await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await crew.joined("serve", IDLE)
    worker = await crew.joined("worker")
    pull = await opened(town, {"app/slow.tf": slow(gate, count)})
    await town.hears(pull, "terraform_data.slow")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await eventually(count.exists, town)
    await crew.joined("worker")
    await worker.kill()
    await town.hears(pull, "nterrupted")
    await town.status(pull, "prbot/apply", "failure")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Not done", "an apply of `app` was interrupted")
    assert await asyncio.to_thread(count.read_text) == "run\n"
    await asyncio.to_thread(gate.write_text, "go")  # lets the old tool end


async def until(database: str, question: str) -> None:
    """Ask at each change of the queue, until the answer is yes. Who was suspended in the middle of
    a transaction keeps the others waiting, until the database ends it after a minute."""
    async with (
        asyncio.timeout(PATIENCE),
        await psycopg.AsyncConnection.connect(database, autocommit=True) as connection,
    ):
        await connection.execute("LISTEN prbot_queue")
        while await (await connection.execute(question.encode())).fetchone() != (True,):
            async for _ in connection.notifies(timeout=1, stop_after=1):
                pass


async def test_a_worker_is_suspended_over_a_plan(
    town: Town, crew: Crew, state_server: StateServer
) -> None:
    """It finds on its return that its plan was taken from it, and makes it again when
    nobody else did, once."""
    await town.build({"app/main.tf": state_server.backend("app") + resource("web")})
    await crew.joined("serve", IDLE)
    worker = await crew.joined("worker")
    state_server.shut_out()
    pull = await opened(town, {"app/more.tf": resource("more")})
    await asyncio.wait_for(state_server.reading.wait(), 60)
    worker.process.send_signal(signal.SIGSTOP)
    await until(crew.database, "SELECT state = 'queued' FROM jobs")
    worker.process.send_signal(signal.SIGCONT)
    await until(crew.database, "SELECT fence = 2 FROM jobs WHERE state = 'running'")
    state_server.let_in()
    await town.hears(pull, "terraform_data.more")
    asked = "SELECT action FROM journal WHERE action LIKE 'plan job %' ORDER BY seq"
    async with await psycopg.AsyncConnection.connect(crew.database) as connection:
        told = [row[0] for row in await (await connection.execute(asked)).fetchall()]
    begun = ["plan job queued->running", "plan job running->queued", "plan job queued->running"]
    assert told == ["plan job queued", *begun, "plan job running->planned"]


async def test_a_worker_is_suspended_over_an_apply(town: Town, crew: Crew) -> None:
    """Its apply is told as interrupted, goes on to its end, is not taken for done, and is
    never started again; the project can be freed and planned."""
    gate, count = town.directory / "gate", town.directory / "count"
    os.mkfifo(gate)
    await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await crew.joined("serve", IDLE)
    worker = await crew.joined("worker")
    pull = await opened(town, {"app/slow.tf": slow(gate, count)})
    await town.hears(pull, "terraform_data.slow")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await eventually(count.exists, town)
    worker.process.send_signal(signal.SIGSTOP)
    await until(crew.database, "SELECT true FROM jobs WHERE state = 'interrupted'")
    worker.process.send_signal(signal.SIGCONT)
    await town.hears(pull, "nterrupted")
    await asyncio.to_thread(gate.write_text, "go")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Not done", "an apply of `app` was interrupted")
    await town.status(pull, "prbot/apply", "failure")
    assert await asyncio.to_thread(count.read_text) == "run\n"
    await town.forge.comment(pull, "alice", "prbot unlock")
    await town.hears(pull, "Unlocked")
    await town.forge.comment(pull, "alice", "prbot plan")
    await town.hears(pull, "Plan for `app`: no changes")
    assert all(member.process.returncode is None for member in crew.members)


async def test_cancel_reaches_another_process(
    town: Town, crew: Crew, state_server: StateServer
) -> None:
    """It stops a plan that runs in another process than the one that hears the comment."""
    await town.build({"app/main.tf": state_server.backend("app") + resource("web")})
    await crew.joined("serve", IDLE)
    await crew.joined("worker")
    state_server.shut_out()
    pull = await opened(town, {"app/more.tf": resource("more")})
    await asyncio.wait_for(state_server.reading.wait(), 60)
    await town.forge.comment(pull, "alice", "prbot cancel")
    await town.status(pull, "prbot/plan", "failure")
    state_server.let_in()


async def test_a_worker_leaves(town: Town, crew: Crew, state_server: StateServer) -> None:
    """It leaves its plan for others at once, however long its lease would have lasted."""
    await town.build({"app/main.tf": state_server.backend("app") + resource("web")})
    await crew.joined("serve", LONG.replace("}", ", parallel_jobs: 0}"))
    worker = await crew.joined("worker", LONG)
    state_server.shut_out()
    pull = await opened(town, {"app/more.tf": resource("more")})
    await asyncio.wait_for(state_server.reading.wait(), 60)
    assert await worker.stop() == 0
    state_server.let_in()
    await crew.joined("worker", LONG)
    await town.hears(pull, "terraform_data.more")


async def test_the_database_restarts(
    town: Town, postgres_server: PostgresServer, crew: Crew, state_server: StateServer
) -> None:
    """It goes on where it was, and tells each plan once."""
    await town.build({"app/main.tf": state_server.backend("app") + resource("web")})
    await crew.joined("serve")
    await crew.joined("worker")
    state_server.shut_out()
    pull = await opened(town, {"app/more.tf": resource("more")})
    await asyncio.wait_for(state_server.reading.wait(), 60)
    await asyncio.to_thread(postgres_server.stop)
    state_server.let_in()
    await asyncio.to_thread(postgres_server.start)
    await town.hears(pull, "terraform_data.more")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied: 1 of 1")
    assert sum("terraform_data.more" in c.body for c in town.said(pull)) <= 2
    assert all(member.process.returncode is None for member in crew.members)


async def test_worker_needs_postgres(town: Town) -> None:
    """It refuses SQLite with a sentence and a hint."""
    with pytest.raises(pytest.fail.Exception, match="an SQLite database is for one process"):
        await started(town, "worker")
