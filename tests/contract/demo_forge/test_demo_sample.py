"""The demo's sample repository, with real Terraform."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prbot.demo.sample import BRANCH, ENVIRONMENTS, write_sample

if TYPE_CHECKING:
    from conftest import Tools

    from tests.conftest import Need


def terraform(root: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    command = [shutil.which("terraform") or "terraform", *arguments]
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _actions(root: Path) -> set[tuple[str, ...]]:
    terraform(root, "plan", "-input=false", "-out=plan")
    plan = json.loads(terraform(root, "show", "-json", "plan"))
    return {tuple(change["change"]["actions"]) for change in plan["resource_changes"]}


async def test_the_sample_has_something_of_everything(
    need: Need, tools: Tools, tmp_path: Path
) -> None:
    """It applies from nothing, keeps its state outside, and its branch changes both sides."""
    need("terraform")
    if not shutil.which("terraform"):
        pytest.skip("only the library is installed, and this test runs the binary")
    work, states = tmp_path / "work", tmp_path / "states"
    await write_sample(work, states)
    await asyncio.to_thread(_apply_all, work)
    assert {path.name for path in states.glob("*.tfstate")} == {
        f"{environment}.tfstate" for environment in ENVIRONMENTS
    }
    tools.git(work, "checkout", "--quiet", BRANCH)
    terraform(work, "fmt", "-check", "-recursive")
    staging = await asyncio.to_thread(_actions, work / "environments" / "staging")
    production = await asyncio.to_thread(_actions, work / "environments" / "production")
    assert staging >= {("update",), ("create",), ("delete",)}
    assert ("delete", "create") in production


def _apply_all(work: Path) -> None:
    for environment in ENVIRONMENTS:
        root = work / "environments" / environment
        terraform(root, "init", "-input=false")
        terraform(root, "apply", "-input=false", "-auto-approve")
