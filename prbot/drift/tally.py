"""How drift stands all over, in numbers: of environments, never of single pull requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from prbot.model import RepoRef

NEVER = "never-checked"
"""Stands for the verdict of what was not checked yet."""


@dataclass(frozen=True)
class Ward:
    """The projects of one repository's environment (None: of none).

    `verdicts` are how many have which, in words of `ProjectVerdict` or NEVER. `lately` were
    checked not long ago. `oldest_check` is when the one was checked that waits longest, None
    when none ever was; `oldest_success` the same of checks that were no error, where a project
    without one counts since it is known.
    """

    repo: RepoRef
    environment: str | None
    verdicts: Mapping[str, int]
    lately: int
    oldest_check: datetime | None
    oldest_success: datetime | None


@dataclass(frozen=True)
class Checks:
    """Of one repository, since it was first watched: these numbers only grow."""

    repo: RepoRef
    begun: int
    failed: int


@dataclass(frozen=True)
class Corrected:
    """How many corrections of one repository went which way; `outcome` None: under way."""

    repo: RepoRef
    how: str
    outcome: str | None
    number: int


@dataclass(frozen=True)
class Tally:
    """`wards` are those of repositories that are looked at, `skipped` the repositories that
    are not. `under_way` are the checks of all of them."""

    wards: tuple[Ward, ...] = ()
    checks: tuple[Checks, ...] = ()
    corrected: tuple[Corrected, ...] = ()
    looked_at: int = 0
    skipped: int = 0
    under_way: int = 0
