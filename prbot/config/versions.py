"""Versions of Terraform and OpenTofu, and constraints on them.

The grammar is the language's own, as in `required_version`:
https://developer.hashicorp.com/terraform/language/expressions/version-constraints, read as
https://github.com/hashicorp/go-version reads it, which both tools use. A pre-release is
taken only where `=` (or no operator) names it exactly.

Not promised: order of build metadata (`+…`), which is read and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering

from prbot.errors.configuration import BadConstraint

MAX_LENGTH = 200
_NUMBERS = r"\d{1,9}(?:\.\d{1,9}){0,2}"
_VERSION = re.compile(
    rf"v?({_NUMBERS})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?", re.ASCII
)
_CONDITION = re.compile(r"\s*(!=|>=|<=|~>|=|>|<|)\s*(\S+)\s*")


@total_ordering
@dataclass(frozen=True)
class Version:
    """`numbers` are always three, `prerelease` is empty for a release."""

    numbers: tuple[int, int, int]
    prerelease: str = ""

    def __str__(self) -> str:
        text = ".".join(map(str, self.numbers))
        return f"{text}-{self.prerelease}" if self.prerelease else text

    def __lt__(self, other: Version) -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[object, ...]:
        """By https://semver.org/#spec-item-11: a release comes after its pre-releases."""
        parts = self.prerelease.split(".") if self.prerelease else ()
        ranked = [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts]
        return (*self.numbers, not self.prerelease, ranked)


def version(text: str) -> Version | None:
    """`1.9.8`, `v1.9.8`, `1.9` (1.9.0) or `1.10.0-rc1`; None for anything else."""
    return _parsed(text)[0]


def _parsed(text: str) -> tuple[Version | None, int]:
    """The version, and how many numbers were written."""
    match = _VERSION.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if match is None:
        return None, 0
    written = [int(number) for number in match[1].split(".")]
    major, minor, patch = [*written, 0, 0][:3]
    return Version((major, minor, patch), match[2] or ""), len(written)


@dataclass(frozen=True)
class _Condition:
    operator: str
    version: Version
    written: int

    def allows(self, other: Version) -> bool:
        mine = self.version
        match self.operator:
            case "=":
                return other == mine
            case "!=":
                return other != mine
            case ">":
                return other > mine
            case ">=":
                return other >= mine
            case "<":
                return other < mine
            case "<=":
                return other <= mine
            case _:  # `~>`: only the last number that was written may grow
                fixed = max(self.written - 1, 0)
                return other >= mine and other.numbers[:fixed] == mine.numbers[:fixed]


@dataclass(frozen=True)
class Constraint:
    """`text` is how it was written; without conditions it allows every version."""

    text: str
    conditions: tuple[_Condition, ...] = ()

    def allows(self, other: Version) -> bool:
        """By order alone; whether a pre-release was asked for is known to `allowed`."""
        return all(condition.allows(other) for condition in self.conditions)

    @property
    def exact(self) -> Version | None:
        """The one version that `=` names, if it does."""
        named = (c.version for c in self.conditions if c.operator == "=")
        return next(named, None)


ANY = Constraint("any version")


def allowed(constraints: Iterable[Constraint], other: Version) -> bool:
    """Whether all of them allow it, and one names it if it is a pre-release."""
    given = tuple(constraints)
    named = not other.prerelease or any(each.exact == other for each in given)
    return named and all(each.allows(other) for each in given)


def can_be_met(constraints: Iterable[Constraint]) -> bool:
    """Whether there could be a version that meets them all.

    A version that `=` names is the only one there can be. Else the smallest release that is
    high enough and not excluded decides, because what is too high for it is so for all above.
    """
    given = tuple(constraints)
    exact = next((each.exact for each in given if each.exact is not None), None)
    if exact is not None:
        return allowed(given, exact)
    conditions = [condition for each in given for condition in each.conditions]
    floors = (c.version.numbers for c in conditions if c.operator in (">", ">=", "~>"))
    passed = {c.version for c in conditions if c.operator in (">", "!=")}
    major, minor, patch = max(floors, default=(0, 0, 0))
    while Version((major, minor, patch)) in passed:
        patch += 1
    return allowed(given, Version((major, minor, patch)))


def constraint(text: str) -> Constraint:
    """`1.9.8`, `>= 1.9, < 2`, `~> 1.9.0`. Raises ValueError(BadConstraint)."""
    if len(text) > MAX_LENGTH:
        raise ValueError(BadConstraint())
    return Constraint(" ".join(text.split()), tuple(_conditions(text)))


def _conditions(text: str) -> Iterable[_Condition]:
    for part in text.split(","):
        match = _CONDITION.fullmatch(part)
        found, written = _parsed(match[2]) if match else (None, 0)
        if match is None or found is None:
            raise ValueError(BadConstraint())
        yield _Condition(match[1] or "=", found, written)
