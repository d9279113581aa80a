"""What prbot says of runs that went another way than it knows."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class IllegalTransition(PrbotError):
    """A {noun} cannot go from {old} to {new}."""

    noun: str
    old: str
    new: str


@dataclass(eq=False)
class LostLease(PrbotError):
    """This worker no longer holds {what}; another one has taken over."""

    what: str
