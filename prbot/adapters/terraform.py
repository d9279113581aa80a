"""Terraform as a port: init, plan, show, apply and looks at the state, each one process.

Meets `Tool`. What a run may see is `ToolRun.environment` plus the names set here, which
win: an own CLI configuration always, TF_DATA_DIR, HOME and TMPDIR inside the job's data
directory. Output lies in `data_dir/logs/VERB.out` and `.err`; that of `show`, which holds
secrets in clear, is removed once it is read.

Plans and everything beside them end with the worker; an apply does not (see `process`).
Each call may take `ToolRun.timeout` seconds. A shared plugin cache is not safe for
concurrent inits, so they wait for one another (as long again), over all processes of the
machine that are given the same cache: `turns`, by a lock file beside it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

from prbot.adapters import process, steps, terraform_state
from prbot.adapters.process import Completed, Output
from prbot.adapters.short_paths import short_directory
from prbot.adapters.tail import following
from prbot.adapters.terraform_output import (
    diagnostics,
    events,
    flaws_of,
    is_stale,
    messages,
    module_dirs,
    plain,
    state_is_lost,
    version_line,
    words_of,
)
from prbot.adapters.turns import Turn, Turns
from prbot.errors.applies import StateRescued
from prbot.errors.plans import ToolFailed, ToolTimedOut
from prbot.errors.tools import ToolMissing
from prbot.plans import snapshot
from prbot.plans.record import StateAt
from prbot.ports.tool import (
    ApplyOutcome,
    ApplyTrace,
    Heard,
    InitResult,
    ShellCommand,
    ShellEnd,
    ToolRun,
)
from prbot.runs.state_look import StateLock, StateLook

Found = TypeVar("Found")

STREAM_LIMIT = 64 * 1024 * 1024
"""Most bytes of output that are read back from anything but `show`."""
LOOK_SECONDS = 60.0
"""Longest time to find out who holds a state's lock."""
INIT = ("init", "-input=false", "-no-color")
LOCK_FILE = ".terraform.lock.hcl"
UNSAVED = "errored.tfstate"
"""Where an apply leaves a state that the backend did not take, in the working directory:
https://developer.hashicorp.com/terraform/cli/commands/state/push"""
STEERING = ("TF_CLI_*", "TF_WORKSPACE", "TF_DATA_DIR", "TF_LOG*", "TF_REATTACH_PROVIDERS")
"""Variables that would change what a command does or writes; never taken over."""


