"""What stands behind the finding of one check, so that it can be told of all that share it."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.model import Sha


@dataclass(frozen=True)
class Upgrade:
    """Drift began when a provider, named by its source address, had another version than at the
    check before. Down is a change, too."""

    provider: str
    version: str
    before: str


@dataclass(frozen=True)
class Unapplied:
    """Merged code is not applied: what the pull request of this number left, merged as `commit`;
    None: the project was first found behind at `commit`, and no pull request says why."""

    commit: Sha
    pull: int | None = None


Cause = Upgrade | Unapplied
