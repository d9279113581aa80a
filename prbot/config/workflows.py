"""Custom workflows: what is run instead of init, plan and apply, and by whom it may be said.

The same models stand behind `workflows:` in `prbot.yaml`, in the operator's file and in
Atlantis's files. What a workflow runs is code with the tool's credentials, so a repository
may only choose among the operator's, unless the operator lets it write its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from prbot.config.check import Section
from prbot.config.patterns import check_filter
from prbot.errors.workflows import BadVariable, EnvNeedsOne, OneStepEach, ShellMissing, UnknownStep

Expression = Annotated[str, AfterValidator(check_filter)]
Words = tuple[str, ...]


class Output(StrEnum):
    """What of a step's output stands in the comment; STRIP_REFRESHING: what follows the
    last line with "Refreshing…"."""

    SHOW = "show"
    HIDE = "hide"
    STRIP_REFRESHING = "strip_refreshing"


def _listed(value: object) -> object:
    return [value] if isinstance(value, str | Mapping) else value


def _one_or_list(schema: dict[str, Any]) -> None:
    """The JSON Schema of a list that may also be its one item."""
    described = {key: schema[key] for key in ("default", "description")}
    long = {"type": "array", "items": schema["items"]}
    schema.clear()
    schema |= {"anyOf": [long["items"], long], **described}


def _split(value: object) -> object:
    return value.split() if isinstance(value, str) else value


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(BadVariable())
    return name


def _published_option(schema: dict[str, Any]) -> None:
    """The JSON Schema knows the mode as a word of its own, and mappings for filters only."""
    mode = schema["properties"].pop("mode")
    long = {**schema, "required": ["filter_regex"]}
    schema.clear()
    schema |= {"anyOf": [{"enum": [each.value for each in Output]}, long]}
    schema["description"] = mode["description"]


class OutputOption(Section):
    """A word (`show`, `hide`, `strip_refreshing`), or `filter_regex: …`."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_published_option)

    mode: Output | None = Field(default=None, description="`show`, `hide`, `strip_refreshing`.")
    filter_regex: Expression | None = Field(
        default=None, description="a regular expression; what it matches is shown as <redacted>."
    )

    @model_validator(mode="before")
    @classmethod
    def _long_form(cls, value: object) -> object:
        return {"mode": value} if isinstance(value, str) else value


class Shell(Section):
    """What a command is handed to."""

    shell: str | None = Field(
        default=None, min_length=1, description="the shell that runs the command; `sh` if left out."
    )
    shell_args: Annotated[Words, BeforeValidator(_split)] = Field(
        default=(),
        description="the shell's arguments; `-c` if left out.",
        json_schema_extra=_one_or_list,
    )

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.shell_args and self.shell is None:
            raise ValueError(ShellMissing())
        return self

    @property
    def argv(self) -> Words:
        """What the command is appended to."""
        return (self.shell or "sh", *(self.shell_args or ("-c",)))


class RunStep(Shell):
    command: str = Field(min_length=1, description="the command, for the shell.")
    output: Annotated[tuple[OutputOption, ...], BeforeValidator(_listed)] = Field(
        default=(),
        json_schema_extra=_one_or_list,
        description="`show` (if left out), `hide`, `strip_refreshing`, `{filter_regex: …}`, or a"
        " list of these.",
    )


