"""Comments of pull requests (which are issues to GitHub) and reactions to them."""

from __future__ import annotations

from datetime import UTC, datetime

from prbot.demo.rest.call import Answer, Call
from prbot.demo.rules import invalid
from prbot.demo.state import Comment


async def comments(call: Call) -> Answer:
    return Answer([call.forge.shapes.comment(comment) for comment in call.pull.comments])


async def all_comments(call: Call) -> Answer:
    """Of the whole repository, those changed at or after `since`; `direction` counts
    only beside `sort`."""
    since = _time(call)
    found = [c for c in call.repo.comments.values() if since is None or c.updated_at >= since]
    by_update = call.query.get("sort") == "updated"
    found.sort(key=lambda c: (c.updated_at if by_update else c.created_at, c.id))
    if "sort" in call.query and call.query.get("direction") == "desc":
        found.reverse()
    return Answer([call.forge.shapes.comment(comment) for comment in found])


def _time(call: Call) -> datetime | None:
    text = call.query.get("since")
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("IssueComment", "since", "since is not a time", "invalid") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def create_comment(call: Call) -> Answer:
    body = call.text("body", "IssueComment") or ""
    comment = await call.forge.comment(call.pull, call.login, body)
    return Answer(call.forge.shapes.comment(comment), 201)


async def comment(call: Call) -> Answer:
    return Answer(call.forge.shapes.comment(_comment(call)))


async def edit_comment(call: Call) -> Answer:
    body = call.text("body", "IssueComment") or ""
    edited = await call.forge.edit_comment(_comment(call), call.login, body)
    return Answer(call.forge.shapes.comment(edited))


async def delete_comment(call: Call) -> Answer:
    await call.forge.delete_comment(_comment(call), call.login)
    return Answer(status=204)


async def react(call: Call) -> Answer:
    """201 for a new reaction, 200 when it stood already."""
    content = call.text("content", "Reaction") or ""
    reaction, new = await call.forge.react(_comment(call), call.login, content)
    return Answer(call.forge.shapes.reaction(reaction), 201 if new else 200)


async def reactions(call: Call) -> Answer:
    return Answer([call.forge.shapes.reaction(r) for r in _comment(call).reactions])


def _comment(call: Call) -> Comment:
    return call.forge.comment_of(call.repo, call.number(call.path["comment_id"]))
