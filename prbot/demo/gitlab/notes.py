"""Notes of merge requests, awards to them, and plain issues."""

from __future__ import annotations

import re
from typing import Any

from prbot.demo.gitlab.call import Answer, Call, bad, missing, too_long
from prbot.demo.gitlab.merge_shapes import REVIEW_NOTES
from prbot.demo.state import Comment
from prbot.errors.demo import DemoForgeRefused

EMOJI = ("eyes", "thumbsup", "thumbsdown", "rocket", "heart", "tada")
TITLE_LIMIT = 255
QUICK_ACTION = re.compile(r"^/(approve|close|merge)(?: [^\n]*)?(?:\s*\n|$)", re.MULTILINE)
"""Three of https://docs.gitlab.com/user/project/quick_actions/"""


async def notes(call: Call) -> Answer:
    """People's and GitLab's own; newest first unless `sort=asc`. Internal ones are shown to
    members."""
    shapes, member = call.shapes, call.repo.is_collaborator(call.login)
    said = [(c.created_at, c.id, shapes.note(c)) for c in _visible(call, member)]
    if call.query.get("activity_filter") != "only_comments":
        reviews = (r for r in call.pull.reviews if r.state in REVIEW_NOTES)
        said += [(r.submitted_at, r.id, shapes.review_note(r)) for r in reviews]
    said.sort(key=lambda one: one[:2], reverse=call.query.get("sort") != "asc")
    return Answer([shape for _, _, shape in said])


def _visible(call: Call, member: bool) -> list[Comment]:
    return [comment for comment in call.pull.comments if member or not comment.internal]


async def issue_notes(call: Call) -> Answer:
    """Of an issue: what people said; newest first unless `sort=asc`."""
    said = sorted(call.issue.comments, key=lambda one: (one.created_at, one.id))
    shown = said if call.query.get("sort") == "asc" else said[::-1]
    return Answer([call.shapes.note(comment) for comment in shown])


async def create_on_issue(call: Call) -> Answer:
    comment = await call.forge.comment(call.issue, call.login, _text(call, "body"))
    return Answer(call.shapes.note(comment), 201)


async def create(call: Call) -> Answer:
    """Lines that are quick actions are carried out and do not stand in the note."""
    text, internal = _text(call, "body"), call.flag("internal")
    body, actions = QUICK_ACTION.sub("", text), QUICK_ACTION.findall(text)
    for action in actions:
        await _carry_out(call, action)
    if not body.strip():
        return Answer({"commands_changes": {}, "summary": [f"Applied {actions}"]}, 202)
    comment = await call.forge.comment(call.pull, call.login, body.rstrip(), internal)
    return Answer(call.shapes.note(comment), 201)


async def _carry_out(call: Call, action: str) -> None:
    match action:
        case "approve":
            await call.forge.review(call.pull, call.login, "APPROVE")
        case "close":
            await call.forge.close(call.pull, call.login)
        case "merge":
            await call.forge.merge(call.pull, call.login)


async def note(call: Call) -> Answer:
    return Answer(call.shapes.note(_comment(call)))


async def edit(call: Call) -> Answer:
    body = _text(call, "body")
    return Answer(call.shapes.note(await call.forge.edit_comment(_comment(call), call.login, body)))


async def delete(call: Call) -> Answer:
    await call.forge.delete_comment(_comment(call), call.login)
    return Answer(status=204)


async def awards(call: Call) -> Answer:
    comment = _comment(call)
    return Answer([call.shapes.award(reaction, comment) for reaction in comment.reactions])


async def award(call: Call) -> Answer:
    """404 when the caller gave the same before, as on GitLab."""
    comment, name = _comment(call), call.text("name") or ""
    if name not in EMOJI:
        raise bad("400 Bad request - Award Emoji Name is not a valid emoji name")
    reaction, new = await call.forge.react(comment, call.login, name)
    if not new:
        raise DemoForgeRefused(404, "404 Award Emoji Name has already been taken Not Found")
    return Answer(call.shapes.award(reaction, comment), 201)


def _comment(call: Call) -> Comment:
    found = call.repo.comments.get(call.number("note_id"))
    if found is None or found.pull is not call.pull:
        raise missing("Not found")
    return found


def _text(call: Call, name: str) -> str:
    value = call.text(name)
    if value is None:
        raise bad(f"{name} is missing")
    if not value.strip():
        raise bad('400 Bad request - Note {:note=>["can\'t be blank"]}')
    limit = call.forge.customs.comment_limit
    if len(value) > limit:
        raise bad(f'400 Bad request - Note {{:note=>["is too long (maximum is {limit} ..."]}}')
    return value


# --- issues ------------------------------------------------------------------------------


async def issues(call: Call) -> Answer:
    """Filtered by `state`, `author_username` and `labels`; newest first unless `sort=asc`."""
    found = list(call.repo.issues.values())
    if (author := call.query.get("author_username")) is not None:
        found = [issue for issue in found if issue.author.login == author]
    if (state := call.query.get("state", "all")) != "all":
        found = [issue for issue in found if issue.open == (state == "opened")]
    if labels := call.query.get("labels"):
        found = [issue for issue in found if set(labels.split(",")) <= set(issue.labels)]
    found.sort(key=lambda issue: issue.number, reverse=call.query.get("sort") != "asc")
    return Answer([call.shapes.issue(issue) for issue in found])


async def issue(call: Call) -> Answer:
    return Answer(call.shapes.issue(call.issue))


async def create_issue(call: Call) -> Answer:
    title, body = _title(call) or "", call.text("description") or ""
    if not title.strip():
        raise bad("title is missing")
    labels = _labels(call.body.get("labels"))
    made = await call.forge.open_issue(call.repo, call.login, title, _long(call, body), labels)
    return Answer(call.shapes.issue(made), 201)


async def update_issue(call: Call) -> Answer:
    """`add_labels` and `remove_labels` beside `labels`, which replaces them all."""
    found, body = call.issue, call.text("description")
    labels = _labels(call.body["labels"]) if "labels" in call.body else list(found.labels)
    labels += [name for name in _labels(call.body.get("add_labels")) if name not in labels]
    gone = _labels(call.body.get("remove_labels"))
    kept = [name for name in labels if name not in gone]
    words = (_title(call), None if body is None else _long(call, body))
    await call.forge.edit_issue(found, call.login, *words, kept)
    if (event := call.text("state_event")) is not None:
        if event not in ("close", "reopen"):
            raise bad("state_event does not have a valid value")
        await call.forge.set_issue_open(found, call.login, event == "reopen")
    return Answer(call.shapes.issue(found))


def _labels(value: Any) -> list[str]:
    """A list, or names with commas between them."""
    parts = value.split(",") if isinstance(value, str) else list(value or ())
    return [part.strip() for part in parts if part.strip()]


def _title(call: Call) -> str | None:
    title = call.text("title")
    if title is not None and len(title) > TITLE_LIMIT:
        raise too_long("title", TITLE_LIMIT)
    return title


def _long(call: Call, text: str) -> str:
    limit = call.forge.customs.comment_limit
    if len(text) > limit:
        raise too_long("description", limit)
    return text
