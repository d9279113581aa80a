"""What is to be said becomes a letter: redacted, rendered, redacted again, marked as ours.

Twice, because half of a secret is none that the redactor would know: names are hidden before
they are cut to fit, and what our own words add after.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from prbot.comments.drift_issue import drift_title, render_drift
from prbot.comments.issues import issue_title
from prbot.comments.neutral import clean
from prbot.comments.render import AT_HOME, behind, parts, render
from prbot.comments.tool_words import tool_log
from prbot.comments.words import result_words
from prbot.drift.signals import Signal, document
from prbot.drift.tell import DriftMessage, IssueText, Unproven, Withdrawn
from prbot.engine.hidden import hidden
from prbot.engine.logs import Logs
from prbot.engine.world import World
from prbot.model import ProjectKey, PullRef, RepoRef
from prbot.ports.forge import CheckReport, StatusState
from prbot.ports.outbox import (
    CommentLetter,
    FoldLetter,
    IssueCommentLetter,
    IssueLetter,
    SignalLetter,
    StatusLetter,
    WithdrawLetter,
)
from prbot.runs.checks import CheckDetail
from prbot.runs.say import CheckSummary, Message, PlanReport
from prbot.runs.steps import Check, Fold, Say, SetStatus, WriteIssue

MOST_PARTS = 3
"""Comments that one report may have; what goes on behind them stands in the check."""
SHORTER = "The list above is shorter by now, and does not go on here any more."
LONGEST_PROJECT = 120
"""In the name of a check."""
Parts = tuple[CommentLetter, ...]
NO_LOGS: Logs = {}


def comment_letter(world: World, pull: PullRef, say: Say) -> CommentLetter:
    """One comment, whatever has no room in it."""
    marker = _marker(world, pull, say.topic)
    message = hidden(world.redactor, say.message)
    return _comment(world, marker, _render(world, pull.repo, message, marker))


def comment_letters(world: World, pull: PullRef, say: Say, again: bool = False) -> Parts:
    """The comment, and those its lists go on in. `again`: an earlier run told under this topic,
    perhaps more; then what is not needed any more says so, where it was written."""
    markers = [_marker(world, pull, topic) for topic in _topics(say.topic)]
    texts = _parts(world, pull, say.message, markers)
    found = [_comment(world, *each) for each in zip(markers, texts, strict=False)]
    for marker in markers[len(texts) :] if again else ():
        text = world.redactor.redact(f"{SHORTER}\n\n<!-- {marker} -->\n")
        found.append(CommentLetter(f"<!-- {marker} -->", text, if_written=True))
    return tuple(found)


def _parts(world: World, pull: PullRef, message: Message, markers: list[str]) -> tuple[str, ...]:
    told, beyond = _with_checks(world, pull, message), _beyond(world, pull)
    customs = world.forge_of(pull.repo).customs
    return parts(told, markers=markers, limit=customs.room, beyond=beyond, customs=customs)


def _render(world: World, repo: RepoRef, message: Message, marker: str) -> str:
    customs = world.forge_of(repo).customs
    return render(message, marker=marker, limit=customs.room, customs=customs)


def _with_checks(world: World, pull: PullRef, message: Message) -> Message:
    told = hidden(world.redactor, message)
    shows = world.forge_of(pull.repo).shows_reports
    return told.with_checks() if isinstance(told, PlanReport) and told.page and shows else told


def _comment(world: World, marker: str, text: str) -> CommentLetter:
    return CommentLetter(f"<!-- {marker} -->", world.redactor.redact(text))


def _beyond(world: World, pull: PullRef) -> str:
    """Where what no comment has room for is told."""
    if not world.forge_of(pull.repo).shows_reports:
        return AT_HOME
    return f"listed in the check `{world.settings.plan_check}`"


def _topics(topic: str, most: int = MOST_PARTS) -> tuple[str, ...]:
    return (topic, *(f"{topic} part {number}" for number in range(2, most + 1)))


def fold_letters(world: World, pull: PullRef, step: Fold) -> tuple[FoldLetter, ...]:
    topics = _topics(step.topic)
    return tuple(FoldLetter(f"<!-- {_marker(world, pull, topic)} -->") for topic in topics)


def part_key(verb: str, number: int, topic: str) -> str:
    """When a run's report was written is when the first (0) of its comments was."""
    return f"also {verb} {number} {topic}" if number else f"{verb} {topic}"


LABELS = ("prbot",)
"""Of every issue we write."""


def issue_letter(world: World, repo: RepoRef, step: WriteIssue) -> IssueLetter:
    marker = f"prbot:{world.settings.installation}:issue:{step.topic}"
    message = hidden(world.redactor, step.message)
    body = world.redactor.redact(_render(world, repo, message, marker))
    title = world.forge_of(repo).customs.told(issue_title(message))
    return IssueLetter(f"<!-- {marker} -->", title, body, LABELS, step.is_open)


