"""Several processes on one plugin cache, which is not safe for concurrent inits."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from prbot.adapters.terraform import Terraform
from prbot.errors.server import HeldElsewhere
from prbot.ports.tool import ToolRun


def initialiser(directory: Path, script: str, name: str) -> Terraform:
    """What another process has: a Terraform of its own, on the same cache."""
    words = ("sh", "-c", script, "sh")
    environment = {"PATH": os.environ["PATH"]}
    cache = directory / "cache"
    return Terraform(words, directory / "rc", directory / name, environment, plugin_cache=cache)


@pytest.fixture
def run_in(tmp_path: Path, environment: dict[str, str]):
    def run(name: str) -> ToolRun:
        root, data = tmp_path / f"{name}-root", tmp_path / f"{name}-data"
        root.mkdir()
        data.mkdir()
        return ToolRun(root, data, "default", environment, 60.0)

    return run


async def test_one_init_at_a_time(tmp_path: Path, bell, run_in) -> None:
    """It lets no init in while that of another process runs, and the next one after it."""
    os.mkfifo(tmp_path / "end")
    slow = f"echo first > {bell.path}; read x < {tmp_path}/end"
    first = initialiser(tmp_path, slow, "a")
    second = initialiser(tmp_path, f"echo second > {bell.path}", "b")
    running = asyncio.create_task(first.init(run_in("a")))
    assert await bell.rung() == "first\n"
    waiting = run_in("b")
    with pytest.raises(HeldElsewhere, match=r"cache\.lock"):
        await second.init(replace(waiting, timeout=0.1))
    patient = asyncio.create_task(second.init(waiting))
    await asyncio.to_thread((tmp_path / "end").write_text, "now\n")
    await running
    await patient
    assert await bell.rung() == "second\n"


async def test_other_calls_do_not_wait(tmp_path: Path, bell, run_in) -> None:
    """It lets plans go on while another process initialises."""
    os.mkfifo(tmp_path / "end")
    slow = f"echo first > {bell.path}; read x < {tmp_path}/end"
    running = asyncio.create_task(initialiser(tmp_path, slow, "a").init(run_in("a")))
    await bell.rung()
    run = replace(run_in("b"), timeout=30.0)
    await initialiser(tmp_path, "exit 0", "b").plan(run, run.data_dir / "plan.tfplan")
    assert not running.done()
    await asyncio.to_thread((tmp_path / "end").write_text, "now\n")
    await running
