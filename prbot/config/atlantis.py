"""`atlantis.yaml`, versions 2 and 3, with the meaning it has for Atlantis.

A repository that has only this file works as it is. It is read into the same rules as
`prbot.yaml`; a key that prbot does not honour is named, once.

Sources: https://www.runatlantis.io/docs/repo-level-atlantis-yaml.html, and where it is
silent, Atlantis's own parser (server/core/config). Not promised: Atlantis's way to find
projects where none is declared; prbot's own takes its place.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from prbot.config.atlantis_globs import Ignored, globs_of
from prbot.config.atlantis_words import REPO, Meaning, Verdict
from prbot.config.check import Section, check
from prbot.config.declared import (
    Branch,
    Modified,
    Name,
    check_directory,
    check_names,
    check_workspace,
    counting,
    is_glob,
    meet,
)
from prbot.config.document import ATLANTIS, Document, Place, parse
from prbot.config.project_rules import DeclaredProject, DiscoveryMode, ProjectRules
from prbot.config.repo import Automerge
from prbot.config.workflows import Workflow, Workflows
from prbot.errors.configuration import BadConstraint, BadDirectory, NeedsAName
from prbot.errors.workflows import BadShellWords

FILE_NAME = "atlantis.yaml"

WHEN_MODIFIED = (
    "**/*.tf*",
    "**/*.tofu",
    "**/*.tofu.json",
    "**/terragrunt.hcl",
    "**/.terraform.lock.hcl",
)
"""What Atlantis takes where a project names no patterns."""


def _directory(text: str) -> str:
    if not text or ".." in text:
        raise ValueError(BadDirectory())
    return check_directory(posixpath.normpath("./" + text))


def _workspace(text: str) -> str:
    return check_workspace(text) if text else "default"


def _version(text: str) -> str:
    """`v1.5` is exactly 1.5.0, as in hashicorp/go-version."""
    match = re.fullmatch(r"v?(\d+(?:\.\d+){0,2})((?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)", text)
    if not match:
        raise ValueError(BadConstraint())
    numbers = [*match[1].split("."), "0", "0"][:3]
    return ".".join(numbers) + match[2]


Directory = Annotated[str, AfterValidator(_directory)]
Workspace = Annotated[str, AfterValidator(_workspace)]
Version = Annotated[str, AfterValidator(_version)]
Requirements = tuple[Literal["approved", "mergeable", "undiverged"], ...]
Stages = tuple[Literal["plan", "apply"], ...]


class Autoplan(Section):
    enabled: bool = Field(default=True, description="whether a change plans it unasked.")
    when_modified: tuple[Modified, ...] = Field(
        default=WHEN_MODIFIED, description="patterns relative to `dir`."
    )


class RepoLocks(Section):
    mode: Literal["disabled", "on_plan", "on_apply"] | None = Field(
        default=None, description="`disabled`, `on_plan` or `on_apply`."
    )


class AtlantisProject(Section):
    dir: Directory = Field(description="the directory, relative to the repository; or a glob.")
    name: Name | None = Field(default=None, description="a name, once in the file.")
    branch: Branch | None = Field(default=None, description="`/…/`, an expression of branches.")
    workspace: Workspace = Field(default="default", description="the Terraform workspace.")
    workflow: str | None = Field(default=None, description="a custom workflow.")
    terraform_distribution: Literal["terraform", "opentofu"] | None = Field(
        default=None, description="`terraform` or `opentofu`."
    )
    terraform_version: Version | None = Field(default=None, description="such as `v1.9.8`.")
    autoplan: Autoplan = Field(default=Autoplan(), description="`enabled` and `when_modified`.")
    execution_order_group: int = Field(default=0, description="its group, a number.")
    depends_on: tuple[str, ...] = Field(default=(), description="names of projects before it.")
    plan_requirements: Requirements = Field(default=(), description="a list.")
    apply_requirements: Requirements = Field(default=(), description="a list.")
    import_requirements: Requirements = Field(default=(), description="a list.")
    delete_source_branch_on_merge: bool | None = Field(default=None, description="true or false.")
    repo_locking: bool | None = Field(default=None, description="true or false.")
    repo_locks: RepoLocks = Field(default=RepoLocks(), description="`mode`.")
    policy_check: bool | None = Field(default=None, description="true or false.")
    custom_policy_check: bool | None = Field(default=None, description="true or false.")
    silence_pr_comments: Stages = Field(default=(), description="`plan`, `apply`.")


class AutoDiscover(Section):
    mode: Literal["auto", "enabled", "disabled"] = Field(
        default="auto", description="`auto`, `enabled` or `disabled`."
    )
    ignore_paths: tuple[Ignored, ...] = Field(default=(), description="globs of directories.")


class AtlantisFile(Section):
    version: int = Field(ge=2, le=3, description="the file format's version, 2 or 3.")
    projects: tuple[AtlantisProject, ...] = Field(default=(), description="the projects.")
    workflows: Workflows = Field(default={}, description="custom workflows by name.")
    policies: Mapping[str, object] = Field(default={}, description="policy sets.")
    autodiscover: AutoDiscover = Field(
        default=AutoDiscover(), description="`mode` and `ignore_paths`."
    )
    automerge: bool | None = Field(default=None, description="true or false.")
    parallel_plan: bool | None = Field(default=None, description="true or false.")
    parallel_apply: bool | None = Field(default=None, description="true or false.")
    delete_source_branch_on_merge: bool | None = Field(default=None, description="true or false.")
    emoji_reaction: str | None = Field(default=None, description="a reaction's name.")
    allowed_regexp_prefixes: tuple[str, ...] = Field(default=(), description="a list.")
    abort_on_execution_order_fail: bool | None = Field(default=None, description="true or false.")
    repo_locks: RepoLocks = Field(default=RepoLocks(), description="`mode`.")
    silence_pr_comments: Stages = Field(default=(), description="`plan`, `apply`.")


@dataclass(frozen=True)
class Notice:
    """A key that prbot does not honour: where it stands first, and what holds instead."""

    key: str
    line: int
    words: str


@dataclass(frozen=True)
class Atlantis:
    """What prbot takes from the file, and what it does not."""

    rules: ProjectRules
    workflows: Mapping[str, Workflow]
    notices: tuple[Notice, ...]
    automerge: Automerge | None = None


def load_atlantis(text: str, path: str = FILE_NAME, branch: str | None = None) -> Atlantis:
    """The file's meaning for pull requests into `branch` (None: every project counts).

    Raises BadConfiguration.
    """
    file, document = read_atlantis(text, path)
    check_names(file.projects, document, branch)
    _check_unnamed(file.projects, document, branch)
    rules = ProjectRules(
        declared=tuple(
            _declared(project, document.line(("projects", index)))
            for index, project in counting(file.projects, branch)
        ),
        mode=_mode(file, branch),
        ignore=tuple(glob for each in file.autodiscover.ignore_paths for glob in globs_of(each)),
        source=path,
    )
    return Atlantis(rules, file.workflows, notices(document, REPO), automerge_of(file))


def automerge_of(file: AtlantisFile) -> Automerge | None:
    """Its two keys as prbot's one."""
    if not file.automerge:
        return None
    return Automerge(delete_branch=bool(file.delete_source_branch_on_merge))


