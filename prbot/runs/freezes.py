"""Freezes: somebody stops every apply at once, here or there, until it is lifted or ends.

A freeze stops what has not begun, also what waits or was decided a moment ago; an apply that
runs is not interrupted, because half an apply is worse than a whole one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NewType

from prbot.config.globs import matches_any
from prbot.errors.verbs import NoFreezeReason
from prbot.model import Login, RepoRef
from prbot.runs.reasons import Reason

FreezeId = NewType("FreezeId", str)
"""What people type after `freeze lift`."""

LONGEST_REASON = 300
"""Characters; what is longer is cut, so that every refusal can tell it."""


class FreezeScope(StrEnum):
    """What a freeze stops: all there is, what a repository's name matches, or an environment."""

    EVERYWHERE = "everywhere"
    REPOSITORY = "repository"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Freeze:
    """One stop of every apply in its scope.

    `forge` (an entry's name) and `repo` (a glob over `owner/name`) narrow any scope but
    EVERYWHERE; None is all of them. `environment` is a name, given with its scope alone. `until`
    None is until somebody lifts it. `by` declared it, `lifted_by` took it back.
    """

    id: FreezeId
    scope: FreezeScope
    reason: str
    by: Login
    since: datetime
    until: datetime | None = None
    forge: str | None = None
    repo: str | None = None
    environment: str | None = None
    lifted_at: datetime | None = None
    lifted_by: Login | None = None

    def holds_at(self, now: datetime) -> bool:
        """Not lifted, and not over. `since` is no matter: a freeze that another machine's clock
        declared in our future stops applies at once, too."""
        return self.lifted_at is None and (self.until is None or now < self.until)

    def stops(self, repo: RepoRef, environment: str | None) -> bool:
        """Whether a project of this repository and environment lies in its scope.

        Forges ignore the case of repositories' names; that of an environment is ignored
        because a freeze that misses by a capital letter would be none.
        """
        match self.scope:
            case FreezeScope.EVERYWHERE:
                return True
            case FreezeScope.REPOSITORY:
                return self._is_of(repo)
            case FreezeScope.ENVIRONMENT:
                return self._is_of(repo) and _same(self.environment, environment)

    def concerns(self, repo: RepoRef) -> bool:
        """Whether something in this repository may lie in its scope."""
        return self.scope is FreezeScope.EVERYWHERE or self._is_of(repo)

    def _is_of(self, repo: RepoRef) -> bool:
        if self.forge is not None and self.forge != repo.forge:
            return False
        return self.repo is None or matches_any((self.repo,), repo.path, fold_case=True)


def _same(name: str | None, other: str | None) -> bool:
    return name is not None and other is not None and name.casefold() == other.casefold()


def in_force(
    freezes: Iterable[Freeze], repo: RepoRef, environment: str | None, now: datetime
) -> tuple[Freeze, ...]:
    """Those that stop applies of a project now; `environment` is None for one in no environment."""
    return tuple(
        freeze for freeze in freezes if freeze.holds_at(now) and freeze.stops(repo, environment)
    )


def not_frozen(
    freezes: Iterable[Freeze], repo: RepoRef, environment: str | None, now: datetime
) -> tuple[Reason, ...]:
    """Why an apply of such a project is refused now: a reason for each freeze in force."""
    return tuple(
        Reason("frozen", sentence(freeze), way_out(freeze))
        for freeze in in_force(freezes, repo, environment, now)
    )


# --- in words ------------------------------------------------------------------------------


def sentence(freeze: Freeze) -> str:
    """What is frozen, by whom, since when, until when, and why. Without a full stop."""
    end = f"until {_moment(freeze.until)}" if freeze.until else "until it is lifted"
    since = _moment(freeze.since)
    return f"{scope_words(freeze)} frozen by {freeze.by} since {since}, {end}: {freeze.reason}"


def way_out(freeze: Freeze) -> str:
    """What would end it: a part of a sentence."""
    lift = f"whoever runs the server can lift it with `prbot freeze lift {freeze.id}`"
    wait = f"; else it ends at {_moment(freeze.until)}" if freeze.until else ""
    return f"ask {freeze.by}; {lift}{wait}"


def scope_words(freeze: Freeze) -> str:
    """Its scope with a verb: `everything is`, `repository acme/* is`, …"""
    if freeze.scope is FreezeScope.EVERYWHERE:
        return "everything is"
    where = ":".join(part for part in (freeze.forge, freeze.repo) if part)
    if freeze.scope is FreezeScope.REPOSITORY:
        return f"repository {where} is"
    return f"environment {freeze.environment}{f' of {where}' if where else ''} is"


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


# --- from words ----------------------------------------------------------------------------


def reason_of(text: str) -> str:
    """A reason as one line of printable characters. Raises NoFreezeReason when nothing is left."""
    line = one_line(text)
    if not line:
        raise NoFreezeReason
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"


def one_line(text: str) -> str:
    """Printable characters only, one blank between words."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
