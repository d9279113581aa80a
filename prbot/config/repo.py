"""`prbot.yaml`: what a repository's default branch says about itself, within bounds.

This version honours a part of the file (`docs/configuration.md`). A key that belongs to
prbot but is not honoured yet is an error rather than a warning: it may be the one that
was to keep production safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from prbot.config.check import Later, Section, check
from prbot.config.declared import (
    Constraint,
    Discovery,
    ProjectEntry,
    Tool,
    check_entries,
    rules_of,
)
from prbot.config.document import Document, parse
from prbot.config.drift import DriftSettings
from prbot.config.environments import (
    EVERYWHERE_ALIKE,
    NOBODY,
    EnvironmentEntry,
    Environments,
    Minimum,
    Override,
    OverrideEntry,
    Wishes,
    environments_of,
)
from prbot.config.per_repository import bounds_for
from prbot.config.project_rules import ProjectRules
from prbot.config.server import ApplyOnMerge, Mode, ServerConfig
from prbot.config.workflows import Workflows

FILE_NAME = "prbot.yaml"

LATER: Later = {
    (): frozenset(
        {"secrets", "policies", "hooks", "show_values"}
        | {"parallel_plan", "parallel_apply", "mode"}
    ),
    ("defaults",): frozenset(
        {"locks", "show_values", "workflow", "var_files"} | {"sandbox", "plan_requirements"}
    ),
    ("limits",): frozenset({"parallel_jobs", "job_timeout"}),
}


EnvironmentName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class Defaults(Wishes):
    apply_on_merge: ApplyOnMerge = Field(
        default=ApplyOnMerge.IF_UNCHANGED,
        description="`if-unchanged` (the default), `never`, or `always` if the server allows it.",
    )
    tool: Tool = Field(default=Tool.TERRAFORM, description="`terraform` (the default) or `tofu`.")
    version: Constraint | None = Field(
        default=None, description="the tool's version or constraint, such as `>=1.9`."
    )


class Limits(Section):
    projects_per_run: int = Field(
        default=100, ge=1, le=100_000, description="more are listed, and wait for `plan --all`."
    )


class MergeMethod(StrEnum):
    """How a pull request is merged, in the forge's words."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


class Automerge(Section):
    method: MergeMethod = Field(
        default=MergeMethod.MERGE, description="`merge` (the default), `squash` or `rebase`."
    )
    delete_branch: bool = Field(default=False, description="whether its branch is deleted then.")


def _switch(value: object) -> object:
    """`true` is all by default; `false` is as if nothing were said."""
    return ({} if value else None) if isinstance(value, bool) else value


def _or_a_switch(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"type": "boolean"}, *schema["anyOf"]]


class RepoConfig(Section):
    version: Literal[1] = Field(description="the file format's version; write `version: 1`.")
    defaults: Defaults = Field(default=Defaults(), description="what holds for every project.")
    environments: Mapping[EnvironmentName, EnvironmentEntry] = Field(
        default={}, description="environments by name: `match`, and what holds there."
    )
    plan_drafts: bool = Field(default=False, description="whether drafts are planned.")
    discovery: Discovery = Field(default=Discovery(), description="which directories are projects.")
    projects: tuple[ProjectEntry, ...] = Field(
        default=(), description="projects by hand: dir, name, workspace, depends_on, …"
    )
    workflows: Workflows = Field(
        default={}, description="custom workflows by name, if the server allows a repository's own."
    )
    limits: Limits = Field(default=Limits(), description="how much one run may do.")
    automerge: Annotated[Automerge | None, BeforeValidator(_switch)] = Field(
        default=None,
        description="`true`, or `{method, delete_branch}`: merge once everything is applied.",
        json_schema_extra=_or_a_switch,
    )
    drift: DriftSettings = Field(
        default=DriftSettings(), description="what to do about values that others changed."
    )


def load_repo(text: str | None, path: str = FILE_NAME) -> RepoConfig:
    """The file's settings; None means that there is no file, which is fine.

    Raises BadConfiguration. An empty file is an error: it lacks its version.
    """
    return _loaded(text, path, None)[0]