class EnvStep(Shell):
    name: Annotated[str, AfterValidator(_name)] = Field(description="the variable's name.")
    value: str | None = Field(default=None, description="its value, or else `command`.")
    command: str | None = Field(default=None, description="a command that prints its value.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.value is None) == (self.command is None):
            raise ValueError(EnvNeedsOne())
        return self


class MultiEnvStep(Shell):
    command: str = Field(min_length=1, description="a command that prints variables, as `A=1,B=2`.")
    output: Literal["show", "hide"] = Field(default="show", description="`show` or `hide`.")


class ToolStep(Section):
    extra_args: Words = Field(default=(), description="further arguments for the tool.")


BUILT_IN = ("init", "plan", "show", "policy", "apply", "import", "state_rm")
"""Steps that prbot carries out itself."""


def _published(schema: dict[str, Any]) -> None:
    """The JSON Schema also knows the short forms: a word, and a command as text."""
    for name in ("run", "multienv"):
        schema["properties"][name] = {"anyOf": [{"type": "string"}, schema["properties"][name]]}
    long = {**schema, "minProperties": 1, "maxProperties": 1}
    schema.clear()
    schema |= {"anyOf": [{"enum": list(BUILT_IN)}, long]}


class StepConfig(Section):
    """One step: exactly one of its keys. `init` alone is short for `init: {}`, and
    `run: TEXT` for `run: {command: TEXT}`."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_published)

    run: RunStep | None = Field(default=None, description="runs a command.")
    env: EnvStep | None = Field(default=None, description="sets a variable for later steps.")
    multienv: MultiEnvStep | None = Field(default=None, description="sets several variables.")
    init: ToolStep | None = Field(default=None, description="the tool's init.")
    plan: ToolStep | None = Field(default=None, description="the tool's plan.")
    show: ToolStep | None = Field(default=None, description="the plan as JSON.")
    policy: ToolStep | None = Field(default=None, description="the policies.")
    apply: ToolStep | None = Field(default=None, description="the tool's apply.")
    import_: ToolStep | None = Field(default=None, alias="import", description="the import.")
    state_rm: ToolStep | None = Field(default=None, description="the tool's state rm.")

    @model_validator(mode="before")
    @classmethod
    def _long_form(cls, value: object) -> object:
        if isinstance(value, str):
            if value not in BUILT_IN:
                raise ValueError(UnknownStep(", ".join(BUILT_IN)))
            return {value: {}}
        if not isinstance(value, Mapping) or len(value) != 1:
            raise ValueError(OneStepEach())
        ((key, inner),) = value.items()
        if isinstance(inner, str) and key in ("run", "multienv"):
            return {key: {"command": inner}}
        return {key: {} if inner is None and key in BUILT_IN else inner}

    @property
    def kind(self) -> str:
        """The key that was written: `run`, `env`, …, `import`."""
        (name,) = self.model_fields_set
        return name.rstrip("_")

    @property
    def step(self) -> RunStep | EnvStep | MultiEnvStep | ToolStep:
        (name,) = self.model_fields_set
        found: RunStep | EnvStep | MultiEnvStep | ToolStep = getattr(self, name)
        return found


class Stage(Section):
    steps: tuple[StepConfig, ...] | None = Field(
        default=None, description="the steps in order; an empty list runs nothing."
    )


class Workflow(Section):
    """A stage that is left out, or has no `steps`, is prbot's own."""

    plan: Stage = Field(default=Stage(), description="how a project is planned.")
    policy: Stage = Field(default=Stage(), description="how policies are checked.")
    apply: Stage = Field(default=Stage(), description="how a plan is applied.")
    import_: Stage = Field(
        default=Stage(), alias="import", description="how something is imported."
    )
    state_rm: Stage = Field(default=Stage(), description="how something is removed from the state.")


Hooked = Literal["plan", "apply", "import", "state_rm"]
HOOKED: tuple[Hooked, ...] = get_args(Hooked)
"""The commands around which hooks run."""


class Hook(Shell):
    """A command before or after a run, once for the whole repository."""

    run: str = Field(min_length=1, description="the command, for the shell.")
    description: str | None = Field(default=None, description="what people read of it.")
    commands: tuple[Hooked, ...] = Field(
        default=HOOKED, min_length=1, description="for which commands; left out: for all of them."
    )


Workflows = Annotated[
    Mapping[str, Workflow],
    Field(description="custom workflows by name: plan, policy, apply, import, state_rm."),
]
