"""prbot as a process of its own, begun in one that has loaded it: to load it takes a few seconds
of a processor, and stories start it more than a hundred times.

From the command line on it is the program as it is; how it starts is tried where `python -m prbot`
or the installed command is run.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path

from prbot.cli import main

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["prbot.cli", "prbot.app.serve", "prbot.app.local"])


@dataclass
class Forked:
    """As far as stories need it, what `asyncio.subprocess.Process` is."""

    process: multiprocessing.process.BaseProcess
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader
    pipes: tuple[asyncio.ReadTransport, ...]

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    async def wait(self) -> int:
        await self._ended
        for pipe in self.pipes:
            pipe.close()
        self.process.join()
        assert self.process.exitcode is not None
        return self.process.exitcode

    async def communicate(self) -> tuple[bytes, bytes]:
        out, err = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await self.wait()
        return out, err

    @cached_property
    def _ended(self) -> asyncio.Future[None]:
        loop, sentinel = asyncio.get_running_loop(), self.process.sentinel
        ended: asyncio.Future[None] = loop.create_future()

        def told() -> None:
            loop.remove_reader(sentinel)
            ended.set_result(None)

        loop.add_reader(sentinel, told)
        return ended


async def forked(
    words: Sequence[str], environ: Mapping[str, str], cwd: Path | None = None
) -> Forked:
    """`prbot WORDS` in a directory, with this environment and no other."""
    (out, says), (err, warns) = FORKS.Pipe(duplex=False), FORKS.Pipe(duplex=False)
    told = (list(words), dict(environ), cwd or Path.cwd(), says, warns)
    process = FORKS.Process(target=_prbot, args=told)
    await asyncio.to_thread(process.start)
    says.close()
    warns.close()
    (stdout, out_pipe), (stderr, err_pipe) = await _reader(out), await _reader(err)
    return Forked(process, stdout, stderr, (out_pipe, err_pipe))


async def _reader(end: Connection) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    reader = asyncio.StreamReader(limit=1 << 20)
    pipe = os.fdopen(os.dup(end.fileno()), "rb", buffering=0)
    end.close()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
    return reader, transport


def _prbot(
    words: list[str], environ: dict[str, str], cwd: Path, says: Connection, warns: Connection
) -> None:
    for end, number in ((says, 1), (warns, 2)):
        os.dup2(end.fileno(), number)
        end.close()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["prbot", *words]
    main()
