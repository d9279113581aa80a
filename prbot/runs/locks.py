"""Per-project locks: who holds a project, and for which pull request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from prbot.model import Login, ProjectKey, PullRef, RepoRef


@dataclass(frozen=True)
class Lock:
    """A project held by one pull request, from its first apply until merged or closed."""

    repo: RepoRef
    project: ProjectKey
    holder: PullRef
    actor: Login
    since: datetime


def blockers(
    locks: tuple[Lock, ...], pull: PullRef, projects: tuple[ProjectKey, ...]
) -> tuple[Lock, ...]:
    """The locks that keep this pull request from applying these projects."""
    return tuple(
        lock
        for lock in locks
        if lock.repo == pull.repo and lock.project in projects and lock.holder != pull
    )
