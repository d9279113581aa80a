"""Which directories are root modules, found without any configuration, and why.

A backend, a `cloud` block, or provider configuration without a caller make one. So does a
directory that can be planned just as it stands, although it has none of these: nobody
calls it, it is not below a directory named `modules`, it manages something, all of its
providers work without configuration, and no variable is left without a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from prbot.errors.projects import WorkspacesByTags
from prbot.model import Notice
from prbot.projects.facts import Backend, Cloud, FileFacts
from prbot.projects.graph import Graph
from prbot.projects.listing import VARIABLES

UNCONFIGURED = frozenset(
    {"terraform", "null", "random", "time", "local", "tls", "archive", "external", "http"}
    | {"cloudinit", "template"}
)
"""Type prefixes of HashiCorp's providers that have nothing to be configured."""
MODULES = "modules"
"""The customary name of a directory of modules."""
ENV = "env"
"""Where a workspace's variables are, as with Atlantis: `env/<workspace>.tfvars`."""
AUTOMATIC = (".auto.tfvars", ".auto.tfvars.json")
DEFAULT_FILES = ("terraform.tfvars", "terraform.tfvars.json")


@dataclass(frozen=True)
class Root:
    """A directory that is a root module; `line` of `path` is where it says so."""

    dir: str
    because: str
    backend: Backend | None
    cloud: Cloud | None
    path: str
    line: int
    workspaces: tuple[str, ...]


@dataclass(frozen=True)
class Roots:
    """All there is to know of directories one by one."""

    graph: Graph

    def root(self, directory: str) -> Root | None:
        because = self._because(directory)
        return None if because is None else self.described(directory, because)

    def described(self, directory: str, because: str) -> Root:
        """The directory as a root module, whether it is one by itself or was declared."""
        path, line = directory, 1
        backend, cloud = None, None
        for name, facts in sorted(self._files(directory), key=_overriding, reverse=True):
            if facts.backend or facts.cloud:
                backend, cloud, path = facts.backend, facts.cloud, name
                line = (facts.cloud or facts.backend or Backend("")).line
                break
        workspaces = self._workspaces(directory, cloud)
        return Root(directory, because, backend, cloud, path, line, workspaces)

    def _files(self, directory: str) -> tuple[tuple[str, FileFacts], ...]:
        return self.graph.code.get(directory, ())

    def _because(self, directory: str) -> str | None:
        files = [facts for _, facts in self._files(directory)]
        for facts in files:
            if facts.cloud:
                return "it has a `cloud` block"
            if facts.backend:
                return f"it has a backend, `{facts.backend.type}`"
        if directory in self.graph.called:
            return None
        providers = sorted({name for facts in files for name in facts.providers})
        if providers:
            return f"it configures the provider `{providers[0]}`, and no other directory calls it"
        if self._stands(directory):
            return "it can be planned as it stands, and no other directory calls it"
        return None

    def _stands(self, directory: str) -> bool:
        if MODULES in directory.split("/"):
            return False
        if self._missing_values(directory):
            return False
        needs: set[str] = set()
        for each in self.graph.closure(directory):
            for _, facts in self._files(each):
                needs.update(facts.needs)
                if any(not call.is_local for call in facts.modules):
                    return False
        return bool(needs) and needs <= UNCONFIGURED

    def _missing_values(self, directory: str) -> bool:
        required = any(facts.required for _, facts in self._files(directory))
        return required and not any(
            name.endswith(AUTOMATIC) or name in DEFAULT_FILES
            for name in (path.rpartition("/")[2] for path in self._listed(directory))
        )

    def _listed(self, directory: str) -> tuple[str, ...]:
        return self.graph.listing.directories.get(directory, ())

    def _workspaces(self, directory: str, cloud: Cloud | None) -> tuple[str, ...]:
        if cloud is not None:
            return (cloud.workspace or "default",)
        return self.environments.get(directory, ("default",))

    @cached_property
    def environments(self) -> Mapping[str, tuple[str, ...]]:
        """The workspaces whose variables lie in `env`, by the directory around."""
        found: dict[str, tuple[str, ...]] = {}
        for directory, paths in self.graph.listing.directories.items():
            around, _, name = directory.rpartition("/")
            if name == ENV:
                stems = {stem for path in paths if (stem := workspace_of(path)) is not None}
                if stems:
                    found[around or "."] = tuple(sorted(stems))
        return found

    def warnings(self) -> Iterator[Notice]:
        for files in self.graph.code.values():
            for path, facts in files:
                if facts.cloud and facts.cloud.tags and facts.cloud.workspace is None:
                    yield Notice(path, facts.cloud.line, str(WorkspacesByTags()))


def _overriding(file: tuple[str, FileFacts]) -> tuple[bool, str]:
    """Overriding files replace a backend as a whole, the last of them wins:
    https://developer.hashicorp.com/terraform/language/files/override"""
    name = file[0].rpartition("/")[2].partition(".")[0]
    overrides = name == "override" or name.endswith("_override")
    return overrides, file[0] if overrides else ""


def workspace_of(path: str) -> str | None:
    """`prod` of `…/prod.tfvars`."""
    name = path.rpartition("/")[2]
    for ending in VARIABLES:
        if name.endswith(ending) and not name.startswith(".") and not name.endswith(AUTOMATIC):
            return name.removesuffix(ending) or None
    return None
