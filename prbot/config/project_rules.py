"""What configuration says about projects, whichever file said it.

`prbot.yaml` and `atlantis.yaml` are read into the same values, so that everything behind
them knows one model. Names and patterns stand here as they were written; they are resolved
against a commit's files in `projects/discovery.py`, which also reports what does not fit,
with the line that said so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from prbot.config.globs import matches_any


class DiscoveryMode(StrEnum):
    """AUTO: found and declared projects, but a directory that is declared is only what its
    declarations say. ENABLED: found ones always. DISABLED: declared ones alone."""

    AUTO = "auto"
    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(frozen=True)
class DeclaredProject:
    """One entry of `projects:`. `dir` is relative to the repository, or a glob of
    directories. `line` is where it stands in the file.

    `when_modified` are patterns relative to `dir` in Atlantis's meaning (dockerignore style,
    `!`, `../`); None: the files that discovery finds. `autoplan`: whether a changed pull
    request plans it without being asked. `order` is Atlantis's `execution_order_group`.
    `tool_before` is what the default branch says where a pull request's head says `tool`.
    `added`: a pull request's head added it (`config/head.py`), so it takes nothing's place:
    what is found in its directory stays, and it is dropped where an entry that is not `added`
    declares its directory and workspace already.
    """

    dir: str
    workspace: str = "default"
    name: str | None = None
    depends_on: tuple[str, ...] = ()
    order: int = 0
    when_modified: tuple[str, ...] | None = None
    autoplan: bool = True
    var_files: tuple[str, ...] = ()
    workflow: str | None = None
    tool: str | None = None
    version: str | None = None
    tool_before: str | None = None
    line: int = 0
    added: bool = False


@dataclass(frozen=True)
class ProjectRules:
    """`source` is the file's name, None without one. `ignore` are globs of directories in
    which no projects are found (declared ones are declared all the same, as in Atlantis).
    `order_by_state`: whether dependencies are read from `terraform_remote_state`. `tool` and
    `version` are for projects that say nothing, `tool_before` as in `DeclaredProject`."""

    declared: tuple[DeclaredProject, ...] = ()
    mode: DiscoveryMode = DiscoveryMode.AUTO
    ignore: tuple[str, ...] = ()
    order_by_state: bool = True
    tool: str | None = None
    version: str | None = None
    tool_before: str | None = None
    source: str | None = None

    def finds_in(self, directory: str) -> bool:
        """Whether projects that nobody declared are found there."""
        ignored = directory in self.ignore or matches_any(self.ignore, directory)
        return self.mode is not DiscoveryMode.DISABLED and not ignored
