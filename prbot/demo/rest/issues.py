"""Comments of pull requests (which are issues to GitHub) and reactions to them."""

from __future__ import annotations

from prbot.demo.rest.call import Answer, Call
from prbot.demo.state import Comment


async def comments(call: Call) -> Answer:
    return Answer([call.forge.shapes.comment(comment) for comment in call.pull.comments])


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
