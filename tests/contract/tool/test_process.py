"""Programs started by prbot, with a shell as the program."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from prbot.adapters import process
from prbot.adapters.process import Output

ENV = {"PATH": os.environ["PATH"]}
SCRIPT = """
import asyncio, os, sys
from pathlib import Path
from prbot.adapters import process
data = Path(sys.argv[1])
asyncio.run(process.run(
    ["sh", "-c", sys.argv[3]],
    cwd=data,
    env={"PATH": os.environ["PATH"]},
    timeout=600,
    output=process.Output(stdout=data / "out", record=data / process.RECORD, what="apply"),
    tied=sys.argv[2] == "tied",
))
"""
LOOP = "trap '{action}' {signal}; echo $$ > {bell}; while :; do sleep 0.05; done"


async def shell(script: str, cwd: Path, seconds: float = 60, **more) -> process.Completed:
    return await process.run(["sh", "-c", script], cwd=cwd, env=ENV, timeout=seconds, **more)


@pytest.mark.parametrize(
    ("script", "code", "stdout", "stderr"),
    [
        ("echo out; echo err >&2; exit 3", 3, b"out\n", b"err\n"),
        ("kill -9 $$", -9, b"", b""),
        ("cat", 0, b"", b""),
        ("env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^PATH=", 1, b"", b""),
    ],
)
async def test_ends(tmp_path: Path, script: str, code: int, stdout: bytes, stderr: bytes) -> None:
    """It tells exit code and output; the program sees no input and only its own variables."""
    answer = await shell(script, tmp_path)
    assert (answer.code, answer.stdout, answer.stderr) == (code, stdout, stderr)
    assert not answer.timed_out


async def test_no_shell(tmp_path: Path) -> None:
    """It hands every argument over as it is."""
    words = ["$(id)", "a b", "'", "é\n"]
    argv = [sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", *words]
    answer = await process.run(argv, cwd=tmp_path, env=ENV, timeout=60)
    assert json.loads(answer.stdout) == words


async def test_limit(tmp_path: Path) -> None:
    """It keeps the end of long output, and all of it in the file."""
    out = tmp_path / "out"
    answer = await shell("printf 123456789", tmp_path, output=Output(stdout=out), limit=4)
    assert (answer.stdout, out.read_bytes()) == (b"6789", b"123456789")


@pytest.mark.parametrize("tied", [True, False])
async def test_missing_program(tmp_path: Path, tied: bool) -> None:
    """It raises FileNotFoundError with the program's name."""
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        await process.run(["no-such-program"], cwd=tmp_path, env=ENV, timeout=9, tied=tied)


async def test_program_of_the_working_directory(tmp_path: Path) -> None:
    """It never takes a program from the directory it works in."""
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    with pytest.raises(FileNotFoundError):
        await process.run(["tool"], cwd=tmp_path, env={"PATH": "/nonexistent"}, timeout=9)


async def test_interrupts_first(tmp_path: Path) -> None:
    """It interrupts a program whose time is up, and lets it clean up."""
    script = "trap 'echo saved; exit 4' INT; echo; while :; do sleep 0.05; done"
    answer = await shell(script, tmp_path, seconds=0.5)
    assert (answer.timed_out, answer.code, answer.stdout) == (True, 4, b"\nsaved\n")


async def test_kills_at_last(tmp_path: Path, bell, living: Callable[[int], list[int]]) -> None:
    """It kills a program that ignores the interrupt, with its children, also those that
    ignore everything and left the group."""
    script = (
        f"trap '' INT TERM; python3 -c 'import os, time; os.setpgid(0, 0); "
        f'open("{bell.path}", "w").write(str(os.getsid(0))); time.sleep(300)\' & wait'
    )
    running = asyncio.create_task(shell(script, tmp_path, grace=0.1))
    session = int(await bell.rung())
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert living(session) == []


async def test_leaves_no_children(tmp_path: Path, living: Callable[[int], list[int]]) -> None:
    """It ends what a program left in the background."""
    answer = await shell("sleep 300 & echo $$", tmp_path)
    assert living(int(answer.stdout)) == []


