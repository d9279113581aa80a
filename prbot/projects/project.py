"""A project: one root module with one state, and what is known of it before it is planned."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.model import ProjectKey


@dataclass(frozen=True)
class Project:
    """`depends_on` are planned and applied before it. `order` is its rank among all projects,
    lower first; `group` the one it was declared to be in.

    `because` says, in words for people, why it is a project or why it is affected.
    `workflow`, `tool` and `version` are names from the configuration, None for the default.
    `tool_before` is the default branch's, where it may be another.
    """

    key: ProjectKey
    name: str | None = None
    depends_on: tuple[ProjectKey, ...] = ()
    order: int = 0
    group: int = 0
    var_files: tuple[str, ...] = ()
    workflow: str | None = None
    tool: str | None = None
    version: str | None = None
    default_version: str | None = None
    tool_before: str | None = None
    autoplan: bool = True
    because: tuple[str, ...] = ()