def load_rules(text: str | None, path: str = FILE_NAME, branch: str | None = None) -> ProjectRules:
    """What the file says about projects, for pull requests into `branch` (None: into any).

    Raises BadConfiguration. Without a file: projects are found, none is declared.
    """
    config, document = _loaded(text, path, branch)
    if document is None:
        return ProjectRules()
    return rules_of(config.projects, config.discovery, config.defaults, document, branch)


def _loaded(text: str | None, path: str, branch: str | None) -> tuple[RepoConfig, Document | None]:
    if text is None:
        return RepoConfig(version=1), None
    document = parse(text, path)
    config = check(RepoConfig, document.value, document.problem, LATER)
    check_entries(config.projects, document, branch)
    return config, document


UNSAID = DriftSettings()
"""What holds of drift where a repository says nothing of it."""


@dataclass(frozen=True)
class Bounded:
    """A wish of the repository's that the server's file does not allow."""

    key: str
    asked: str
    given: str


@dataclass(frozen=True)
class Written:
    """What was written in both files, of which the rules of an apply are made."""

    defaults: Defaults = field(default_factory=Defaults)
    environments: Mapping[str, EnvironmentEntry] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    mode: Mode = Mode.APPLY
    apply_on_merge_allowed: frozenset[ApplyOnMerge] = frozenset({ApplyOnMerge.IF_UNCHANGED})
    override: OverrideEntry = field(default_factory=OverrideEntry)
    minimum: Minimum = field(default_factory=Minimum)


@dataclass(frozen=True)
class Effective:
    """What holds for a pull request: the repository's wishes within the server's bounds.

    `environments` say what an apply needs where, `override` who may pass over some of it. More
    than `projects_per_run` are planned only when somebody asks for all of them; up to
    `project_checks` have a check each. `automerge`:
    how a pull request is merged once everything is applied, if the server lets it. `may_apply`
    is False on a server that only comments; then `apply_on_merge` is NEVER. `bounded` lists
    what was asked for and not given. `written` is what all this was made of, `drift` what the
    repository says of drift.
    """

    may_apply: bool
    apply_on_merge: ApplyOnMerge
    plan_drafts: bool
    projects_per_run: int = 100
    project_checks: int = 0
    automerge: Automerge | None = None
    bounded: tuple[Bounded, ...] = ()
    environments: Environments = EVERYWHERE_ALIKE
    override: Override = NOBODY
    written: Written = field(default_factory=Written, compare=False)
    drift: DriftSettings = UNSAID


def effective(repo: RepoConfig, server: ServerConfig, path: str) -> Effective:
    """The settings of the repository `path` (`owner/name`), bounded by the server's."""
    bounds = bounds_for(server.per_repository, path)
    asked = repo.defaults.apply_on_merge
    given = _on_merge(asked, server)
    bounded = () if asked is given else (Bounded("defaults.apply_on_merge", asked, given),)
    return Effective(
        may_apply=server.may_apply,
        apply_on_merge=given,
        plan_drafts=repo.plan_drafts,
        projects_per_run=repo.limits.projects_per_run,
        project_checks=server.statuses.per_project,
        automerge=repo.automerge,
        bounded=bounded,
        environments=environments_of(repo.defaults, repo.environments, bounds.minimum),
        override=Override(server.override.teams, server.override.users, server.override.skips),
        written=Written(
            repo.defaults,
            repo.environments,
            repo.limits,
            server.mode,
            server.apply_on_merge_allowed,
            server.override,
            bounds.minimum,
        ),
        drift=repo.drift,
    )


def _on_merge(asked: ApplyOnMerge, server: ServerConfig) -> ApplyOnMerge:
    """The wish itself, else the most it may have: never is always allowed."""
    if not server.may_apply:
        return ApplyOnMerge.NEVER
    allowed = server.apply_on_merge_allowed | {ApplyOnMerge.NEVER}
    if asked in allowed:
        return asked
    cautious = ApplyOnMerge.IF_UNCHANGED
    return cautious if cautious in allowed else ApplyOnMerge.NEVER