async def test_waits_for_the_end_of_what_it_kills(
    tmp_path: Path, living: Callable[[int], list[int]]
) -> None:
    """It returns when what it killed has ended: not at the signal, for a process with much
    memory takes a while over dying, and holds its files and ports until then."""
    # nobody waits for these minutes: they end what a test that fails would leave behind
    full = "import time; much = b'x' * (128 << 20); print(flush=True); time.sleep(300)"
    script = f'mkfifo bell; {sys.executable} -c "{full}" > bell & read -r go < bell; echo $$'
    answer = await shell(script, tmp_path)
    assert living(int(answer.stdout)) == []


async def test_cancelled_twice(tmp_path: Path, bell) -> None:
    """It does not kill what is not tied, but leaves it its time and its record."""
    output = Output(record=tmp_path / process.RECORD, what="apply")
    script = LOOP.format(signal="INT", action=f"echo interrupted > {bell.path}", bell=bell.path)
    running = asyncio.create_task(shell(script, tmp_path, output=output, tied=False))
    await bell.rung()
    running.cancel()
    assert await bell.rung() == "interrupted\n"
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (left,) = process.leftovers(tmp_path)
    await process.stop(left, grace=0.1)
    assert process.leftovers(tmp_path) == ()


@pytest.fixture
def abandon(tmp_path: Path, bell) -> Iterator[Callable[[str, str], Awaitable[int]]]:
    """`await abandon(mode, script)`: a worker runs a script as its tool and dies by SIGKILL
    once the script rang; returns the tool's session."""
    sessions = []

    async def run(mode: str, script: str) -> int:
        data = tmp_path / "jobs" / "one"
        data.mkdir(parents=True)
        worker = _worker(data, mode, script)
        sessions.append(int(await bell.rung()))
        worker.kill()
        worker.wait()
        return sessions[-1]

    yield run
    for session in sessions:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(session, signal.SIGKILL)


def _worker(data: Path, mode: str, script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(data), mode, script])


async def test_apply_survives_its_worker(
    tmp_path: Path, bell, abandon, living: Callable[[int], list[int]]
) -> None:
    """It leaves a program that is not tied running, finds it again, and can stop it."""
    script = LOOP.format(signal="INT", action="echo saved; exit", bell=bell.path)
    session = await abandon("free", script)
    (left,) = process.leftovers(tmp_path / "jobs")
    assert (left.pid, left.what, left.argv[0]) == (session, "apply", "sh")
    await process.stop(left)
    assert (left.record.parent / "out").read_text() == "saved\n"
    assert living(session) == []
    assert process.leftovers(tmp_path / "jobs") == ()


async def test_tied_program_ends_with_its_worker(bell, abandon) -> None:
    """It ends a tied program when the worker dies."""
    if process.find("setpriv", ENV["PATH"]) is None:
        pytest.skip("needs setpriv")
    action = f"echo bye > {bell.path}; exit"
    await abandon("tied", LOOP.format(signal="TERM", action=action, bell=bell.path))
    assert await bell.rung() == "bye\n"


async def test_children_of_a_dead_leader(
    tmp_path: Path, bell, abandon, living: Callable[[int], list[int]]
) -> None:
    """It finds and ends plugins that outlived the program which started them."""
    session = await abandon("free", f"sleep 300 & echo $$ > {bell.path}; wait")
    os.kill(session, signal.SIGKILL)
    (left,) = process.leftovers(tmp_path / "jobs")
    await process.stop(left)
    assert living(session) == []


@pytest.mark.parametrize(
    "change", [{"started": 1}, {"boot": "another"}, {"pid": 2**22 + 1}, {"pid": "x"}]
)
async def test_strangers(tmp_path: Path, bell, change: dict[str, object]) -> None:
    """It takes nobody else's process for a leftover, and forgets the record."""
    record = tmp_path / process.RECORD
    running = asyncio.create_task(
        shell(
            f"echo > {bell.path}; exec sleep 300",
            tmp_path,
            output=Output(record=record, what="plan"),
        )
    )
    await bell.rung()
    honest = json.loads(record.read_text())
    assert process.leftovers(tmp_path) != ()
    record.write_text(json.dumps({**honest, **change}))
    assert process.leftovers(tmp_path) == ()
    assert not record.exists()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_broken_record(tmp_path: Path) -> None:
    """It takes no harm from a record cut short."""
    (tmp_path / process.RECORD).write_text('{"pid": ')
    assert process.leftovers(tmp_path) == ()