def read_atlantis(text: str, path: str = FILE_NAME) -> tuple[AtlantisFile, Document]:
    """The file as it is written, checked entry by entry."""
    document = parse(text, path, ATLANTIS)
    value = without_nulls(document.value)
    if isinstance(value, dict) and "workflows" in value:
        value["workflows"] = in_own_words(value["workflows"])
        if str(value.get("version")) == "2":
            value["workflows"] = _split_commands(value["workflows"], document, ("workflows",))
    return check(AtlantisFile, value, document.problem), document


def without_nulls(value: object) -> object:
    """A key without a value is as good as absent, for Atlantis."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def in_own_words(workflows: object) -> object:
    """Workflows by name, each in prbot's words; the names stay."""
    if not isinstance(workflows, dict):
        return workflows
    return {name: _own_words(workflow) for name, workflow in workflows.items()}


def _own_words(value: object) -> object:
    """In prbot's words: `policy` for `policy_check`, `shell_args` for `shellArgs`."""
    words = {"policy_check": "policy", "shellArgs": "shell_args"}
    if isinstance(value, dict):
        return {words.get(key, key): _own_words(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [
            words.get(item, item) if isinstance(item, str) else _own_words(item) for item in value
        ]
    return value


def _split_commands(value: object, document: Document, place: Place) -> object:
    """Version 2 splits `run` commands of `plan` and `apply`, and joins them with blanks."""
    if isinstance(value, list):
        return [_split_commands(v, document, (*place, i)) for i, v in enumerate(value)]
    if not isinstance(value, dict):
        return value
    given: dict[str, object] = {}
    for key, inner in value.items():
        given[key] = inner
        if key == "run":
            given[key] = _joined(inner, document, (*place, key))
        elif len(place) != STAGES or key in ("plan", "apply"):
            given[key] = _split_commands(inner, document, (*place, key))
    return given


STAGES = 2
"""How deep a workflow's stages stand: `workflows.NAME.plan`."""


def _joined(run: object, document: Document, place: Place) -> object:
    if isinstance(run, dict) and "command" in run:
        return {**run, "command": _joined(run["command"], document, place)}
    if not isinstance(run, str):
        return run
    try:
        return " ".join(shlex.split(run))
    except ValueError:
        raise document.problem(place, BadShellWords()) from None


def _mode(file: AtlantisFile, branch: str | None) -> DiscoveryMode:
    """Atlantis's `auto` finds only where nothing is declared; its `enabled` is our AUTO."""
    asked = file.autodiscover.mode
    alone = asked == "auto" and any(counting(file.projects, branch))
    return DiscoveryMode.DISABLED if alone or asked == "disabled" else DiscoveryMode.AUTO


def _declared(project: AtlantisProject, line: int) -> DeclaredProject:
    tools = {"opentofu": "tofu", "terraform": "terraform"}
    return DeclaredProject(
        dir=project.dir,
        workspace=project.workspace,
        name=project.name,
        depends_on=project.depends_on,
        order=project.execution_order_group,
        when_modified=project.autoplan.when_modified,
        autoplan=project.autoplan.enabled,
        workflow=project.workflow,
        tool=tools.get(project.terraform_distribution or ""),
        version=project.terraform_version,
        line=line,
    )


def _check_unnamed(
    projects: tuple[AtlantisProject, ...], document: Document, branch: str | None
) -> None:
    """Of several projects in one directory and workspace, all but the first need a name."""
    seen: dict[tuple[str, str], list[AtlantisProject]] = {}
    for index, project in counting(projects, branch):
        others = seen.setdefault((project.dir, project.workspace), [])
        rivals = [other for other in others if meet(other.branch, project.branch, branch)]
        if rivals and project.name is None and not is_glob(project.dir):
            raise document.problem(("projects", index), NeedsAName(project.dir))
        others.append(project)


def notices(document: Document, table: Mapping[str, Meaning]) -> tuple[Notice, ...]:
    """Each key that is not honoured, once, in the order of the file."""
    found: dict[str, Notice] = {}
    for key, place, value in keys_of(document.value):
        meaning = table.get(key)
        if meaning is None or meaning.verdict is Verdict.SAME or as_text(value) in meaning.quiet:
            continue
        found.setdefault(key, Notice(key, document.line(place), meaning.words))
    return tuple(sorted(found.values(), key=lambda notice: notice.line))


def keys_of(
    value: object, shape: str = "", place: Place = ()
) -> Iterator[tuple[str, Place, object]]:
    """Every key with a value, with list indices left out of its spelling: `a[].b`."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from keys_of(item, f"{shape}[]", (*place, index))
    elif isinstance(value, dict):
        for key, inner in value.items():
            spelled = f"{shape}.{key}".removeprefix(".")
            if inner is not None:
                yield spelled, (*place, key), inner
            yield from keys_of(inner, spelled, (*place, key))


def as_text(value: object) -> str:
    """A value as tables of meanings write it: `true`, `[a, b]`, or the text itself."""
    if isinstance(value, list):
        return f"[{', '.join(map(as_text, value))}]"
    words = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
    text = str(value)
    return words.get(text.lower(), text)
