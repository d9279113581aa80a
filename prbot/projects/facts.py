"""What one configuration file says, as far as projects are concerned.

Made from the file's bytes alone, so it can be kept by blob id and shared by every commit,
directory and repository that has the same bytes. Paths are as written; what they lead to
depends on where the file stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Settings = tuple[tuple[str, str | None], ...]
"""Attributes by name, sorted; None for a value that is not literal."""


@dataclass(frozen=True)
class Backend:
    type: str
    settings: Settings = ()
    line: int = 1

    def get(self, name: str) -> str | None:
        """None when it is not set, or not literally."""
        return dict(self.settings).get(name)


@dataclass(frozen=True)
class Cloud:
    """`workspace` is its `name`, None when workspaces are chosen by `tags`. Whether it runs
    remotely is known to the service alone."""

    hostname: str | None
    organization: str | None
    workspace: str | None
    tags: tuple[str, ...] = ()
    line: int = 1


@dataclass(frozen=True)
class ModuleCall:
    """`source` is None when it is not literal (OpenTofu)."""

    name: str
    source: str | None
    line: int = 1

    @property
    def is_local(self) -> bool:
        return self.source is not None and self.source.startswith(("./", "../", ".\\", "..\\"))


class Origin(StrEnum):
    """What a path is relative to: the root module's directory, or that of the file."""

    ROOT = "root"
    MODULE = "module"


@dataclass(frozen=True)
class Read:
    """A file that is read. `glob`: `path` is a pattern, of `fileset`, or of what a path
    with an interpolation in it may be."""

    path: str
    origin: Origin
    glob: bool = False


@dataclass(frozen=True)
class StateRead:
    """A `terraform_remote_state`. `workspace` is None for the same one as its reader's
    (`terraform.workspace`), empty when it cannot be known."""

    name: str
    backend: str
    settings: Settings = ()
    workspace: str | None = "default"
    line: int = 1


@dataclass(frozen=True)
class RequiredVersion:
    """`line` is where the `terraform` block begins."""

    constraint: str
    line: int = 1


@dataclass(frozen=True)
class Problem:
    """Why a file could not be read, in words for people."""

    line: int
    message: str


@dataclass(frozen=True)
class FileFacts:
    """`providers` are configured here; `needs` are the prefixes of resource and data types
    (`aws`), which name the providers they come from; `required` are variables without a
    default. `runs`: it starts programs (a provisioner, `data "external"`), which may read
    anything. `climbs` are paths that lead upwards, wherever in the text they stand; most lead
    nowhere. With a `problem` the rest is what could still be read."""

    backend: Backend | None = None
    cloud: Cloud | None = None
    providers: tuple[str, ...] = ()
    modules: tuple[ModuleCall, ...] = ()
    reads: tuple[Read, ...] = ()
    states: tuple[StateRead, ...] = ()
    needs: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    required_version: tuple[RequiredVersion, ...] = ()
    runs: bool = False
    climbs: tuple[Read, ...] = ()
    problem: Problem | None = None
