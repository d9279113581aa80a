"""Looks at real states: what is recorded, who holds the lock, and how it is broken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from state_server import StateServer

from prbot.adapters import process, session
from prbot.adapters.terraform import Terraform
from prbot.adapters.terraform_state import lock_of, managed, recorded, workspaces
from prbot.errors.plans import ToolFailed
from prbot.runs.state_look import Recorded, StateLock, StateLook

SLOW = """
resource "terraform_data" "first" {
  for_each = toset(["a \\"b\\" $${c}"])
  input    = "done before"
}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "echo > '%s'; sleep 300; true" }
}
"""


@asynccontextmanager
async def applying(tool: Terraform, job, bell) -> AsyncIterator[list[str]]:
    """An apply that has made the first resource and waits in the second; killed at the
    end of the block. Yields what it told."""
    heard: list[str] = []

    async def hear(lines: tuple[str, ...]) -> None:
        heard.extend(lines)

    job.write(SLOW % bell.path)
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    task = asyncio.create_task(tool.apply(job.run, job.plan_file, hear))
    try:
        await bell.rung()
        yield heard
    finally:
        (leftover,) = process.leftovers(job.run.data_dir)
        session.kill_session(leftover.pid)
        await task


async def test_whole_life_of_a_lock(tool: Terraform, make_job, bell, state_server) -> None:
    """It names the lock while the apply runs and after it was killed, and breaks it."""
    job = make_job("", kept=False)
    job.write(state_server.backend("x"), "backend.tf")
    async with applying(tool, job, bell):
        held = state_server.locks["x"]["ID"]
        assert await tool.state_lock(job.run) == StateLock(held)
        assert (await tool.trace(job.run.data_dir)).running
    assert await tool.look(job.run) == StateLook((), StateLock(held))
    trace = await tool.trace(job.run.data_dir)
    assert not trace.running
    assert "apply_complete" in {json.loads(line)["type"] for line in trace.events}
    await tool.force_unlock(job.run, held)
    assert await tool.look(job.run) == StateLook((), None)
    assert state_server.states == {}


async def test_tells_what_it_does(tool: Terraform, make_job, bell) -> None:
    """It tells each event once, in order, to whoever listens, until it is killed."""
    job = make_job("")
    async with applying(tool, job, bell) as heard:
        pass
    assert tuple(heard) == (await tool.trace(job.run.data_dir)).events
    types = [json.loads(line)["type"] for line in heard]
    assert types.count("apply_complete") == 1


async def test_local_lock(tool: Terraform, make_job, bell) -> None:
    """It tells who holds a local state's lock; that lock ends with its holder."""
    job = make_job("")
    async with applying(tool, job, bell):
        lock = await tool.state_lock(job.run)
        assert lock is not None
        (info,) = job.state.parent.glob(".*.lock.info")
        held = json.loads(info.read_text())
        assert (lock.id, lock.who) == (held["ID"], held["Who"])
        assert (lock.operation, lock.path) == ("OperationTypeApply", str(job.state))
        assert lock.created
        assert (await tool.look(job.run)).lock == lock
    assert (await tool.look(job.run)).lock is None


async def test_recorded_as_terraform_writes_addresses(tool: Terraform, make_job) -> None:
    """It names objects as Terraform itself does, in modules and with any key."""
    job = make_job('module "m" {\n  source = "../m"\n  for_each = toset(["a.b"])\n}\n')
    (job.run.root.parent / "m").mkdir()
    (job.run.root.parent / "m" / "main.tf").write_text(
        'resource "terraform_data" "n" {\n  count = 2\n}\n'
        'resource "terraform_data" "e" {\n  for_each = toset(["q\\" $${x} %%{y} é\\\\"])\n}\n'
        'resource "terraform_data" "one" {}\n'
    )
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    planned = json.loads(await tool.show(job.run, job.plan_file))["resource_changes"]
    outcome = await tool.apply(job.run, job.plan_file)
    look = await tool.look(job.run)
    assert {found.address for found in look.recorded} == {c["address"] for c in planned}
    told = [json.loads(line)["hook"] for line in outcome.events if '"apply_complete"' in line]
    assert {(t["resource"]["addr"], t["id_value"]) for t in told} == {
        (found.address, found.id) for found in look.recorded
    }


async def test_a_look_changes_nothing(tool: Terraform, make_job) -> None:
    """It leaves state, worktree and record as they were, and no copy of the state."""
    job = make_job('resource "terraform_data" "one" {\n  input = "hush"\n}\n')
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    await tool.apply(job.run, job.plan_file)
    (job.run.data_dir / process.RECORD).write_text("of somebody else")
    places = (job.state.parent, job.run.root)
    before = {p: p.read_bytes() for place in places for p in place.rglob("*") if p.is_file()}
    await tool.state_lock(job.run)
    assert (job.run.data_dir / process.RECORD).read_text() == "of somebody else"
    await tool.look(job.run)
    after = {p: p.read_bytes() for place in places for p in place.rglob("*") if p.is_file()}
    assert after == before
    logs = (job.run.data_dir / "logs").iterdir()
    assert not any(b"hush" in log.read_bytes() for log in logs if "state" in log.name)


async def test_no_state_yet(tool: Terraform, make_job, state_server: StateServer) -> None:
    """It finds nothing where nothing was ever written, and takes that for no error."""
    job = make_job("", kept=False)
    job.write(state_server.backend("x"), "backend.tf")
    await tool.init(job.run)
    assert await tool.look(job.run) == StateLook((), None)


