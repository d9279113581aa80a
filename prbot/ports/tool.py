"""What prbot asks of Terraform and OpenTofu."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from prbot.plans.record import StateAt
from prbot.projects.tool_choice import Wanted
from prbot.runs.journal import JournalEntry as JournalEntry
from prbot.runs.state_look import StateLock, StateLook


@dataclass(frozen=True)
class ToolRun:
    """One job's surroundings: where the root module is, and where the tool may write.

    `root` is the project's directory inside the worktree, `data_dir` belongs to this
    job alone (it becomes TF_DATA_DIR, HOME and TMPDIR, and takes the tool's output).
    `environment` is complete: nothing else reaches the tool.
    """

    root: Path
    data_dir: Path
    workspace: str
    environment: Mapping[str, str]
    timeout: float

    def with_variables(self, variables: Mapping[str, str]) -> ToolRun:
        """The same with these beside, or instead of, its own."""
        return replace(self, environment={**self.environment, **variables})


@dataclass(frozen=True)
class InitResult:
    """What init left behind.

    `module_dirs` are the directories of all called modules, absolute. `lock_file` are
    the lock file's bytes (empty when there is none). `state_is_lost`: the state would
    be written inside the worktree.
    """

    module_dirs: tuple[Path, ...]
    lock_file: bytes
    state_is_lost: bool


@dataclass(frozen=True)
class ApplyOutcome:
    """`stale`: the tool refused the plan file before it changed anything, because the
    state has moved. `killed`: a signal ended the tool, so nobody knows what it did and
    did not record. `events` are the lines of `apply -json`, not yet redacted."""

    ok: bool
    stale: bool
    killed: bool
    diagnostics: str
    events: tuple[str, ...]


@dataclass(frozen=True)
class ApplyTrace:
    """`running`: something of the tool still runs. `events` as in `ApplyOutcome`; empty
    also when the directory is gone."""

    running: bool
    events: tuple[str, ...]


@dataclass(frozen=True)
class ShellCommand:
    """A workflow's command. `argv` are the shell's words with the command behind them, `name`
    is of the files that take its output. `together`: what it says on stderr stands between the
    lines of stdout. `outlives`: it may change infrastructure, so it does not end with the
    worker, as an apply does not."""

    name: str
    argv: tuple[str, ...]
    together: bool = True
    outlives: bool = False


@dataclass(frozen=True)
class ShellEnd:
    """`code` is the exit code, or minus the signal that ended it. `printed` is stdout as it
    was, `said` what people may read once it is redacted; of both the end, if they are long."""

    code: int
    printed: str
    said: str
    timed_out: bool = False


Heard = Callable[[tuple[str, ...]], Awaitable[None]]
"""Gets new lines of a tool's JSON stream, whole ones, not yet redacted."""


class Tool(Protocol):
    """Terraform or OpenTofu, in one version. Raises ToolMissing, ToolFailed, ToolTimedOut."""

    async def probe(self) -> str: ...

    async def version(self) -> str:
        """For example `terraform 1.11.4`; asked once per process."""
        ...

    async def init(self, run: ToolRun, arguments: Sequence[str] = ()) -> InitResult:
        """Initialise, and select the workspace when it is not `default`."""
        ...

    async def initialised(self, run: ToolRun) -> InitResult:
        """What there is of an init, whoever did it; starts nothing."""
        ...

    async def shell(self, run: ToolRun, command: ShellCommand) -> ShellEnd:
        """Run a workflow's command where the tool runs, with all that the tool is given, and
        with the tool on its PATH."""
        ...

    async def plan(
        self,
        run: ToolRun,
        plan_file: Path,
        lock: bool = True,
        arguments: Sequence[str] = (),
    ) -> None:
        """Write the plan file. An errored plan raises ToolFailed and leaves none."""
        ...

    async def show(self, run: ToolRun, plan_file: Path) -> bytes:
        """The plan file's JSON."""
        ...

    async def state_version(self, run: ToolRun) -> str | None:
        """After `init`: the version that wrote the state, None while there is none. May be
        called while `show` goes on."""
        ...

    async def apply(
        self,
        run: ToolRun,
        plan_file: Path,
        heard: Heard | None = None,
        arguments: Sequence[str] = (),
    ) -> ApplyOutcome:
        """Apply exactly this plan file, once. ToolTimedOut after a clean interrupt.

        `heard` gets the lines of `apply -json` while they come, in order. It may raise:
        then it gets the same lines again with the next ones, and the apply goes on.
        """
        ...

    async def import_object(
        self, run: ToolRun, address: str, object_id: str, arguments: Sequence[str] = ()
    ) -> str:
        """After `init`: record an object that exists, under this address. What was said."""
        ...

    async def forget(
        self, run: ToolRun, addresses: Sequence[str], arguments: Sequence[str] = ()
    ) -> str:
        """After `init`: take these out of the state. What was said."""
        ...

    async def state_lock(self, run: ToolRun) -> StateLock | None:
        """Who holds the state's lock, after `init`; None when nobody does.

        Asks for the lock and gives it back at once. May be called while an apply of the
        same `run` goes on. Changes nothing.
        """
        ...

    async def look(self, run: ToolRun) -> StateLook:
        """After `init`: what is recorded in the state, and who holds its lock."""
        ...

    async def snapshot(self, run: ToolRun) -> StateAt | None:
        """After `init`: the newest snapshot of the state; None where it does not tell which."""
        ...

    async def inventory(self, run: ToolRun) -> tuple[str, ...]:
        """The addresses of all objects that the state manages, deposed ones among them.

        Initialises by itself, and writes nothing: a workspace that there is not is empty.
        """
        ...

    async def force_unlock(self, run: ToolRun, lock_id: str) -> None:
        """After `init`: break the state's lock. Not every backend compares the id: look
        who holds the lock before."""
        ...

    async def said(self, data_dir: Path) -> str:
        """What init and plan told people there, in this order: not fit to be shown yet."""
        ...

    async def trace(self, data_dir: Path) -> ApplyTrace:
        """What an apply of this machine left in its job's data directory."""
        ...


class Tools(Protocol):
    """The tools that this machine has, or can get."""

    async def probe(self) -> str:
        """One line: what is installed."""
        ...

    async def of(self, wanted: Wanted) -> Tool:
        """The tool in a version that is wanted, downloaded when it is not there.

        Raises ToolNotOffered, ToolVersionMissing, ToolVersionRefused, DownloadFailed,
        DownloadRefused, KeyNotReadable, HeldElsewhere, and what `Tool.version` raises.
        """
        ...
