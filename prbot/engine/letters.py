"""What is to be said becomes a letter: rendered, redacted, marked as ours."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from prbot.comments.neutral import clean
from prbot.comments.render import render
from prbot.comments.words import result_words
from prbot.engine.world import World
from prbot.model import ProjectKey, PullRef
from prbot.ports import CheckReport, CommentLetter, FoldLetter, StatusLetter, StatusState
from prbot.runs.checks import CheckDetail
from prbot.runs.say import CheckSummary
from prbot.runs.steps import Check, Fold, Say, SetStatus

ROOM = 60_000
"""Characters a comment is rendered to; the redactor may make it longer, GitHub takes 65,536."""
LONGEST_PROJECT = 120
"""In the name of a check."""


def comment_letter(world: World, pull: PullRef, say: Say) -> CommentLetter:
    marker = _marker(world, pull, say.topic)
    text = render(say.message, marker=marker, limit=ROOM)
    return CommentLetter(f"<!-- {marker} -->", world.redactor.redact(text))


def fold_letter(world: World, pull: PullRef, step: Fold) -> FoldLetter:
    return FoldLetter(f"<!-- {_marker(world, pull, step.topic)} -->")


def _marker(world: World, pull: PullRef, topic: str) -> str:
    return f"prbot:{world.settings.installation}:{pull.number}:{topic}"


def status_letter(world: World, pull: PullRef, step: SetStatus) -> StatusLetter | None:
    """None for a project's own where the forge shows none beside the two."""
    settings, shows = world.settings, world.forge_of(pull.repo).shows_reports
    context = settings.plan_check if step.check is Check.PLAN else settings.apply_check
    words = step.description
    if step.project is not None:
        if not shows:
            return None
        context = _name_of(world, context, step.project)
        words = words or ", ".join(map(result_words, step.detail.results if step.detail else ()))
    text = world.redactor.redact(words)
    report = _report(world, text, step.detail) if step.detail is not None and shows else None
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