async def test_a_backend_that_does_not_answer(
    tool: Terraform, make_job, state_server: StateServer
) -> None:
    """It fails, and does not take a state for free whose lock it could not see."""
    job = make_job("", kept=False)
    job.write(state_server.backend("x"), "backend.tf")
    await tool.init(job.run)
    state_server.broken = True
    with pytest.raises(ToolFailed):
        await tool.state_lock(job.run)
    with pytest.raises(ToolFailed):
        await tool.look(job.run)


async def test_trace_of_nothing(tool: Terraform, tmp_path: Path) -> None:
    """It finds neither a process nor events where no apply ever was."""
    trace = await tool.trace(tmp_path / "gone")
    assert (trace.running, trace.events) == (False, ())


async def test_force_unlock_that_fails(tool: Terraform, make_job) -> None:
    """It says why a lock could not be broken (a local one never can)."""
    job = make_job("")
    await tool.init(job.run)
    with pytest.raises(ToolFailed) as caught:
        await tool.force_unlock(replace(job.run), "no-such-id")
    assert caught.value.verb == "force-unlock"
    assert caught.value.output


INFO = """Error: Error acquiring the state lock

Error message: {why}
Lock Info:
  ID:        4f2c
  Path:      bucket/key of it
  Operation: OperationTypeApply
  Who:       ann@desk
  Version:   1.11.4
  Created:   2026-11-23 13:44:26.19676139 +0000 UTC
  Info:      
"""  # noqa: W291 - as Terraform prints it


@pytest.mark.parametrize(
    ("said", "lock"),
    [
        (
            INFO.format(why="operation error S3: PutObject: PreconditionFailed"),
            StateLock(
                "4f2c",
                "ann@desk",
                "OperationTypeApply",
                "2026-11-23 13:44:26.19676139 +0000 UTC",
                "bucket/key of it",
            ),
        ),
        (INFO.format(why="HTTP remote state already locked:\nID=77aa-01"), StateLock("77aa-01")),
        ("Error: Error acquiring the state lock\n\nError message: 500\n", None),
        ("Error: No matching objects found\n", None),
        ("", None),
    ],
)
def test_lock_in_words(said: str, lock: StateLock | None) -> None:
    """It takes the holder's lock, and never the asking command's own."""
    assert lock_of(said) == lock


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (b"", ()),
        (b'{"version": 4, "resources": []}', ()),
        (
            b'{"version": 4, "resources": [{"mode": "data", "type": "t", "name": "d",'
            b' "instances": [{"attributes": {"id": "x"}}]}, {"mode": "managed", "type": "t",'
            b' "name": "n", "module": "module.a[0]", "instances": [{"deposed": "0011",'
            b' "attributes": {"id": "old"}}, {"index_key": 3, "attributes": {"id": "new"}},'
            b' {"index_key": "k", "attributes": {}}]}]}',
            (Recorded("module.a[0].t.n[3]", "new"), Recorded('module.a[0].t.n["k"]', "")),
        ),
    ],
)
def test_recorded(state: bytes, found: tuple[Recorded, ...]) -> None:
    """It lists managed objects, without the halves of replacements that go away."""
    assert recorded(state) == found


@pytest.mark.parametrize("state", [b"no state", b"[]", b'{"version": 3}'])
def test_no_state_at_all(state: bytes) -> None:
    """It refuses what it does not know rather than call it empty."""
    with pytest.raises(ValueError, match=r"version 4|Expecting"):
        recorded(state)


TWO = """
resource "terraform_data" "a" {
  for_each = toset(["x"])
}
module "m" {
  source = "./m"
}
"""


async def test_an_inventory(tool: Terraform, make_job) -> None:
    """It lists what the state manages, in modules too, and keeps no copy of the state."""
    job = make_job(TWO)
    (job.run.root / "m").mkdir()
    job.write('resource "terraform_data" "b" {}\n', "m/main.tf")
    assert await tool.inventory(job.run) == ()
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    await tool.apply(job.run, job.plan_file)
    held = {'terraform_data.a["x"]', "module.m.terraform_data.b"}
    assert set(await tool.inventory(job.run)) == held
    assert not list((job.run.data_dir / "logs").glob("state-pull.out"))


async def test_an_inventory_makes_nothing(tool: Terraform, make_job) -> None:
    """It takes a workspace that there is not for an empty one, and does not make it."""
    job = make_job(TWO.split("module")[0], workspace="blue")
    assert await tool.inventory(job.run) == ()
    assert not job.state.parent.exists() or not list(job.state.parent.iterdir())
    await tool.init(job.run)  # this makes it
    await tool.plan(job.run, job.plan_file)
    await tool.apply(job.run, job.plan_file)
    assert await tool.inventory(job.run) == ('terraform_data.a["x"]',)


async def test_an_inventory_that_cannot_be_taken(tool: Terraform, make_job, state_server) -> None:
    """It says so when the state cannot be read: that is not an empty one."""
    job = make_job("", kept=False)
    job.write(state_server.backend("x"), "backend.tf")
    state_server.broken = True
    with pytest.raises(ToolFailed):
        await tool.inventory(job.run)


def test_deposed_objects_are_managed() -> None:
    """It counts what is left of a replacement: somebody pays for it."""
    half = {"deposed": "00000001", "attributes": {"id": "1"}}
    resource = {"mode": "managed", "type": "x", "name": "y", "instances": [half]}
    data = {**resource, "mode": "data"}
    state = json.dumps({"version": 4, "resources": [resource, data]}).encode()
    assert managed(state) == ("x.y (deposed)",)
    assert recorded(state) == ()


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        (b"* default\n\n", {"default"}),
        (b"  default\n* blue\n  green-1\n", {"default", "blue", "green-1"}),
        (b"", set()),
    ],
)
def test_workspaces(listed: bytes, names: set[str]) -> None:
    """It reads the names of workspaces."""
    assert workspaces(listed) == names
