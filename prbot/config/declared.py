"""`projects:` and `discovery:` of `prbot.yaml`, as `ProjectRules`.

What is wrong with one entry by itself is found here; what depends on the commit's files
(unknown names, cycles) in `projects/discovery.py`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Protocol, TypeVar

from pydantic import AfterValidator, Field

from prbot.config.check import Section
from prbot.config.document import Document
from prbot.config.globs import MAX_ASTERISKS, check_plain_pattern
from prbot.config.patterns import check_slashed, expression
from prbot.config.project_rules import DeclaredProject, DiscoveryMode, ProjectRules
from prbot.config.versions import constraint
from prbot.errors.configuration import BadDirectory, BadName, BadPattern, BadWorkspace, TwoOfOneName

PlainPattern = Annotated[str, AfterValidator(check_plain_pattern)]


class Tool(StrEnum):
    TERRAFORM = "terraform"
    TOFU = "tofu"


def is_glob(directory: str) -> bool:
    """Whether `dir` stands for several directories, as in Atlantis."""
    return any(sign in directory for sign in "*?[")


def check_directory(text: str) -> str:
    """The directory without `./` and slashes around it; `.` is the root."""
    if not text.strip() or text != text.strip() or "\\" in text or not text.isprintable():
        raise ValueError(BadDirectory())
    if text.startswith("/") or ".." in text.split("/") or text.count("*") > MAX_ASTERISKS:
        raise ValueError(BadDirectory())
    return posixpath.normpath(text)


def check_workspace(text: str) -> str:
    # https://www.runatlantis.io/docs/repo-level-atlantis-yaml.html#project
    wrong = not text or text[0] in "-~" or ".." in text or text == "."
    if wrong or re.search(r"[/\\$\s]", text) or not text.isprintable() or len(text) > 255:
        raise ValueError(BadWorkspace())
    return text


def check_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._~/-]{1,200}", text) or text.startswith("-"):
        raise ValueError(BadName())
    return text


def check_modified(pattern: str) -> str:
    """A pattern of `when_modified`: any of Atlantis's, in bounds."""
    if not pattern.removeprefix("!").strip() or len(pattern) > 1000:
        raise ValueError(BadPattern("it is empty or too long"))
    if pattern.count("*") > MAX_ASTERISKS or "\0" in pattern:
        raise ValueError(BadPattern(f"it has more than {MAX_ASTERISKS} asterisks"))
    return pattern


def check_var_file(path: str) -> str:
    """Relative to the project; that it stays in the repository is checked against `dir`."""
    if not path.strip() or path.startswith(("/", "-")) or "\\" in path or not path.isprintable():
        raise ValueError(BadDirectory())
    return path


def check_constraint(text: str) -> str:
    """A version or a constraint as Terraform writes them: `1.9.8`, `>= 1.9, < 2`."""
    constraint(text)
    return text


Directory = Annotated[str, AfterValidator(check_directory)]
Workspace = Annotated[str, AfterValidator(check_workspace)]
Name = Annotated[str, AfterValidator(check_name)]
Modified = Annotated[str, AfterValidator(check_modified)]
VarFile = Annotated[str, AfterValidator(check_var_file)]
Constraint = Annotated[str, AfterValidator(check_constraint)]
Branch = Annotated[str, AfterValidator(check_slashed)]


class ProjectEntry(Section):
    dir: Directory = Field(
        description="the directory, such as `environments/prod`, or a glob of directories."
    )
    name: Name | None = Field(default=None, description="a name of its own; not with a glob.")
    workspace: Workspace = Field(default="default", description="the Terraform workspace.")
    branch: Branch | None = Field(
        default=None, description="`/…/`, a regular expression of base branches it counts for."
    )
    depends_on: tuple[str, ...] = Field(
        default=(), description="names or directories of projects that come before it."
    )
    order: int = Field(
        default=0, ge=-1_000_000, le=1_000_000, description="its group; lower ones come first."
    )
    when_modified: tuple[Modified, ...] | None = Field(
        default=None, description="patterns relative to `dir`; left out: the files it reads."
    )
    autoplan: bool = Field(default=True, description="whether a change plans it unasked.")
    var_files: tuple[VarFile, ...] = Field(
        default=(), description="variable files relative to `dir`, such as `prod.tfvars`."
    )
    workflow: str | None = Field(
        default=None, min_length=1, description="a custom workflow the server allows."
    )
    tool: Tool | None = Field(default=None, description="`terraform` or `tofu`.")
    version: Constraint | None = Field(
        default=None, description="the tool's version or constraint, such as `>=1.9`."
    )


