"""What a pull request of prbot's own says of itself: what was changed by hand, what it changes,
and what is left to people. Its lists end where there is no room; the plan below it tells all."""

from __future__ import annotations

from prbot.comments.customs import GITHUB, Customs
from prbot.comments.environment import environment
from prbot.drift.proposing import Proposed

MOST_ROWS = 12
"""Of each list: with the longest names and sentences still below what GitHub takes."""


def proposal_body(told: Proposed, customs: Customs = GITHUB) -> str:
    """Markdown that fits every forge, and cannot break out."""
    template = environment(customs).get_template("drift_proposal.md.j2")
    text: str = template.render(told=told, most=MOST_ROWS)
    return text.strip() + "\n"
