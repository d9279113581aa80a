"""What merged pull requests left to apply, and how their commits lie to one another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from prbot.model import ProjectKey, PullRef, Sha


@dataclass(frozen=True)
class Landing:
    """A merged pull request's part in one project, at its merge commit.

    `settled_by` is the pull request whose apply brought it in (perhaps its own), None while
    the project is behind because of it.
    """

    pull: PullRef
    project: ProjectKey
    commit: Sha
    at: datetime
    settled_by: PullRef | None = None


@dataclass(frozen=True)
class Around:
    """Of some commits those that a run's commit holds (itself, too), and those that hold it."""

    before: frozenset[Sha] = frozenset()
    after: frozenset[Sha] = frozenset()


NOWHERE: Around = Around()