class Discovery(Section):
    mode: DiscoveryMode = Field(
        default=DiscoveryMode.AUTO,
        description="`auto` (found and declared projects), `enabled` (found ones also where some"
        " are declared) or `disabled` (declared ones alone).",
    )
    ignore: tuple[PlainPattern, ...] = Field(
        default=(), description="globs of directories that are no projects, such as `examples/**`."
    )
    order_by_state: bool = Field(
        default=True, description="whether `terraform_remote_state` orders projects."
    )


class Named(Protocol):
    """An entry of `projects:` in either file."""

    @property
    def dir(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def branch(self) -> str | None: ...


N = TypeVar("N", bound=Named)


def counting(entries: Sequence[N], branch: str | None) -> Iterator[tuple[int, N]]:
    """The entries for pull requests into `branch` (None: all of them), with their index."""
    for index, entry in enumerate(entries):
        if branch is None or entry.branch is None or _matches(entry.branch, branch):
            yield index, entry


def _matches(slashed: str, branch: str) -> bool:
    return expression(slashed[1:-1]).search(branch) is not None


def meet(one: str | None, other: str | None, branch: str | None) -> bool:
    """Whether two entries, by their `branch` keys, surely count together for `branch`."""
    return branch is not None or one is None or other is None or one == other


def check_names(entries: Sequence[Named], document: Document, branch: str | None) -> None:
    """Names are given once, and not to globs. Raises BadConfiguration."""
    seen: dict[str, list[tuple[int, Named]]] = {}
    for index, entry in counting(entries, branch):
        if entry.name is None:
            continue
        place = ("projects", index, "name")
        if is_glob(entry.dir):
            raise document.problem(place, BadName())
        for first, other in seen.setdefault(entry.name, []):
            if meet(other.branch, entry.branch, branch):
                line = document.line(("projects", first, "name"))
                raise document.problem(place, TwoOfOneName(entry.name, line))
        seen[entry.name].append((index, entry))


def check_entries(
    entries: tuple[ProjectEntry, ...], document: Document, branch: str | None
) -> None:
    """What the models cannot see by themselves. Raises BadConfiguration."""
    check_names(entries, document, branch)
    for index, entry in enumerate(entries):
        _check_var_files(entry, document, index)


def _check_var_files(entry: ProjectEntry, document: Document, index: int) -> None:
    for number, path in enumerate(entry.var_files):
        whole = posixpath.normpath(posixpath.join(entry.dir, path))
        if whole == ".." or whole.startswith("../"):
            raise document.problem(("projects", index, "var_files", number), BadDirectory())


class Defaults(Protocol):
    """What `defaults:` says of the tool."""

    @property
    def tool(self) -> Tool: ...
    @property
    def version(self) -> str | None: ...


def rules_of(
    entries: tuple[ProjectEntry, ...],
    discovery: Discovery,
    defaults: Defaults,
    document: Document,
    branch: str | None = None,
) -> ProjectRules:
    """The rules for pull requests into `branch` (None: every entry counts)."""
    declared = tuple(
        _declared(entry, document.line(("projects", index)))
        for index, entry in counting(entries, branch)
    )
    return ProjectRules(
        declared,
        discovery.mode,
        discovery.ignore,
        discovery.order_by_state,
        tool=None if defaults.tool is Tool.TERRAFORM else defaults.tool.value,
        version=defaults.version,
        source=document.path,
    )


def _declared(entry: ProjectEntry, line: int) -> DeclaredProject:
    return DeclaredProject(
        dir=entry.dir,
        workspace=entry.workspace,
        name=entry.name,
        depends_on=entry.depends_on,
        order=entry.order,
        when_modified=entry.when_modified,
        autoplan=entry.autoplan,
        var_files=entry.var_files,
        workflow=entry.workflow,
        tool=entry.tool and entry.tool.value,
        version=entry.version,
        line=line,
    )