def drift_letter(world: World, place: RepoRef, marker: str, text: IssueText) -> IssueLetter:
    """The issue with this marker; whether it is open the caller says."""
    body = world.redactor.redact(_drift(world, place, marker, text))
    title = world.redactor.redact(drift_title(hidden(world.redactor, text)))
    return IssueLetter(f"<!-- {marker} -->", title, body, (*LABELS, "drift"), None)


def signal_letter(world: World, delivery: str, signal: Signal) -> SignalLetter:
    """Names are redacted one by one: in the text as a whole a secret could be a piece of JSON."""
    told = document(world.redactor.redact_values(signal), delivery)
    return SignalLetter(delivery, json.dumps(told))


def drift_comment(
    world: World, place: RepoRef, issue: str, marker: str, said: DriftMessage | Message
) -> IssueCommentLetter:
    """A comment below an issue; `issue` is the marker in its letter."""
    if isinstance(said, Message):
        told = _render(world, place, hidden(world.redactor, said), marker)
    else:
        told = _drift(world, place, marker, said)
    body = world.redactor.redact(told)
    return IssueCommentLetter(issue, f"<!-- {marker} -->", body)


def withdraw_letter(world: World, pull: PullRef, branch: str, said: Withdrawn) -> WithdrawLetter:
    """A pull request of ours is closed, with a sentence."""
    marker = _marker(world, pull, "withdrawn")
    body = world.redactor.redact(_drift(world, pull.repo, marker, said))
    return WithdrawLetter(branch, f"<!-- {marker} -->", body)


def unproven_letter(world: World, pull: PullRef, said: Unproven) -> CommentLetter:
    """One comment, edited when another plan still changes something."""
    marker = _marker(world, pull, "unproven")
    return _comment(world, marker, _drift(world, pull.repo, marker, said))


def _drift(world: World, place: RepoRef, marker: str, said: DriftMessage) -> str:
    customs = world.forge_of(place).customs
    message = hidden(world.redactor, said)
    return render_drift(message, marker=marker, limit=customs.room, customs=customs)


def _marker(world: World, pull: PullRef, topic: str) -> str:
    return f"prbot:{world.settings.installation}:{pull.number}:{topic}"


def status_letter(
    world: World, pull: PullRef, step: SetStatus, logs: Logs = NO_LOGS
) -> StatusLetter | None:
    """None for a project's own where the forge shows none beside the two. `logs` are what the
    tool said where it did not fail."""
    settings, shows = world.settings, world.forge_of(pull.repo).shows_reports
    context = settings.plan_check if step.check is Check.PLAN else settings.apply_check
    words = step.description
    if step.project is not None:
        if not shows:
            return None
        context = _name_of(world, context, step.project)
        words = words or ", ".join(map(result_words, step.detail.results if step.detail else ()))
    text = world.redactor.redact(world.forge_of(pull.repo).customs.told(words))
    detail = step.detail if shows else None
    report = None if detail is None else _report(world, pull, text, detail, logs)
    state, beside = StatusState(step.verdict.value), step.project is not None
    return StatusLetter(step.sha, context, state, text, report=report, beside=beside)


def _name_of(world: World, context: str, project: ProjectKey) -> str:
    """`prbot/plan: envs/prod`; what cannot be shown as it is keeps a name of its own."""
    name = str(project)
    shown = " ".join(_plain(world, name).split())
    if shown != name or len(shown) > LONGEST_PROJECT:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        shown = f"{shown[:LONGEST_PROJECT]} {digest}"
    return f"{context}: {shown}"


def _report(world: World, pull: PullRef, line: str, detail: CheckDetail, logs: Logs) -> CheckReport:
    results = hidden(world.redactor, detail.results)
    orphans = hidden(world.redactor, detail.orphans)
    summary = line
    if results or orphans:
        told = CheckSummary(results, orphans)
        summary = _render(world, pull.repo, told, "prbot:check")
    notes = tuple(
        replace(note, title=_plain(world, note.title), message=_plain(world, note.message))
        for note in detail.notes
    )
    text = world.redactor.redact(summary)
    shown = world.redactor.redact(detail.mark)
    mark = detail.mark if shown == detail.mark else ""  # a name may hold a secret
    lists = _behind(world, pull, detail.topic, detail.report) if detail.report else ""
    said = tool_log(results, logs, world.forge_of(pull.repo).customs.room - len(lists))
    more = world.redactor.redact(f"{lists}\n\n{said}".strip())
    return CheckReport(text, notes=notes, buttons=detail.buttons, mark=mark, text=more)


def _behind(world: World, pull: PullRef, topic: str, report: PlanReport) -> str:
    """The lists that no comment holds."""
    markers = [_marker(world, pull, each) for each in _topics(topic)]
    told, beyond = _with_checks(world, pull, report), _beyond(world, pull)
    customs = world.forge_of(pull.repo).customs
    return behind(told, markers=markers, limit=customs.room, beyond=beyond, customs=customs)


def _plain(world: World, text: str) -> str:
    return world.redactor.redact(clean(text))
