"""`drift:` of `prbot.yaml`: what is to become of values that somebody changed by hand.

Rules are read from the default branch, and the first that matches an attribute decides.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from prbot.config.addresses import check_receiver
from prbot.config.check import Section
from prbot.config.environments import ApplyWindow
from prbot.config.globs import MAX_ASTERISKS
from prbot.config.references import Reference, is_reference
from prbot.config.windows import Window, window_of
from prbot.errors.configuration import BadAttribute, BadPattern, ProposalAlone, ReasonMissing


class Reaction(StrEnum):
    """What is done about drift, weakest first."""

    IGNORE = "ignore"
    ALERT = "alert"
    OPEN_PR = "open_pr"
    AUTO = "auto"


class Proposal(StrEnum):
    """What a pull request that prbot opens would do: put the code's value back, or write the
    live one into the code."""

    REVERT = "revert"
    ADOPT = "adopt"


class GroupBy(StrEnum):
    """What one issue tells of."""

    PROJECT = "project"
    ENVIRONMENT = "environment"
    REPOSITORY = "repository"


def check_wildcards(pattern: str) -> str:
    """Of a name or an address: `*` is anything, `?` one character, nothing else is special."""
    if not pattern.strip() or pattern != pattern.strip():
        raise ValueError(BadPattern("it is empty, or begins or ends with a blank"))
    if len(pattern) > 500 or pattern.count("*") > MAX_ASTERISKS:
        raise ValueError(BadPattern(f"it is too long, or has more than {MAX_ASTERISKS} asterisks"))
    return pattern


def _check_attribute(pattern: str) -> str:
    if any(sign in pattern for sign in '.["'):
        raise ValueError(BadAttribute())
    return check_wildcards(pattern)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Wildcards = Annotated[
    tuple[Annotated[str, AfterValidator(check_wildcards)], ...],
    BeforeValidator(_listed, json_schema_input_type=list[str] | str),
]
Attributes = Annotated[
    tuple[Annotated[str, AfterValidator(_check_attribute)], ...],
    BeforeValidator(_listed, json_schema_input_type=list[str] | str),
]


class DriftRule(Section):
    """What is left out matches everything; of several patterns one must match."""

    type: Wildcards | None = Field(
        default=None, min_length=1, description="resource types, such as `aws_*`; one or many."
    )
    address: Wildcards | None = Field(
        default=None,
        min_length=1,
        description="addresses, such as `module.net` (all of it) or `aws_sqs_queue.*`.",
    )
    attribute: Attributes | None = Field(
        default=None,
        min_length=1,
        description="names of attributes, such as `tags_all`; left out: also what is gone.",
    )
    environment: Wildcards | None = Field(
        default=None, min_length=1, description="environments by name; one or many."
    )
    action: Reaction = Field(
        description="`ignore` (with a `reason`), `alert`, `open_pr`, or `auto`."
    )
    proposal: Proposal | None = Field(
        default=None,
        description="what a pull request does: `revert` (the default) or `adopt`; with `open_pr`.",
    )
    reason: str | None = Field(
        default=None, max_length=500, description="why; `ignore` must have one."
    )
    until: date | None = Field(
        default=None, description="the last day it holds, such as 2026-06-30, in UTC."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.action is Reaction.IGNORE and not (self.reason or "").strip():
            raise ValueError(ReasonMissing())
        if self.proposal is not None and self.action is not Reaction.OPEN_PR:
            raise ValueError(ProposalAlone())
        return self


class DriftSettings(Section):
    window: ApplyWindow = Field(
        default="01:00-05:00",
        description="when each project is looked at, once a night: `01:00-05:00 Europe/Berlin`.",
    )
    rules: tuple[DriftRule, ...] = Field(
        default=(), description="what to do about which drift; the first that matches decides."
    )
    default: Reaction = Field(
        default=Reaction.ALERT,
        description="what to do where no rule matches: `alert`, `open_pr`, …",
    )
    issues: bool = Field(
        default=False,
        description="whether issues are opened although the baseline is not complete.",
    )
    baseline: bool = Field(
        default=True, description="whether the first complete sweep is one report, without issues."
    )
    group_by: GroupBy = Field(
        default=GroupBy.PROJECT,
        description="an issue for each `project`, `environment`, `repository`.",
    )
    issues_repo: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/\.?[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$",
        description="where issues are opened, owner/name; left out: in the repository itself.",
    )
    max_issues: int = Field(
        default=20, ge=1, le=1000, description="more than these become lines of one overflow index."
    )

    @property
    def night(self) -> Window:
        return window_of(self.window)


def _receiver(address: str) -> str:
    return address if is_reference(address) else check_receiver(address)


class DriftWebhook(Section):
    """Where other programs hear of drift."""

    url: Annotated[str, AfterValidator(_receiver)] = Field(
        description="the address, `https://…`, or where it is: `env://NAME`, `file:///path`."
    )
    secret: Reference = Field(
        description="where the secret is that signs: `env://NAME` or `file:///path`."
    )
    timeout: float = Field(
        default=10, ge=1, le=60, description="seconds without an answer before it is given up."
    )


class DriftBounds(Section):
    """`drift:` of the operator's file."""

    enabled: bool = Field(
        default=False, description="whether default branches are planned every night."
    )
    parallel: int = Field(
        default=2, ge=1, le=256, description="projects looked at at once, by all processes."
    )
    per_environment: int | None = Field(
        default=None,
        ge=1,
        description="of one repository's environment, and so of one account; any number.",
    )
    webhook: DriftWebhook | None = Field(
        default=None, description="who is told of drift by a signed webhook: `url`, `secret`."
    )
    overdue_after: float = Field(
        default=172_800,
        ge=3600,
        le=31_536_000,
        description="seconds without a successful check after which a project is overdue.",
    )
