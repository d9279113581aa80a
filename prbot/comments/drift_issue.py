"""Issues about drift, and the comments below them: `render_drift` makes Markdown of what is told.

As `render`: everything passes the neutraliser, and goes down the ladder until it fits. Titles
are plain text, which no forge renders.
"""

from __future__ import annotations

from typing import assert_never

from prbot.comments.budget import LADDER, Budget
from prbot.comments.customs import GITHUB, Customs
from prbot.comments.environment import environment
from prbot.comments.fitting import SMALLEST_LIMIT, gathered, marker_line, size
from prbot.comments.neutral import one_line
from prbot.comments.render import GITHUB_LIMIT
from prbot.drift.incidents import Alike
from prbot.drift.issue import DriftIssue, Kind
from prbot.drift.tell import (
    BaselineBody,
    Changed,
    DriftMessage,
    EndedBody,
    IncidentBody,
    IssueBody,
    IssueText,
    Joined,
    Over,
    OverflowBody,
    Reply,
    Unproven,
    Withdrawn,
)

TITLES = {
    Alike.FAILURE: "Drift: projects cannot be checked, for one reason",
    Alike.UPGRADE: "Drift: projects drift since a provider has another version",
    Alike.UNAPPLIED: "Drift: projects wait for one unapplied change",
}
LONGEST_TITLE = 200
"""GitLab takes 255 characters, GitHub 256."""


def render_drift(
    message: DriftMessage,
    *,
    marker: str,
    limit: int = GITHUB_LIMIT,
    command: str = "prbot",
    customs: Customs = GITHUB,
) -> str:
    """At most `limit` UTF-16 units, `marker` in its last line. Raises ValueError as `render`."""
    if limit < SMALLEST_LIMIT:
        raise ValueError(f"an issue needs at least {SMALLEST_LIMIT} characters")
    last_line = marker_line(marker)
    for budget in LADDER:
        text = _written(message, budget, command, customs, 2 * limit)
        whole = f"{text.strip()}\n\n{last_line}\n" if text is not None else ""
        if whole and size(whole) <= limit:
            return whole
    raise AssertionError("the last rung of the ladder fits every limit")


def _written(
    message: DriftMessage, budget: Budget, command: str, customs: Customs, most: int
) -> str | None:
    template = environment(customs).get_template(_template(message))
    shortened = budget is not LADDER[0]
    told = {"message": message, "budget": budget, "command": command, "shortened": shortened}
    return gathered(template.generate(told), most)


def _template(message: DriftMessage) -> str:
    match message:
        case IssueBody():
            return "drift_issue.md.j2"
        case IncidentBody(incident):
            return f"drift_{incident.kind}.md.j2"
        case OverflowBody():
            return "drift_overflow.md.j2"
        case BaselineBody():
            return "drift_baseline.md.j2"
        case EndedBody():
            return "drift_ended.md.j2"
        case Changed():
            return "drift_changed.md.j2"
        case Over():
            return "drift_over.md.j2"
        case Joined():
            return "drift_joined.md.j2"
        case Reply():
            return "drift_reply.md.j2"
        case Withdrawn():
            return "drift_withdrawn.md.j2"
        case Unproven():
            return "drift_unproven.md.j2"
        case _:
            assert_never(message)


def drift_title(message: IssueText) -> str:
    """It stays the same as long as the issue does."""
    match message:
        case IssueBody(issue):
            return _of_group(issue)
        case EndedBody(kind, group) if kind in set(Kind):
            return _of_group(DriftIssue(Kind(kind), group, ()))
        case IncidentBody(incident):
            return TITLES[incident.kind]
        case EndedBody(kind) if kind in set(Alike):
            return TITLES[Alike(kind)]
        case OverflowBody() | EndedBody():
            return "Drift: what has no issue of its own"
        case BaselineBody():
            return "Drift: how everything stands before the first alert"
        case _:
            assert_never(message)


def _of_group(issue: DriftIssue) -> str:
    what = "Drift in" if issue.kind is Kind.DRIFT else "Cannot be checked for drift:"
    return one_line(f"{what} {issue.place}", LONGEST_TITLE)
