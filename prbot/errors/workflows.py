"""What prbot says of workflows, steps and hooks as they are written."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class BadShellWords(PrbotError):
    """the quotes of this command do not pair"""

    hint = "Close them, or write `version: 3`, which leaves commands to the shell."


@dataclass(eq=False)
class UnknownWorkflow(PrbotError):
    """the workflow `{name}` is not defined anywhere"""

    name: str
    hint = "Define it below `workflows`, or correct its name."


@dataclass(eq=False)
class WorkflowNotAllowed(PrbotError):
    """the server does not allow this repository the workflow `{name}`"""

    name: str
    key: str
    hint = "The operator can write `{key}` for it below `per_repository`."


@dataclass(eq=False)
class BadFlags(PrbotError):
    """The flags cannot be read: {problem}."""

    problem: str
    hint = "Write them as in the command line: --flags '--gh-user=me --repo-allowlist=github.com/acme/*'."


@dataclass(eq=False)
class BadVariable(PrbotError):
    """a variable's name consists of letters, digits and `_`, and begins with no digit"""

    hint = "Rename it."


@dataclass(eq=False)
class EnvNeedsOne(PrbotError):
    """an `env` step needs exactly one of `value` and `command`"""

    hint = "Keep one of them."


@dataclass(eq=False)
class OneStepEach(PrbotError):
    """each step has exactly one key"""

    hint = "Write each step as an item of its own, such as `- init` or `- run: make`."


@dataclass(eq=False)
class UnknownStep(PrbotError):
    """this is no built-in step"""

    known: str
    hint = "Built in are {known}; a command of your own is `- run: COMMAND`."


@dataclass(eq=False)
class BadWorkflow(PrbotError):
    """The workflow `{name}` cannot be used: {problem}"""

    name: str
    problem: str
    remedy: str
    hint = "{remedy}"


@dataclass(eq=False)
class MisplacedStep(PrbotError):
    """The workflow's stage `{stage}` cannot have the step `{step}`."""

    step: str
    stage: str
    known: str
    hint = "It may have {known}."


@dataclass(eq=False)
class NothingApplies(PrbotError):
    """No step of the workflow's stage `apply` applies anything."""

    hint = (
        "Add `apply`, or a `run` step that applies `$PLANFILE`; leave `steps` out for prbot's own."
    )


@dataclass(eq=False)
class AppliesTwice(PrbotError):
    """The workflow's stage `apply` has the step `apply` more than once."""

    hint = "A saved plan can be applied once: leave one of them."


@dataclass(eq=False)
class ReservedVariable(PrbotError):
    """The workflow sets the variable `{name}`, which steps may not set."""

    name: str
    hint = (
        "It is prbot's own or steers the tool itself; arguments for the tool go into `extra_args`."
    )


@dataclass(eq=False)
class UnknownVariable(PrbotError):
    """The workflow's `extra_args` name the variable `{name}`, which is not set."""

    name: str
    hint = "Set it by an `env` step before, or correct its name."


@dataclass(eq=False)
class BadMultiEnv(PrbotError):
    """What the `multienv` command printed cannot be read: {problem}."""

    problem: str
    hint = 'Let it print `NAME=value,OTHER="a value"` and nothing else.'


@dataclass(eq=False)
class ShellMissing(PrbotError):
    """`shell_args` needs `shell` beside it"""

    hint = "Name the shell too, such as `shell: bash`."
