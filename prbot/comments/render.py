"""Messages become comments: `render` is a pure function from what is to be said to Markdown.

Lays out, neutralises and fits. Jinja's own escaping is for HTML and is off; instead the
environment refuses to print anything that `neutral` has not made `Safe`, so that a
forgotten filter is an error in the tests and not a hole. What is not promised: that
Markdown looks the same on every forge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import assert_never

from jinja2 import Environment, PackageLoader, StrictUndefined

from prbot.comments import neutral, view, words
from prbot.comments.budget import LADDER, Budget
from prbot.comments.commands import command_for
from prbot.comments.in_code import first_place
from prbot.comments.known_errors import advice
from prbot.comments.left_behind import import_blocks
from prbot.comments.neutral import Safe
from prbot.comments.renamed import moved_blocks
from prbot.comments.same import together
from prbot.comments.tool_words import tool_words
from prbot.runs.run import Trouble
from prbot.runs.say import (
    AppliedUnmerged,
    ApplyReport,
    Cancelled,
    CheckSummary,
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
    PlanReport,
    PlansExpired,
    Progress,
    ProjectResult,
    Refusal,
    Settled,
    StateUnlocked,
    TooMany,
    Unlocked,
    Waiting,
)

GITHUB_LIMIT = 65_536
SMALLEST_LIMIT = 1_000
LONGEST_MARKER = 160

_WORDS = (
    words.plural,
    words.age_words,
    words.total_words,
    words.result_words,
    words.beside_words,
    words.with_words,
    words.bold,
    words.number,
    words.is_are,
    words.its_their,
    words.was_were,
    words.it_was,
    words.tools,
    words.sizes,
    words.short_sha,
)
_MARKER = re.compile(r"[!-;=?-~][ -;=?-~]*\Z")


def render(
    message: Message, *, marker: str, limit: int = GITHUB_LIMIT, command: str = "prbot"
) -> str:
    """The comment's Markdown, at most `limit` UTF-16 units (so never more characters).

    `marker` stands in the last line as `<!-- marker -->`; `command` is the first word of
    the commands it names. Raises ValueError for a marker that cannot stand in an HTML
    comment, or a limit under SMALLEST_LIMIT.
    """
    last_line = _marker_line(marker)
    if limit < SMALLEST_LIMIT:
        raise ValueError(f"a comment needs at least {SMALLEST_LIMIT} characters")
    template = _environment().get_template(_template(message))
    groups = _groups(message)
    for rung, budget in enumerate(LADDER):
        pieces = template.generate(
            message=message,
            budget=budget,
            command=command,
            shortened=rung > 0,
            page=message.page if isinstance(message, PlanReport) else "",
            head=message.head if isinstance(message, PlanReport) else "",
            projects=_projects(message, budget, command),
            rows=view.rows(
                groups, budget, command, isinstance(message, PlanReport) and message.verbose
            ),
        )
        text = _gathered(pieces, 2 * limit)
        if text is not None and _size(whole := f"{text.strip()}\n\n{last_line}\n") <= limit:
            return whole
    raise AssertionError("the last rung of the ladder fits every limit")


def _gathered(pieces: Iterable[str], most: int) -> str | None:
    """The text, or None as soon as it is longer than anything that could fit."""
    kept, length = [], 0
    for piece in pieces:
        kept.append(piece)
        length += len(piece)
        if length > most:
            return None
    return "".join(kept)


def _marker_line(marker: str) -> Safe:
    if len(marker) > LONGEST_MARKER or not _MARKER.match(marker) or "--" in marker:
        raise ValueError("the marker cannot stand in an HTML comment")
    return Safe(f"<!-- {marker} -->")


def _size(text: str) -> int:
    """UTF-16 units: what the strictest forge could count."""
    return len(text.encode("utf-16-le", "replace")) // 2


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
        case InterruptedReport():
            return "interrupted.md.j2"
        case StateUnlocked():
            return "state_unlocked.md.j2"
        case PlansExpired():
            return "expired.md.j2"
        case AppliedUnmerged():
            return "applied_unmerged.md.j2"
        case Settled():
            return "settled.md.j2"
        case Help():
            return "help.md.j2"
        case Hint():
            return "hint.md.j2"
        case _:
            assert_never(message)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("prbot.comments"),
        autoescape=False,  # noqa: S701 - Markdown, not HTML; `finalize` lets only Safe through
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_only_safe,
    )
    filters = (
        neutral.code,
        neutral.cell,
        neutral.prose,
        neutral.fence,
        neutral.html_code,
        neutral.mention,
    )
    environment.filters |= {function.__name__: function for function in filters}
    environment.globals |= {
        **{function.__name__: function for function in _WORDS},
        "cut": view.cut,
        "tool_words": _tool_words,
        "command_for": command_for,
        "import_blocks": import_blocks,
        "moved_blocks": moved_blocks,
        "advice": advice,
        "first_place": first_place,
        "link": neutral.link,
    }
    return environment


def _tool_words(trouble: Trouble, budget: Budget) -> tuple[str, str]:
    return tool_words(trouble, budget.text)


def _only_safe(value: object) -> object:
    # numbers cannot do harm; a macro's result is made of what was let through before
    if isinstance(value, Safe | int):
        return value
    raise TypeError(f"a template prints {type(value).__name__} that was not neutralised")
