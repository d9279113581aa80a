"""Issues, and the comments of pull requests (which are issues to GitHub) and reactions to them."""

from __future__ import annotations

from datetime import UTC, datetime

from prbot.demo.rest.call import Answer, Call
from prbot.demo.rules import invalid
from prbot.demo.state import Comment, Issue, Pull

STATES = ("open", "closed", "all")


async def issues(call: Call) -> Answer:
    """Pull requests stand among them, as on GitHub. Filtered by `state`, `creator` and
    `labels`, newest first unless `direction=asc`; `sort` is not honoured beyond creation."""
    wanted = call.query.get("state", "open")
    if wanted not in STATES:
        raise invalid("Issue", "state", "state is not included in the list", "invalid")
    every: list[Issue | Pull] = [*call.repo.issues.values(), *call.repo.pulls.values()]
    found = [each for each in every if _matches(each, call, wanted)]
    found.sort(key=lambda each: each.number, reverse=call.query.get("direction") != "asc")
    return Answer([_shape(call, each) for each in found])


def _matches(issue: Issue | Pull, call: Call, state: str) -> bool:
    labels = issue.labels if isinstance(issue, Issue) else ()
    wanted = [name for name in call.query.get("labels", "").split(",") if name]
    creator = call.query.get("creator", issue.author.login)
    return (
        (state == "all" or issue.open == (state == "open"))
        and issue.author.login.lower() == creator.lower()
        and set(wanted) <= set(labels)
    )


async def issue(call: Call) -> Answer:
    return Answer(_shape(call, _found(call)))


def _found(call: Call) -> Issue | Pull:
    number = call.number(call.path["issue_number"])
    return call.repo.pulls.get(number) or call.forge.issue(call.repo, number)


async def create_issue(call: Call) -> Answer:
    title, body = call.text("title", "Issue") or "", call.text("body", "Issue") or ""
    made = await call.forge.open_issue(call.repo, call.login, title, body, _labels(call) or ())
    return Answer(_shape(call, made), 201)


async def edit_issue(call: Call) -> Answer:
    """Of plain issues only: prbot edits no pull request's words."""
    found = call.forge.issue(call.repo, call.number(call.path["issue_number"]))
    state = call.text("state", "Issue")
    if state not in (None, "open", "closed"):
        raise invalid("Issue", "state", "state is not included in the list", "invalid")
    words = call.text("title", "Issue"), call.text("body", "Issue")
    await call.forge.edit_issue(found, call.login, *words, _labels(call))
    if state is not None:
        await call.forge.set_issue_open(found, call.login, state == "open")
    return Answer(_shape(call, found))


def _labels(call: Call) -> list[str] | None:
    given = call.body.get("labels")
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise invalid("Issue", "labels", "labels is not a list of names", "invalid")
    return given


def _shape(call: Call, issue: Issue | Pull) -> dict[str, object]:
    return call.forge.shapes.any_issue(issue)


async def comments(call: Call) -> Answer:
    return Answer([call.forge.shapes.comment(comment) for comment in _found(call).comments])


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
    comment = await call.forge.comment(_found(call), call.login, body)
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
