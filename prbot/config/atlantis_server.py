"""Atlantis's server-side `repos.yaml`, read to be migrated.

Source: https://www.runatlantis.io/docs/server-side-repo-config.html and Atlantis's parser.
prbot does not serve by this file: `prbot migrate` writes what it says into prbot's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from prbot.config.atlantis import (
    AutoDiscover,
    RepoLocks,
    Requirements,
    Stages,
    in_own_words,
    without_nulls,
)
from prbot.config.check import Section, check
from prbot.config.document import ATLANTIS, Document, parse
from prbot.config.patterns import check_slashed
from prbot.config.workflows import Shell, Workflows

FILE_NAME = "repos.yaml"


Override = Literal[
    "plan_requirements",
    "apply_requirements",
    "import_requirements",
    "workflow",
    "delete_source_branch_on_merge",
    "repo_locking",
    "repo_locks",
    "policy_check",
    "custom_policy_check",
    "silence_pr_comments",
]


def _commas(value: object) -> object:
    return [w.strip() for w in value.split(",")] if isinstance(value, str) else value


class AtlantisHook(Shell):
    """As prbot's, with `commands` in one text, `plan, apply`; without it, for every command."""

    run: str = Field(min_length=1, description="the command, for the shell.")
    description: str | None = Field(default=None, description="what people read of it.")
    commands: Annotated[tuple[str, ...], BeforeValidator(_commas)] = Field(
        default=(), description="for which commands."
    )

    @model_validator(mode="before")
    @classmethod
    def _own_words(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {"shell_args" if key == "shellArgs" else key: v for key, v in value.items()}


class AtlantisRepo(Section):
    id: str = Field(min_length=1, description="`HOST/OWNER/NAME`, or `/…/`, an expression.")
    branch: Annotated[str, AfterValidator(check_slashed)] | None = Field(
        default=None, description="`/…/`, an expression of base branches."
    )
    repo_config_file: str | None = Field(default=None, description="a path.")
    workflow: str | None = Field(default=None, description="a workflow's name.")
    allowed_workflows: tuple[str, ...] | None = Field(default=None, description="a list.")
    allowed_overrides: tuple[Override, ...] | None = Field(default=None, description="a list.")
    allow_custom_workflows: bool | None = Field(default=None, description="true or false.")
    pre_workflow_hooks: tuple[AtlantisHook, ...] = Field(default=(), description="a list.")
    post_workflow_hooks: tuple[AtlantisHook, ...] = Field(default=(), description="a list.")
    plan_requirements: Requirements = Field(default=(), description="a list.")
    apply_requirements: Requirements = Field(default=(), description="a list.")
    import_requirements: Requirements = Field(default=(), description="a list.")
    delete_source_branch_on_merge: bool | None = Field(default=None, description="true or false.")
    repo_locking: bool | None = Field(default=None, description="true or false.")
    repo_locks: RepoLocks = Field(default=RepoLocks(), description="`mode`.")
    policy_check: bool | None = Field(default=None, description="true or false.")
    custom_policy_check: bool | None = Field(default=None, description="true or false.")
    autodiscover: AutoDiscover | None = Field(default=None, description="`mode`, `ignore_paths`.")
    silence_pr_comments: Stages = Field(default=(), description="a list.")


class S3(Section):
    bucket: str = Field(description="the bucket.")
    region: str | None = Field(default=None, description="its region.")
    prefix: str = Field(default="", description="what names begin with.")
    endpoint: str | None = Field(default=None, description="another endpoint.")
    force_path_style: bool = Field(default=False, description="true or false.")
    profile: str | None = Field(default=None, description="a profile.")


class PlanStore(Section):
    type: Literal["s3"] | None = Field(default=None, description="`s3`.")
    s3: S3 | None = Field(default=None, description="where.")


class Stores(Section):
    plan_store: PlanStore = Field(default=PlanStore(), description="where plans are kept.")


class ReposFile(Section):
    repos: tuple[AtlantisRepo, ...] = Field(default=(), description="rules for repositories.")
    workflows: Workflows = Field(default={}, description="custom workflows by name.")
    policies: Mapping[str, object] = Field(default={}, description="policy sets.")
    metrics: Mapping[str, object] = Field(default={}, description="metrics.")
    team_authz: Mapping[str, object] = Field(default={}, description="a command.")
    external_stores: Stores = Field(default=Stores(), description="`plan_store`.")


def read_repos(text: str, path: str = FILE_NAME) -> tuple[ReposFile, Document]:
    """The file as it is written. Raises BadConfiguration."""
    document = parse(text, path, ATLANTIS)
    value = without_nulls(document.value)
    if isinstance(value, dict) and "workflows" in value:
        value["workflows"] = in_own_words(value["workflows"])
    return check(ReposFile, value, document.problem), document


GITLAB = "gitlab.com"


def repository_globs(identity: str, lab: str | None = None) -> tuple[str, ...]:
    """Globs of `owner/name` for a repository's id; none where no glob says the same.

    Ids begin with the host, which prbot knows by the forge; `lab` is GitLab's where one is
    served. Of expressions those are taken that people write: texts, dots with a backslash, and
    `.*`.
    """
    if not (identity.startswith("/") and identity.endswith("/") and len(identity) > 1):
        return _without_host(identity, lab)
    inside = identity[1:-1].replace(r"\/", "/")
    if inside in (".*", ".+", "^.*$", ""):
        return _everything(lab)
    anchored, ends = inside.startswith("^"), inside.endswith("$")
    body = inside.removeprefix("^").removesuffix("$")
    glob = re.sub(r"\.[*+]", "*", body).replace(r"\.", ".")
    if re.search(r"[^A-Za-z0-9*._/-]", glob) or "/" not in glob:
        return ()
    if not ends and not glob.endswith("*"):
        glob += "*"  # an expression is searched: what follows is anything
    whole = anchored or re.match(r"[\w.-]+\.[\w-]+/", glob)
    return _without_host(glob, lab) if whole else ()


def listed_repositories(allowlist: str, lab: str | None = None) -> tuple[str, ...]:
    """`--repo-allowlist` as globs: `github.com/acme/*`, `!…/secret`; `*` there crosses `/`."""
    # https://www.runatlantis.io/docs/server-configuration.html#repo-allowlist
    found = []
    for item in (each.strip() for each in allowlist.split(",")):
        sign, body = ("!", item[1:]) if item.startswith("!") else ("", item)
        globs = _everything(lab) if body == "*" else _without_host(body, lab)
        found += [f"{sign}{glob}" for glob in globs]
    return tuple(found)


def _everything(lab: str | None) -> tuple[str, ...]:
    """Only on GitLab does a project lie deeper than below its owner."""
    return ("*/*",) if lab is None else ("**",)


def _without_host(identity: str, lab: str | None) -> tuple[str, ...]:
    """`github.com/acme/app` is `acme/app`; what ends above the name means every name."""
    host, _, path = identity.partition("/")
    owner, _, name = path.partition("/")
    if host in (lab, GITLAB) or "/" in name:
        return _in_groups(path.split("/"))
    return (f"{owner}/{name or '*'}",) if owner and (name or owner.endswith("*")) else ()


def _in_groups(parts: list[str]) -> tuple[str, ...]:
    """As `_without_host`, where a project lies in groups of groups, which a `*` crosses."""
    *groups, name = parts
    if name == "*":
        return ("/".join([*map(_crossing, groups), "**"]),)
    if not groups:
        return (f"{name}/**",) if name.endswith("*") else ()
    if not name:
        return ()
    path = "/".join([*map(_crossing, groups), name])
    return (path, f"{path}/**") if name.endswith("*") else (path,)


def _crossing(group: str) -> str:
    if group == "*":
        return "**/*"
    return f"{group}/**" if group.endswith("*") else group
