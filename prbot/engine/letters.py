"""What is to be said becomes a letter: rendered, redacted, marked as ours."""

from __future__ import annotations

from prbot.comments.render import render
from prbot.engine.world import World
from prbot.model import PullRef
from prbot.ports import CommentLetter, StatusLetter, StatusState
from prbot.runs.steps import Check, Say, SetStatus

ROOM = 60_000
"""Characters a comment is rendered to; the redactor may make it longer, GitHub takes 65,536."""


def comment_letter(world: World, pull: PullRef, say: Say) -> CommentLetter:
    marker = f"prbot:{world.settings.installation}:{pull.number}:{say.topic}"
    text = render(say.message, marker=marker, limit=ROOM)
    return CommentLetter(f"<!-- {marker} -->", world.redactor.redact(text))


def status_letter(world: World, step: SetStatus) -> StatusLetter:
    settings = world.settings
    context = settings.plan_check if step.check is Check.PLAN else settings.apply_check
    text = world.redactor.redact(step.description)
    return StatusLetter(step.sha, context, StatusState(step.verdict.value), text)
