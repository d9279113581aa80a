"""Starts other programs, and sees to it that none is left behind.

The only place of prbot that starts processes. Each program gets argv (never a shell), a
complete environment, nothing on stdin (or what it is fed) and a session of its own. Its
output goes into files, never into pipes, so that an apply survives the death of its
worker. When its time is up, or the task that waits for it is cancelled, it is interrupted
(Terraform then saves its state); after the grace time its whole session is killed,
provider plugins included. Whatever the end, `run` returns when what was killed has ended
too, and no longer writes, listens or holds a lock.

A `tied` program also ends when the worker dies, by `setpriv --pdeathsig TERM`, where the
machine has `setpriv` (util-linux). An apply is never tied. What still runs after a crash
(an apply, or anything on a machine without `setpriv`) is found by `leftovers`, through
the record that stands beside its output while it runs. A turn of its task (`turns`) is
not over before the program is.

Not promised: a program that opens a session of its own and detaches is not followed; what
a signal does not reach, in a call of the system that does not return, is not waited for;
`leftovers` needs `/proc` and finds nothing elsewhere. The parent-death signal is bound to
the thread that starts the program: `run` must be awaited on the main thread's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from prbot.adapters import session, turns

RECORD = "process.json"
"""Name of the record inside a job's data directory."""


@dataclass(frozen=True)
class Completed:
    """How a program ended: `code` is its exit code, or minus the signal that ended it.

    `stdout` and `stderr` are the last bytes of each, as many as `run` was asked for.
    """

    code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False


@dataclass(frozen=True)
class Output:
    """Where a program's output goes, and how it is remembered while it runs.

    `stdout` and `stderr` are files to be (over)written, None for unnamed ones. `record`
    is the file that remembers the process, `what` says in a word what it does.
    """

    stdout: Path | None = None
    stderr: Path | None = None
    record: Path | None = None
    what: str = ""


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout: float,  # noqa: ASYNC109 - a clean interrupt takes more than a cancelled await
    output: Output = Output(),
    grace: float = 30.0,
    tied: bool = True,
    brief: bool = False,
    limit: int | None = None,
    feed: bytes = b"",
    group: bool = False,
) -> Completed:
    """Run a program to its end; `timeout` and `grace` in seconds, `limit` in bytes.

    `brief`: it ends at once by itself, and is not worth the other program that ties it.
    `limit` bounds what is read back (the last bytes). `feed` is what it reads from stdin,
    unless it is recorded. `group`: what it started is interrupted too, as from a terminal: a
    shell does not pass an interrupt on. Raises FileNotFoundError when `env`'s PATH has no
    such program or `cwd` is no directory.
    """
    command = _command(argv, env, tied and not brief)
    with _sink(output.stdout) as out, _sink(output.stderr) as err, _source(feed) as source:
        child = _Child(_start(command, cwd, env, out, err, output, argv, source), group)
        try:
            timed_out = await _watch(child, timeout, grace, tied)
        finally:
            if child.ended.done():
                _forget(output)
        return Completed(
            code=child.ended.result(),
            stdout=await asyncio.to_thread(_tail, out, limit),
            stderr=await asyncio.to_thread(_tail, err, limit),
            timed_out=timed_out,
        )


@contextlib.contextmanager
def _source(feed: bytes) -> Iterator[int]:
    """What a program reads from: a file, so that it may be of any size."""
    if not feed:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(feed)
        file.seek(0)
        yield file.fileno()


def find(program: str, search_path: str) -> str | None:
    """The absolute path of a program, looked for in `search_path` (as PATH is written)."""
    found = shutil.which(program, path=search_path)
    return None if found is None else os.path.abspath(found)


def _command(argv: Sequence[str], env: Mapping[str, str], tied: bool) -> list[str]:
    search_path = env.get("PATH", os.defpath)
    program = find(argv[0], search_path)
    if program is None:
        raise FileNotFoundError(argv[0])
    setpriv = find("setpriv", search_path) if tied else None
    prefix = [] if setpriv is None else [setpriv, "--pdeathsig", "TERM", "--"]
    return [*prefix, program, *argv[1:]]


