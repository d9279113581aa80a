"""Why something is not done: what every predicate returns, and people are told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One unmet requirement: what is missing, and who or what unblocks it. `comes`: others, or
    time, bring it about without the commenter."""

    requirement: str
    message: str
    unblock: str
    comes: bool = False


Reasons = tuple[Reason, ...]
