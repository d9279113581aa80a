"""What is to be said becomes a letter: rendered, redacted, marked as ours."""

from __future__ import annotations

from dataclasses import replace

from prbot.comments.neutral import clean
from prbot.comments.render import render
from prbot.engine.world import World
from prbot.model import PullRef
from prbot.ports import CheckReport, CommentLetter, FoldLetter, StatusLetter, StatusState
from prbot.runs.checks import CheckDetail
from prbot.runs.say import CheckSummary
from prbot.runs.steps import Check, Fold, Say, SetStatus

ROOM = 60_000
"""Characters a comment is rendered to; the redactor may make it longer, GitHub takes 65,536."""


def comment_letter(world: World, pull: PullRef, say: Say) -> CommentLetter:
    marker = _marker(world, pull, say.topic)
    text = render(say.message, marker=marker, limit=ROOM)
    return CommentLetter(f"<!-- {marker} -->", world.redactor.redact(text))


def fold_letter(world: World, pull: PullRef, step: Fold) -> FoldLetter:
    return FoldLetter(f"<!-- {_marker(world, pull, step.topic)} -->")


def _marker(world: World, pull: PullRef, topic: str) -> str:
    return f"prbot:{world.settings.installation}:{pull.number}:{topic}"


def status_letter(world: World, pull: PullRef, step: SetStatus) -> StatusLetter:
    settings = world.settings
    context = settings.plan_check if step.check is Check.PLAN else settings.apply_check
    text = world.redactor.redact(step.description)
    report = None
    if step.detail is not None and world.forge_of(pull.repo).shows_reports:
        report = _report(world, text, step.detail)
    return StatusLetter(step.sha, context, StatusState(step.verdict.value), text, report=report)


def _report(world: World, line: str, detail: CheckDetail) -> CheckReport:
    summary = line
    if detail.results or detail.orphans:
        told = CheckSummary(detail.results, detail.orphans)
        summary = render(told, marker="prbot:check", limit=ROOM)
    notes = tuple(
        replace(note, title=_plain(world, note.title), message=_plain(world, note.message))
        for note in detail.notes
    )
    text = world.redactor.redact(summary)
    return CheckReport(text, notes=notes, buttons=detail.buttons, mark=detail.mark)


def _plain(world: World, text: str) -> str:
    return world.redactor.redact(clean(text))
