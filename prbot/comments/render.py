"""Messages become comments: `render` is a pure function from what is to be said to Markdown.

Lays out, neutralises and fits. Jinja's own escaping is for HTML and is off; instead the
environment refuses to print anything that `neutral` has not made `Safe`, so that a
forgotten filter is an error in the tests and not a hole. What is not promised: that
Markdown looks the same on every forge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from prbot.comments import view
from prbot.comments.budget import GITHUB_LIMIT as GITHUB_LIMIT
from prbot.comments.budget import Budget, ladder_for
from prbot.comments.continued import Lists, any_left, left, pages, size
from prbot.comments.customs import GITHUB, Customs
from prbot.comments.environment import environment
from prbot.comments.fitting import SMALLEST_LIMIT as SMALLEST_LIMIT
from prbot.comments.fitting import gathered, marker_line
from prbot.comments.neutral import Safe
from prbot.comments.same import together
from prbot.runs.say import (
    AppliedUnmerged,
    ApplyReport,
    Cancelled,
    CheckSummary,
    CorrectionReport,
    Failure,
    Help,
    Hint,
    HoldReport,
    InterruptedReport,
    Message,
    NoProjects,
    NotMerged,
    OrphansAccepted,
    OrphansLeft,
    OverrideIssue,
    PlanReport,
    PlansExpired,
    Progress,
    ProjectResult,
    Refusal,
    Settled,
    StateChanged,
    StateUnlocked,
    TooMany,
    Unlocked,
    UnmergedIssue,
    UnmergedSettled,
    Versions,
    Waiting,
)

AT_HOME = "shown by `prbot plan` on a machine of your own"


def render(
    message: Message,
    *,
    marker: str,
    limit: int = GITHUB_LIMIT,
    command: str = "prbot",
    customs: Customs = GITHUB,
) -> str:
    """The comment's Markdown, at most `limit` UTF-16 units (so never more characters).

    `marker` stands in the last line as `<!-- marker -->`; `command` is the first word of
    the commands it names, `customs` are the forge's. Raises ValueError for a marker that
    cannot stand in an HTML comment, or a limit under SMALLEST_LIMIT.
    """
    return _fitting(_Page(message, marker, limit, command, _groups(message), customs=customs))[0]


def parts(
    message: Message,
    *,
    markers: Sequence[str],
    limit: int = GITHUB_LIMIT,
    command: str = "prbot",
    beyond: str = "",
    customs: Customs = GITHUB,
) -> tuple[str, ...]:
    """The same, its lists going on in further comments where they do not fit: as many as there
    are markers at most. The last one counts what is still left, and says that it stands `beyond`.
    """
    page = _Page(
        message, markers[0], limit, command, _groups(message), len(markers), beyond, customs
    )
    text, budget = _fitting(page)
    lists = _lists(page, budget)
    if len(markers) == 1 or not any_left(lists, budget):
        return (text,)
    texts = pages(left(lists, budget), limit - _frame(page, markers), len(markers) - 1)
    of = 1 + len(texts.texts)
    further = (
        _framed(page, text, at, of, texts.more if at == of else 0, markers[at - 1])
        for at, text in enumerate(texts.texts, start=2)
    )
    return (_whole(replace(page, of=of), budget), *further)


def behind(
    message: Message,
    *,
    markers: Sequence[str],
    limit: int = GITHUB_LIMIT,
    command: str = "prbot",
    beyond: str = "",
    customs: Customs = GITHUB,
) -> str:
    """What all of these `parts` have no room for, as much of it as one more text of `limit`
    holds; empty when there is room for everything. It says `AT_HOME` of what is still left."""
    page = _Page(
        message, markers[0], limit, command, _groups(message), len(markers), beyond, customs
    )
    budget = _fitting(page)[1]
    room = limit - _frame(page, markers)
    filled = pages(left(_lists(page, budget), budget), room, len(markers))
    if len(filled.texts) < len(markers):
        return ""
    return _framed(page, filled.texts[-1], 0, 0, filled.more, markers[0])


@dataclass(frozen=True)
class _Page:
    """The first comment of `of`, at most."""

    message: Message
    marker: str
    limit: int
    command: str
    groups: tuple[tuple[ProjectResult, ...], ...]
    of: int = 1
    beyond: str = ""
    customs: Customs = GITHUB

    @property
    def last_line(self) -> Safe:
        if self.limit < SMALLEST_LIMIT:
            raise ValueError(f"a comment needs at least {SMALLEST_LIMIT} characters")
        return marker_line(self.marker)


def _fitting(page: _Page) -> tuple[str, Budget]:
    for budget in ladder_for(page.limit):
        goes_on = page.of > 1 and any_left(_lists(page, budget), budget)
        text = _written(page if goes_on else replace(page, of=1), budget)
        if text is not None:
            return text, budget
    raise AssertionError("the last rung of the ladder fits every limit")


def _whole(page: _Page, budget: Budget) -> str:
    text = _written(page, budget)
    if text is None:
        raise AssertionError("it fitted a moment ago")
    return text


def _written(page: _Page, budget: Budget) -> str | None:
    """None when it does not fit."""
    last_line, message = page.last_line, page.message
    pieces = (
        environment(page.customs)
        .get_template(_template(message))
        .generate(
            message=message,
            budget=budget,
            command=page.command,
            shortened=budget is not ladder_for(page.limit)[0],
            of=page.of,
            page=message.page if isinstance(message, PlanReport) else "",
            head=message.head if isinstance(message, PlanReport) else "",
            projects=_projects(message, budget, page.command),
            rows=view.rows(page.groups, budget, page.command, _verbose(message)),
        )
    )
    text = gathered(pieces, 2 * page.limit)
    if text is None:
        return None
    whole = f"{text.strip()}\n\n{last_line}\n"
    return whole if size(whole) <= page.limit else None


def _lists(page: _Page, budget: Budget) -> Lists:
    """What of the message can be longer than a comment."""
    message, command = page.message, page.command
    match message:
        case PlanReport() | HoldReport():
            rows = view.rows(page.groups, budget, command, _verbose(message))
            return Lists(rows, len(message.results) > 1, _has_section(message))
        case ApplyReport():
            rows = view.views(message.results, budget, command)
            return Lists(rows, True, view.tells_of_apply)
        case TooMany():
            return Lists(projects=message.projects)
    return Lists()


def _verbose(message: Message) -> bool:
    return isinstance(message, PlanReport) and message.verbose


def _has_section(message: Message) -> Callable[[view.ProjectView], bool]:
    return lambda one: isinstance(message, HoldReport) or not one.quiet


def _frame(page: _Page, markers: Sequence[str]) -> int:
    """Units around the list of every comment behind the first, and of what is behind them."""
    empty, many = Safe(""), 10**9
    numbered = zip((*range(2, len(markers) + 1), 0), (*markers[1:], markers[0]), strict=True)
    return max(size(_framed(page, empty, at, 9, many, marker)) for at, marker in numbered)


def _framed(page: _Page, text: Safe, number: int, of: int, more: int, marker: str) -> str:
    """Of `number` 0: what stands behind all the comments, and is none."""
    template = environment(page.customs).get_template("continued.md.j2")
    told = template.render(
        number=number,
        of=of,
        text=text,
        more=more,
        beyond=page.beyond if number else AT_HOME,
        these=Safe("these" if number else "the"),
        head=page.message.head if isinstance(page.message, PlanReport) else "",
        what=_what(page),
    )
    return f"{told.strip()}\n\n{marker_line(marker)}\n"


def _what(page: _Page) -> str:
    match page.message:
        case PlanReport():
            return "Plan"
        case ApplyReport():
            return "Applied"
        case HoldReport():
            return "Held"
    return "Not planned yet"


def _projects(message: Message, budget: Budget, command: str) -> tuple[view.ProjectView, ...]:
    if isinstance(message, PlanReport | ApplyReport | HoldReport | CheckSummary):
        return view.views(message.results, budget, command)
    return ()


def _groups(message: Message) -> tuple[tuple[ProjectResult, ...], ...]:
    """Only plans are told together; what was applied or held is told one by one."""
    if isinstance(message, PlanReport):
        return together(message.results)
    results = message.results if isinstance(message, ApplyReport | HoldReport) else ()
    return tuple((result,) for result in results)


def _template(message: Message) -> str:
    match message:
        case PlanReport():
            return "plan.md.j2"
        case OrphansAccepted():
            return "orphans_accepted.md.j2"
        case OrphansLeft():
            return "orphans_left.md.j2"
        case ApplyReport():
            return "applied.md.j2"
        case StateChanged():
            return "state_changed.md.j2"
        case Versions():
            return "versions.md.j2"
        case NotMerged():
            return "not_merged.md.j2"
        case HoldReport():
            return "held.md.j2"
        case CheckSummary():
            return "check.md.j2"
        case Progress():
            return "progress.md.j2"
        case Refusal():
            return "refused.md.j2"
        case Failure():
            return "failure.md.j2"
        case NoProjects():
            return "no_projects.md.j2"
        case TooMany():
            return "too_many.md.j2"
        case Unlocked():
            return "unlocked.md.j2"
        case Cancelled():
            return "cancelled.md.j2"
        case Waiting():
            return "waiting.md.j2"
        case CorrectionReport():
            return "corrected.md.j2"
        case InterruptedReport():
            return "interrupted.md.j2"
        case StateUnlocked():
            return "state_unlocked.md.j2"
        case PlansExpired():
            return "expired.md.j2"
        case AppliedUnmerged():
            return "applied_unmerged.md.j2"
        case UnmergedIssue():
            return "unmerged_issue.md.j2"
        case UnmergedSettled():
            return "unmerged_settled.md.j2"
        case OverrideIssue():
            return "override_issue.md.j2"
        case Settled():
            return "settled.md.j2"
        case Help():
            return "help.md.j2"
        case Hint():
            return "hint.md.j2"
        case _:
            assert_never(message)
