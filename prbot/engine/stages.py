"""Carries out the steps of one stage of a project's workflow, in their order.

Built-in steps go to the tool; commands go to a shell, in a session of their own, with the
variables of the job and what `env` steps set before them. What people may read of each step
is redacted before anybody else gets it.

Not promised: that a command does only what its name says. It runs with the tool's
credentials, so who may write one is the operator's choice (`config/per_repository.py`).
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prbot.config.stages import StageName
from prbot.config.workflows import (
    EnvStep,
    MultiEnvStep,
    RunStep,
    Shell,
    StepConfig,
    ToolStep,
)
from prbot.errors.plans import StepFailed, StepKilled, StepTimedOut
from prbot.plans.summary import StepOutput
from prbot.ports.tool import ApplyOutcome, ShellCommand, ShellEnd, Tool, ToolRun
from prbot.runs import multienv
from prbot.runs.step_output import label_of, processed
from prbot.runs.variables import expanded, usable
from prbot.telemetry import Redactor, credentials_of

KEPT = 32_000
"""Most characters of a step's output that people get to read: its end."""

Applying = Callable[[ToolRun, Sequence[str]], Awaitable[ApplyOutcome]]
"""Applies the reviewed plan file with these further arguments, and nothing else."""
Changing = Callable[[ToolRun, Sequence[str]], Awaitable[None]]
"""Changes the state alone, as it was asked for, with these further arguments."""
Begin = Callable[[], Awaitable[None]]
"""Called before the first step that may change infrastructure; raises when it must not."""


@dataclass
class Stage:
    """One stage being carried out. `run` grows by what `env` steps set; `given` are the job's
    own variables. `arguments` are for the tool's plan, before those of the step, `closing` behind.

    `said` is what people may read, step by step. `outcome` is how the built-in `apply` ended.
    """

    name: StageName
    tool: Tool
    redactor: Redactor
    run: ToolRun
    given: Mapping[str, str]
    plan_file: Path
    shown_file: Path
    arguments: Sequence[str] = ()
    closing: Sequence[str] = ()
    lock: bool = True
    apply: Applying | None = None
    change: Changing | None = None
    begin: Begin | None = None
    outcome: ApplyOutcome | None = None
    said: list[StepOutput] = field(default_factory=list)

    async def perform(self, steps: Sequence[StepConfig]) -> None:
        """Raises StepFailed, StepTimedOut, what a step's value is refused for, and what the
        tool raises. Nothing follows an `apply` that did not end well."""
        for number, config in enumerate(steps, start=1):
            await self._before(config)
            match config.step:
                case RunStep() as step:
                    await self._command(number, config, step)
                case EnvStep() as step:
                    await self._set(number, config, step)
                case MultiEnvStep() as step:
                    await self._set_several(number, config, step)
                case ToolStep() as step:
                    await self._built_in(config.kind, self._words(step))
            if self.outcome is not None and not self.outcome.ok:
                return

    async def _before(self, config: StepConfig) -> None:
        if self.begin is not None and config.kind in ("run", "apply"):
            begin, self.begin = self.begin, None
            await begin()

    def _words(self, step: ToolStep) -> tuple[str, ...]:
        return tuple(expanded(word, self.run.environment) for word in step.extra_args)

    # --- built in ----------------------------------------------------------------------------

    async def _built_in(self, kind: str, words: tuple[str, ...]) -> None:
        if kind == "init":
            await self.tool.init(self.run, words)
        elif kind == "plan":
            arguments = (*self.arguments, *words, *self.closing)
            await self.tool.plan(self.run, self.plan_file, self.lock, arguments)
        elif kind == "show":
            shown = await self.tool.show(self.run, self.plan_file)
            self.shown_file.touch(mode=0o600)
            self.shown_file.write_bytes(shown)
        elif kind == "apply" and self.apply is not None:
            self.outcome = await self.apply(self.run, words)
        elif kind in ("import", "state_rm") and self.change is not None:
            await self.change(self.run, words)

    # --- commands ----------------------------------------------------------------------------

    async def _command(self, number: int, config: StepConfig, step: RunStep) -> None:
        end = await self._shell(number, step, step.command)
        failed = end.code != 0
        cut = readable(self.redactor, end.said)
        text = await asyncio.to_thread(processed, cut, step.output, failed=failed)
        self._check(number, config, end, text)
        if text:
            self.said.append(StepOutput(self._label(config), text))

    async def _set(self, number: int, config: StepConfig, step: EnvStep) -> None:
        value = step.value
        if value is None:
            end = await self._shell(number, step, step.command or "", together=False)
            self._check(number, config, end, readable(self.redactor, end.said))
            value = end.printed.removesuffix("\n")
        self._take({step.name: value})

    async def _set_several(self, number: int, config: StepConfig, step: MultiEnvStep) -> None:
        end = await self._shell(number, step, step.command, together=False)
        self._check(number, config, end, readable(self.redactor, end.said))
        found = multienv.variables(end.printed)
        self._take(found)
        if found and step.output != "hide":
            self.said.append(StepOutput(self._label(config), "Set: " + ", ".join(found)))

    def _take(self, found: Mapping[str, str]) -> None:
        """For the steps that follow. What a name calls secret is known as such from now on."""
        kept = {name: usable(name, value, self.given) for name, value in found.items()}
        self.redactor.hide(credentials_of(kept))
        self.run = self.run.with_variables(kept)

    async def _shell(
        self, number: int, step: Shell, command: str, together: bool = True
    ) -> ShellEnd:
        name = f"{self.name}-{number}"
        argv = (*step.argv, command)
        outlives = self.name != "plan" and isinstance(step, RunStep)
        return await self.tool.shell(self.run, ShellCommand(name, argv, together, outlives))

    def _check(self, number: int, config: StepConfig, end: ShellEnd, text: str) -> None:
        label = self._label(config)
        if end.timed_out:
            seconds, killed = round(self.run.timeout), end.code == -signal.SIGKILL
            raise StepTimedOut(self.name, number, label, seconds, text, killed)
        if end.code < 0:
            raise StepKilled(self.name, number, label, -end.code, text)
        if end.code != 0:
            raise StepFailed(self.name, number, label, end.code, text)

    def _label(self, config: StepConfig) -> str:
        return self.redactor.redact(label_of(config))


def readable(redactor: Redactor, text: str) -> str:
    """Redacted whole and cut after that, between lines, so that no half of a secret is left
    over, be it one of which nobody knows yet."""
    text = redactor.redact(text)
    return text if len(text) <= KEPT else text[-KEPT:].partition("\n")[2]
