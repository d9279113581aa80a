"""What an apply asks of GitLab beside the merge request: not built yet, and told as that.

A team that is not looked up admits nobody. Of commits' authors and of others' checks nothing is
known, so neither keeps an apply back: what the rules of the project ask for, GitLab sees to at
the merge.
"""

from __future__ import annotations

from collections.abc import Collection

from prbot.errors import ForgeRefused
from prbot.model import PullRef, PullRequest, RepoRef


class Guards:
    def __init__(self, name: str) -> None:
        self._name = name

    async def team_members(self, repo: RepoRef, team: str) -> frozenset[str]:
        what = f"read the members of {team} for {repo}"
        raise ForgeRefused(self._name, what, "prbot does not look up GitLab's groups yet")

    async def committers(self, pull: PullRef) -> frozenset[str] | None:
        return frozenset()

    async def failing_checks(self, pull: PullRequest, own: Collection[str]) -> tuple[str, ...]:
        return ()