@dataclass(frozen=True)
class Terraform:
    """`command` are the words that start it (`terraform_setup.find_command`), `cli_config`
    the file with the CLI configuration, `scratch` a directory for calls without a job,
    `environment` what those calls see (PATH is enough), `grace` the seconds between the
    interrupt and the kill. `name` is the tool's: `tofu` is spoken to with the same words and
    variables (https://opentofu.org/docs/cli/config/environment-variables/)."""

    command: tuple[str, ...]
    cli_config: Path
    scratch: Path
    environment: Mapping[str, str]
    plugin_cache: Path | None = None
    grace: float = 30.0
    name: str = "terraform"
    _versions: list[str] = field(default_factory=list)
    _turns: Turns = field(default_factory=Turns)

    async def probe(self) -> str:
        return f"{await self.version()} ({self.command[0]})"

    async def version(self) -> str:
        if not self._versions:
            self._versions.append(await self._ask_version())
        return self._versions[0]

    async def _ask_version(self) -> str:
        with tempfile.TemporaryDirectory(dir=_made(self.scratch)) as directory:
            place = Path(directory)
            run = ToolRun(place, place / "data", "default", self.environment, timeout=60)
            answer = await self._call(run, "version", ["version", "-json"])
        return version_line(self.name, self._check("version", run, answer).stdout)

    async def init(self, run: ToolRun, arguments: Sequence[str] = ()) -> InitResult:
        await self._initialise(run, arguments)
        await self._select(run, "-or-create")
        return await self.initialised(run)

    async def initialised(self, run: ToolRun) -> InitResult:
        tf_data = _tf_data(run)
        return InitResult(
            module_dirs=module_dirs(run.root, tf_data),
            lock_file=_bytes_of(run.root / LOCK_FILE),
            state_is_lost=state_is_lost(run.root, tf_data, run.workspace),
        )

    async def _initialise(self, run: ToolRun, arguments: Sequence[str] = ()) -> None:
        async with self._turn(run):
            answer = await self._call(run, "init", [*INIT, *arguments])
        self._check("init", run, answer)

    async def _select(self, run: ToolRun, *options: str) -> None:
        chosen = _bytes_of(_tf_data(run) / "environment").decode() or "default"
        if chosen == run.workspace:
            return
        verb = "workspace select"
        words = ["workspace", "select", *options, "-no-color", "--", run.workspace]
        self._check(verb, run, await self._call(run, "workspace", words))

    async def plan(
        self,
        run: ToolRun,
        plan_file: Path,
        lock: bool = True,
        arguments: Sequence[str] = (),
    ) -> None:
        words = ["plan", "-json", "-input=false", "-detailed-exitcode", f"-out={plan_file}"]
        words += [] if lock else ["-lock=false"]
        words += arguments
        try:
            answer = await self._call(run, "plan", words)
            self._check("plan", run, answer, good=(0, 2))
        except BaseException:
            # A plan that failed or was cut short leaves a file that `apply` might take.
            _remove(plan_file)
            raise

    async def show(self, run: ToolRun, plan_file: Path) -> bytes:
        try:
            answer = await self._call(run, "show", ["show", "-json", str(plan_file)], limit=None)
        finally:
            _remove(_logs(run) / "show.out")
        return self._check("show", run, answer).stdout

    async def state_version(self, run: ToolRun) -> str | None:
        # Not `state pull`: what that prints was written by the version that runs.
        try:
            answer = await self._call(
                run, "show-state", ["show", "-json"], recorded=False, limit=None
            )
        finally:
            _remove(_logs(run) / "show-state.out")  # a state holds secrets in clear
        shown = self._check("show", run, answer).stdout
        return await asyncio.to_thread(terraform_state.written_by, shown)

    async def apply(
        self,
        run: ToolRun,
        plan_file: Path,
        heard: Heard | None = None,
        arguments: Sequence[str] = (),
    ) -> ApplyOutcome:
        async def listen(stream: bytes) -> None:
            if heard is not None:
                await heard(events(stream))

        words = ["apply", "-json", "-input=false", *arguments, str(plan_file)]
        async with following(_logs(run) / "apply.out", listen):
            answer = await self._call(run, "apply", words, tied=False)
        said = self._rescue(run) + words_of(answer)
        killed = answer.code < 0
        if answer.timed_out and not killed:
            raise ToolTimedOut("apply", round(run.timeout), said, self.name)
        lines = events(answer.stdout)
        return ApplyOutcome(
            ok=answer.code == 0,
            stale=answer.code != 0 and is_stale(lines),
            killed=killed,
            diagnostics=diagnostics(lines) if answer.code == 0 else said,
            events=lines,
        )

    async def import_object(
        self, run: ToolRun, address: str, object_id: str, arguments: Sequence[str] = ()
    ) -> str:
        words = ["import", "-input=false", "-no-color", *arguments, "--", address, object_id]
        return await self._change_state(run, "import", words)

    async def forget(
        self, run: ToolRun, addresses: Sequence[str], arguments: Sequence[str] = ()
    ) -> str:
        words = ["state", "rm", "-no-color", *arguments, "--", *addresses]
        return await self._change_state(run, "state rm", words)

    async def _change_state(self, run: ToolRun, verb: str, words: Sequence[str]) -> str:
        """Not tied to us: what was begun may end, and saves the state."""
        answer = await self._call(run, verb.replace(" ", "-"), words, tied=False)
        return plain(self._check(verb, run, answer).stdout)

    async def state_lock(self, run: ToolRun) -> StateLock | None:
        # Neither look is recorded: the job's record may be that of an apply that runs now.
        asking = replace(run, timeout=min(run.timeout, LOOK_SECONDS))
        words = [*terraform_state.ASKING, "--", terraform_state.NOBODY]
        answer = await self._call(asking, "state-lock", words, recorded=False)
        said = plain(answer.stdout + b"\n" + answer.stderr)
        lock = terraform_state.lock_of(said)
        if lock is None and not terraform_state.is_free(said):
            self._check("state rm -dry-run", asking, answer, good=())
        return lock

    async def look(self, run: ToolRun) -> StateLook:
        found = await self._pulled(run, terraform_state.recorded)
        return StateLook(found, await self.state_lock(run))

    async def snapshot(self, run: ToolRun) -> StateAt | None:
        return await self._pulled(run, snapshot.of_state)

    async def inventory(self, run: ToolRun) -> tuple[str, ...]:
        await self._initialise(run)
        if run.workspace != "default":
            listed = await self._call(run, "workspaces", ["workspace", "list"])
            known = self._check("workspace list", run, listed).stdout
            if run.workspace not in terraform_state.workspaces(known):
                return ()
        await self._select(run)
        return await self._pulled(run, terraform_state.managed)

    async def _pulled(self, run: ToolRun, read: Callable[[bytes], Found]) -> Found:
        verb, words = "state pull", ["state", "pull"]
        try:
            answer = await self._call(run, "state-pull", words, recorded=False, limit=None)
        finally:
            _remove(_logs(run) / "state-pull.out")  # a state holds secrets in clear
        try:
            return read(self._check(verb, run, answer).stdout)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            told = f"the state cannot be read: {error!r}"
            raise ToolFailed(verb, 0, told, self.name) from None

    async def force_unlock(self, run: ToolRun, lock_id: str) -> None:
        words = ["force-unlock", "-no-color", "-force", "--", lock_id]
        self._check("force-unlock", run, await self._call(run, "force-unlock", words))

    async def shell(self, run: ToolRun, command: ShellCommand) -> ShellEnd:
        logs = _made(_logs(run))
        output = Output(
            stdout=logs / f"{command.name}.out",
            stderr=None if command.together else logs / f"{command.name}.err",
            record=run.data_dir / process.RECORD,
            what="apply" if command.outlives else command.name,
        )
        with short_directory(_made(run.data_dir / "tmp")) as temporary:
            answer = await process.run(
                steps.words(command),
                cwd=run.root,
                env=steps.with_tool(self._environment(run, temporary), self.command),
                timeout=run.timeout,
                output=output,
                grace=self.grace,
                tied=not command.outlives,
                limit=steps.LIMIT,
                group=True,
            )
        return steps.end_of(answer, command)

    async def said(self, data_dir: Path) -> str:
        logs = data_dir / "logs"
        init = plain(await asyncio.to_thread(_bytes_of, logs / "init.out"))
        plan = events(await asyncio.to_thread(_bytes_of, logs / "plan.out"))
        return "\n\n".join(filter(None, (init, messages(plan), diagnostics(plan))))

    async def trace(self, data_dir: Path) -> ApplyTrace:
        running = bool(process.leftovers(data_dir))
        said = await asyncio.to_thread(_bytes_of, data_dir / "logs" / "apply.out")
        return ApplyTrace(running, events(said))

    def _rescue(self, run: ToolRun) -> str:
        """Keep the state that a backend did not take, or it would go with the worktree."""
        unsaved = run.root / UNSAVED
        if not unsaved.is_file():
            return ""
        kept = _made(self.scratch.parent / "rescued") / f"{run.data_dir.name}.tfstate"
        kept.touch(mode=0o600)
        kept.write_bytes(unsaved.read_bytes())
        _remove(unsaved)
        told = StateRescued(str(kept))
        return f"{told} {told.next_step}\n\n"

    # --- one process ------------------------------------------------------------------------

    def _check(
        self, verb: str, run: ToolRun, answer: Completed, good: tuple[int, ...] = (0,)
    ) -> Completed:
        if answer.timed_out:
            raise ToolTimedOut(verb, round(run.timeout), words_of(answer), self.name)
        if answer.code not in good:
            raise ToolFailed(verb, answer.code, words_of(answer), self.name, flaws_of(answer))
        return answer

    def _turn(self, run: ToolRun) -> AbstractAsyncContextManager[Turn | None]:
        if self.plugin_cache is None:
            return nullcontext()
        beside = self.plugin_cache.with_name(f"{self.plugin_cache.name}.lock")
        return self._turns.of(beside, run.timeout)

    async def _call(
        self,
        run: ToolRun,
        name: str,
        words: Sequence[str],
        tied: bool = True,
        recorded: bool = True,
        limit: int | None = STREAM_LIMIT,
    ) -> Completed:
        logs = _made(_logs(run))
        output = Output(
            stdout=logs / f"{name}.out",
            stderr=logs / f"{name}.err",
            record=run.data_dir / process.RECORD if recorded else None,
            what=name,
        )
        with short_directory(_made(run.data_dir / "tmp")) as temporary:
            try:
                return await process.run(
                    (*self.command, *words),
                    cwd=run.root,
                    env=self._environment(run, temporary),
                    timeout=run.timeout,
                    output=output,
                    grace=self.grace,
                    tied=tied,
                    limit=limit,
                )
            except FileNotFoundError as error:
                raise ToolMissing(str(error)) from error

    def _environment(self, run: ToolRun, temporary: Path) -> dict[str, str]:
        kept = {name: value for name, value in run.environment.items() if not _steers(name)}
        kept |= {
            "TF_DATA_DIR": str(_tf_data(run)),
            "TF_CLI_CONFIG_FILE": str(self.cli_config),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "HOME": str(_made(run.data_dir / "home")),
            "TMPDIR": str(temporary),
        }
        if self.plugin_cache is not None:
            kept["TF_PLUGIN_CACHE_DIR"] = str(_made(self.plugin_cache))
        return kept


def _steers(name: str) -> bool:
    return any(fnmatchcase(name, glob) for glob in STEERING)


def _tf_data(run: ToolRun) -> Path:
    return run.data_dir / "terraform"


def _logs(run: ToolRun) -> Path:
    return run.data_dir / "logs"


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
