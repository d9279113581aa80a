"""A workflow's commands beside the tool: what they see, what they say, how they are ended."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from prbot.adapters import process
from prbot.adapters.steps import with_tool
from prbot.adapters.terraform import Terraform
from prbot.ports.tool import ShellCommand

SH = ("sh", "-c")


def command(text: str, **more: object) -> ShellCommand:
    return replace(ShellCommand("plan-1", (*SH, text)), **more)  # type: ignore[arg-type]  # a test's


@pytest.fixture
def tool(tmp_path: Path, environment: dict[str, str]) -> Terraform:
    """No suite here starts the tool itself."""
    path = tmp_path / "bin" / "terraform"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\necho the tool of this project\n")
    path.chmod(0o700)
    return Terraform((str(path),), tmp_path / "rc", tmp_path / "scratch", environment, grace=0.2)


SAID = [
    ("echo out; echo err >&2; echo end", True, 0, "out\nerr\nend\n", "out\nerr\nend"),
    ("echo out; echo err >&2; exit 3", False, 3, "out\n", "err"),
    ("printf '\\033[31mred\\033[0m'", True, 0, "\x1b[31mred\x1b[0m", "red"),
    ("printf 'a\\377b'", True, 0, "a\udcffb", "a�b"),
    ("kill -9 $$", True, -9, "", ""),
    ("terraform", True, 0, "the tool of this project\n", "the tool of this project"),
    ("cat", True, 0, "", ""),
]


@pytest.mark.parametrize(("text", "together", "code", "printed", "said"), SAID)
async def test_said(
    tool: Terraform, make_job, text: str, together: bool, code: int, printed: str, said: str
) -> None:
    """It tells exit code and words; what an `env` command prints stays apart from its errors."""
    end = await tool.shell(make_job("").run, command(text, together=together))
    assert (end.code, end.printed, end.said) == (code, printed, said)


async def test_surroundings(tool: Terraform, make_job) -> None:
    """It gives a command what it gives the tool, in the project's directory, and no more."""
    run = make_job("").run.with_variables({"MINE": "1", "TF_CLI_ARGS": "-x"})
    env = await tool.shell(run, command("env -0"))
    found = dict(each.partition("=")[::2] for each in env.printed.split("\0") if each)
    assert found["TF_DATA_DIR"] == str(run.data_dir / "terraform")
    assert found["HOME"] == str(run.data_dir / "home")
    assert (found["MINE"], found["PWD"]) == ("1", str(run.root))
    assert "TF_CLI_ARGS" not in found
    shells = {"PWD", "SHLVL", "_", "OLDPWD"}
    tools = {"TF_DATA_DIR", "TF_CLI_CONFIG_FILE", "TF_IN_AUTOMATION", "CHECKPOINT_DISABLE"}
    assert set(found) - shells - tools - {"HOME", "TMPDIR", "MINE"} <= set(run.environment)


async def test_words(tool: Terraform, make_job) -> None:
    """It hands the command over as one word, and the shell's own words before it."""
    argv = ("python3", "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", "a b", "$(id)")
    end = await tool.shell(make_job("").run, ShellCommand("plan-1", argv))
    assert json.loads(end.printed) == ["a b", "$(id)"]


async def test_no_such_shell(tool: Terraform, make_job) -> None:
    """It tells of a shell that is not there like of any command that fails."""
    end = await tool.shell(make_job("").run, ShellCommand("plan-1", ("no-such-shell", "-c", "x")))
    assert end.code == 127
    assert "no-such-shell" in end.said


async def test_much_output(tool: Terraform, make_job) -> None:
    """It keeps the end of what a command says, and not all of it."""
    end = await tool.shell(make_job("").run, command("yes 12345 | head -c 3000000; echo end"))
    assert end.said.endswith("12345\nend")
    assert len(end.said) <= 64 * 1024


async def test_interrupt_reaches_what_the_shell_started(
    tool: Terraform, make_job, bell, tmp_path: Path, living: Callable[[int], list[int]]
) -> None:
    """It interrupts the tool that a command started, and kills what does not end."""
    saved = tmp_path / "saved"
    inner = f"trap 'echo yes > {saved}; exit 1' INT; echo $$ > {bell.path}; sleep 300 & wait"
    outer = f'sh -c "{inner}"; sleep 300'
    running = asyncio.create_task(tool.shell(make_job("").run, command(outer)))
    pid = int(await bell.rung())
    session = os.getsid(pid)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert saved.read_text() == "yes\n"
    assert living(session) == []


async def test_time_out(tool: Terraform, make_job) -> None:
    """It ends a command whose time is up, and says so."""
    end = await tool.shell(make_job("", timeout=0.3).run, command("echo begun; sleep 300"))
    assert (end.timed_out, end.said) == (True, "begun")


@pytest.mark.parametrize(("outlives", "what"), [(True, "apply"), (False, "plan-1")])
async def test_record(tool: Terraform, make_job, bell, outlives: bool, what: str) -> None:
    """It remembers what runs; what may change infrastructure is remembered as an apply."""
    run = make_job("").run
    text = f"trap '' INT; echo > {bell.path}; sleep 300"
    running = asyncio.create_task(tool.shell(run, command(text, outlives=outlives)))
    await bell.rung()
    (left,) = process.leftovers(run.data_dir)
    assert left.what == what
    assert (await tool.trace(run.data_dir)).running
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not (await tool.trace(run.data_dir)).running


PATHS = [
    (("/opt/tf/1.9/terraform",), "/bin", "/opt/tf/1.9:/bin"),
    (("/opt/tofu",), "/bin", "/opt:/bin"),
    (("/opt/tf-1.9",), "/bin", "/bin"),
    (("/usr/bin/python3", "-I", "child.py"), "/bin", "/bin"),
]


@pytest.mark.parametrize(("tool_command", "before", "after"), PATHS)
def test_path(tool_command: tuple[str, ...], before: str, after: str) -> None:
    """It puts the project's tool first on PATH where it can be called by its name."""
    assert with_tool({"PATH": before}, tool_command) == {"PATH": after}
