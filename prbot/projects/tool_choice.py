"""Which tool and which version a project wants, and why.

The project's own `version` decides, else the nearest version file upward
(`.terraform-version` or `.opentofu-version` as tfenv and tenv read them, `.tool-versions`
as asdf does). What `required_version` says must hold besides, because the tool itself
refuses to work otherwise. The defaults' `version` gives way to all of these: it counts
unless it contradicts them.

No I/O. What there is to choose from is known to `adapters/tools.py`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from prbot.config.project_rules import ProjectRules
from prbot.config.versions import (
    ANY,
    Constraint,
    Version,
    allowed,
    can_be_met,
    constraint,
    version,
)
from prbot.errors.tools import BadRequiredVersion, BadVersionFile, NoToolVersion, TooManyRequired
from prbot.projects.project import Project

TERRAFORM = "terraform"
TOFU = "tofu"
SHARED = ".tool-versions"
"""asdf's file, for all tools: https://asdf-vm.com/manage/configuration.html#tool-versions"""
_OWN = {TERRAFORM: ".terraform-version", TOFU: ".opentofu-version"}
_IN_SHARED = {TERRAFORM: "terraform", TOFU: "opentofu"}
_FREE = frozenset({"latest", "latest-allowed", "latest-stable", "system"})
"""What version files say where any version will do."""
MAX_SHOWN = 60
MOST_REQUIRED = 20
"""Most different `required_version` of one project."""


@dataclass(frozen=True)
class Demand:
    """A constraint, and where it stands, such as `network/versions.tf, line 3`."""

    constraint: Constraint
    where: str

    def __str__(self) -> str:
        return f"`{self.constraint.text}` in {self.where}"


# with 0.15.3 came `plan -json`; 1.6.0 was OpenTofu's first release
NEEDED = {
    TERRAFORM: Demand(constraint(">= 0.15.3"), "prbot's own needs"),
    TOFU: Demand(constraint(">= 1.6.0"), "prbot's own needs"),
}


@dataclass(frozen=True)
class Wanted:
    """A version that meets all of `demands`, and can do what prbot needs."""

    tool: str = TERRAFORM
    demands: tuple[Demand, ...] = ()

    def allows(self, found: Version) -> bool:
        demands = (*self.demands, NEEDED[self.tool])
        return allowed((demand.constraint for demand in demands), found)

    @property
    def exact(self) -> Version | None:
        """The one version that can be meant, if one is named."""
        named = (demand.constraint.exact for demand in self.demands)
        return next((found for found in named if found is not None), None)

    @property
    def words(self) -> str:
        return " and ".join(map(str, self.demands)) or "any version"


def exactly(named: str) -> Wanted | None:
    """The tool of a name such as `terraform 1.11.4`, as plans remember it; None for others."""
    tool, _, text = named.partition(" ")
    if tool not in _OWN or version(text) is None:
        return None
    return Wanted(tool, (Demand(constraint(f"= {text}"), "the plan"),))


# --- what a project says ------------------------------------------------------------------------


def with_defaults(project: Project, rules: ProjectRules) -> Project:
    """The project with a tool in any case; before and now, of a pull request's two sides."""
    return replace(
        project,
        tool=project.tool or rules.tool or TERRAFORM,
        default_version=rules.version,
        tool_before=project.tool_before or rules.tool_before or TERRAFORM,
    )


def version_files(directory: str, tool: str) -> tuple[str, ...]:
    """Where version files may lie, relative to the repository, the nearest first."""
    return tuple(
        posixpath.normpath(posixpath.join(place, name))
        for place in _upward(directory)
        for name in (_OWN[tool], SHARED)
    )


def _upward(directory: str) -> Iterator[str]:
    place = posixpath.normpath(directory)
    while place != ".":
        yield place
        place = posixpath.dirname(place) or "."
    yield "."


@dataclass(frozen=True)
class Required:
    """A `required_version`, and where it stands."""

    text: str
    path: str
    line: int


def wanted(
    tool: str,
    own: Demand | None,
    files: Mapping[str, str],
    required: Iterable[Required],
    default: Demand | None = None,
) -> Wanted:
    """`own` is the project's, `files` are texts by path, in the order of `version_files`.

    Raises BadVersionFile, BadRequiredVersion, TooManyRequired, and NoToolVersion when no
    version can ever meet all that is demanded.
    """
    required = _different(required)
    told = own or next(_in_files(tool, files), None)
    demands = (*(() if told is None else (told,)), *map(_demand, required))
    found = Wanted(tool, demands)
    if not _can_be_met((*demands, NEEDED[tool])):
        clash = demands if not _can_be_met(demands) else (*demands, NEEDED[tool])
        raise NoToolVersion(tool, " and ".join(map(str, clash)))
    if told is None and default is not None and _can_be_met((*demands, default, NEEDED[tool])):
        return Wanted(tool, (*demands, default))
    return found


def _different(required: Iterable[Required]) -> list[Required]:
    """Each constraint where it stands first. Who pushes may write any number of them."""
    found: dict[str, Required] = {}
    for each in required:
        found.setdefault(each.text, each)
        if len(found) > MOST_REQUIRED:
            raise TooManyRequired(each.path, each.line, MOST_REQUIRED)
    return list(found.values())


def _can_be_met(demands: Iterable[Demand]) -> bool:
    return can_be_met(demand.constraint for demand in demands)


def _in_files(tool: str, files: Mapping[str, str]) -> Iterator[Demand]:
    for path, text in files.items():
        shared = posixpath.basename(path) == SHARED
        for line, words in _lines(text):
            if shared and words[0] != _IN_SHARED[tool]:
                continue
            said = words[1:2] if shared else [" ".join(words)]
            yield _of_file(path, line, tool, said[0] if said else "")
            break


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for line, written in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        words = written.partition("#")[0].split()
        if words:
            yield line, words


def _of_file(path: str, line: int, tool: str, said: str) -> Demand:
    if said in _FREE:
        return Demand(ANY, _at(path, line))
    try:
        return Demand(constraint(said), _at(path, line))
    except ValueError:
        raise BadVersionFile(path, line, _shown(said), tool) from None


def _demand(required: Required) -> Demand:
    try:
        return Demand(constraint(required.text), _at(required.path, required.line))
    except ValueError:
        raise BadRequiredVersion(required.path, required.line, _shown(required.text)) from None


def _at(path: str, line: int) -> str:
    return f"{path}, line {line}"


def _shown(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:MAX_SHOWN]


# --- what is taken ------------------------------------------------------------------------------


def best(wanted: Wanted, bound: Constraint, there: Iterable[Version]) -> Version | None:
    """The newest that both the project and the server allow."""
    fit = (each for each in there if wanted.allows(each) and bound.allows(each))
    return max(fit, default=None)