GATE = ("/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "sh")
"""Waits for a line before it becomes the program; without one (we died) it just ends."""


def _start(
    command: list[str],
    cwd: Path,
    env: Mapping[str, str],
    out: IO[bytes],
    err: IO[bytes],
    output: Output,
    argv: Sequence[str],
    source: int,
) -> subprocess.Popen[bytes]:
    def start(words: list[str], source: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            words,
            cwd=cwd,
            env=dict(env),
            stdin=source,
            stdout=out,
            stderr=err,
            start_new_session=True,
            pass_fds=turns.held(),
        )

    if output.record is None:
        return start(command, source)
    # Recorded first, let go second: whatever instant we die in, no program runs unknown.
    gate, key = os.pipe()
    try:
        popen = start([*GATE, *command], gate)
        _remember(output, popen.pid, argv)
        os.write(key, b"go\n")
        return popen
    finally:
        os.close(gate)
        os.close(key)


async def _watch(child: _Child, seconds: float, grace: float, tied: bool) -> bool:
    """Wait for the end; True when it had to be brought about because time was up."""
    try:
        await asyncio.wait({child.ended}, timeout=seconds)
    except asyncio.CancelledError:
        await _stop(child, grace, tied)
        raise
    if child.ended.done():
        return False
    await _stop(child, grace, tied)
    return True


async def _stop(child: _Child, grace: float, tied: bool) -> None:
    child.interrupt()
    try:
        await asyncio.wait({child.ended}, timeout=grace)
    except asyncio.CancelledError:
        # Cancelled again, as at the end of the program. What is not tied was interrupted
        # and may finish saving its state without us; its record stays.
        if tied:
            child.kill()
        raise
    if child.ended.done():
        return
    child.kill()
    await asyncio.wait({child.ended})
    await session.burial(lambda stat: stat.session == child.pid)


class _Child:
    """A running program. Only the event loop's thread reaps it, so that its number
    cannot pass to a stranger between a look and a signal."""

    def __init__(self, popen: subprocess.Popen[bytes], group: bool) -> None:
        self._popen = popen
        self._signal = os.killpg if group else os.kill
        self._loop = asyncio.get_running_loop()
        self.pid = popen.pid
        self.ended: asyncio.Future[int] = self._loop.create_future()
        # A thread of its own: the default executor is small, and a tool runs for long.
        threading.Thread(target=self._await_end, daemon=True, name=f"wait-{self.pid}").start()

    def _await_end(self) -> None:
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._reap)

    def _reap(self) -> None:
        session.kill_group(self.pid)
        self._code = self._popen.wait()
        if session.has_group(self.pid):
            self._burying = self._loop.create_task(
                session.burial(lambda stat: stat.group == self.pid)
            )
            self._burying.add_done_callback(self._end)
        else:
            self._end(None)

    def _end(self, _buried: object) -> None:
        self.ended.set_result(self._code)

    def interrupt(self) -> None:
        if self._popen.returncode is None:
            self._signal(self.pid, signal.SIGINT)

    def kill(self) -> None:
        if self._popen.returncode is None:
            session.kill_session(self.pid)


# --- output ---------------------------------------------------------------------------------


def _sink(path: Path | None) -> IO[bytes]:
    """A file readable by this account alone; without a path, one without a name."""
    if path is None:
        return tempfile.TemporaryFile()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "r+b")


def _tail(file: IO[bytes], limit: int | None) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(0 if limit is None else max(0, size - limit))
    return file.read()


# --- what a dead worker left running -----------------------------------------------------------


@dataclass(frozen=True)
class Leftover:
    """A program of a dead worker of which something still runs.

    `record` stands in the job's data directory, `pid` was the program's (and is its
    session's number), `what` and `argv` (the first three words) are as recorded.
    """

    record: Path
    pid: int
    what: str
    argv: tuple[str, ...]


def leftovers(directory: Path) -> tuple[Leftover, ...]:
    """What still runs of the jobs whose data directories stand in `directory`.

    Call it at start, before any tool of this process runs. Records of what has ended are
    removed on the way.
    """
    found = []
    for record in sorted((*directory.glob(RECORD), *directory.glob(f"*/{RECORD}"))):
        leftover = _recall(record)
        if leftover is None:
            record.unlink(missing_ok=True)
        else:
            found.append(leftover)
    return tuple(found)


async def stop(leftover: Leftover, grace: float = 30.0) -> None:
    """Interrupt the program, and after `grace` seconds kill all of its session."""
    if _recall(leftover.record) is not None:
        with contextlib.suppress(ProcessLookupError):
            await _interrupt_stranger(leftover.pid, grace)
        session.kill_session(leftover.pid)
        await session.burial(lambda stat: stat.session == leftover.pid)
    leftover.record.unlink(missing_ok=True)


async def _interrupt_stranger(pid: int, grace: float) -> None:
    """As for a child, but for a process that cannot be waited for."""
    async with session.watched(pid) as (descriptor, ended):
        signal.pidfd_send_signal(descriptor, signal.SIGINT)
        await asyncio.wait({ended}, timeout=grace)


def _remember(output: Output, pid: int, argv: Sequence[str]) -> None:
    stat = session.stat_of(pid)
    if output.record is None or stat is None:
        return
    record = {
        "pid": pid,
        "started": stat.started,
        "boot": session.boot(),
        "what": output.what,
        "argv": list(argv[:3]),
    }
    new = output.record.with_suffix(".new")
    new.write_text(json.dumps(record))
    new.replace(output.record)


def _forget(output: Output) -> None:
    if output.record is not None:
        output.record.unlink(missing_ok=True)


def _recall(record: Path) -> Leftover | None:
    """The record's program, unless it and all of its session have ended."""
    try:
        fields = json.loads(record.read_text())
        pid, started = int(fields["pid"]), int(fields["started"])
        leftover = Leftover(record, pid, fields["what"], tuple(fields["argv"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if fields.get("boot") != session.boot():
        return None
    leader = session.stat_of(pid)
    if leader is not None and leader.started != started:
        return None  # the number belongs to somebody else now
    return leftover if session.members(pid) else None
