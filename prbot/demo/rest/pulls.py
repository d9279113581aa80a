"""Pull requests: reading them, reviewing them, merging them."""

from __future__ import annotations

from prbot.demo.rest.call import Answer, Call
from prbot.demo.rules import invalid
from prbot.demo.state import Pull

STATES = ("open", "closed", "all")


async def pulls(call: Call) -> Answer:
    """Filtered by `state`, `base` and `head`; sorted by creation or update."""
    wanted = call.query.get("state", "open")
    if wanted not in STATES:
        raise invalid("PullRequest", "state", "state is not included in the list", "invalid")
    found = [pull for pull in call.repo.pulls.values() if _matches(pull, call, wanted)]
    by_update = call.query.get("sort") == "updated"
    key = (
        (lambda p: (p.updated_at, p.number)) if by_update else (lambda p: (p.created_at, p.number))
    )
    ascending = call.query.get("direction", "desc") == "asc"
    found.sort(key=key, reverse=not ascending)
    return Answer([call.forge.shapes.simple_pull(pull) for pull in found])


def _matches(pull: Pull, call: Call, state: str) -> bool:
    if state != "all" and pull.open != (state == "open"):
        return False
    if call.query.get("base", pull.base_branch) != pull.base_branch:
        return False
    label = f"{pull.head_owner.login}:{pull.head_branch}"
    return call.query.get("head", label) == label


async def pull(call: Call) -> Answer:
    mergeable, state = await call.forge.look_mergeable(call.pull)
    return Answer(call.forge.shapes.pull(call.pull, mergeable, state))


async def create(call: Call) -> Answer:
    """A branch has one open pull request to each base at most."""
    head, base = call.text("head", "PullRequest"), call.text("base", "PullRequest")
    title, body = call.text("title", "PullRequest"), call.text("body", "PullRequest")
    if not (head and base and title):
        raise invalid("PullRequest", "head", "head, base and title are required", "missing_field")
    made = await call.forge.propose(
        call.repo, call.login, head, base, (title, body or ""), call.body.get("draft") is True
    )
    return Answer(call.forge.shapes.pull(made, *await call.forge.look_mergeable(made)), 201)


async def update(call: Call) -> Answer:
    """Its words, its base and whether it is open."""
    forge, found, state = call.forge, call.pull, call.text("state", "PullRequest")
    if state not in (None, "open", "closed"):
        raise invalid("PullRequest", "state", "state is not included in the list", "invalid")
    title, body = call.text("title", "PullRequest"), call.text("body", "PullRequest")
    await forge.reword(found, call.login, title, body)
    if (base := call.text("base", "PullRequest")) not in (None, found.base_branch):
        await forge.change_base(found, call.login, base)
    if state is not None and found.open != (state == "open"):
        await (forge.reopen if state == "open" else forge.close)(found, call.login)
    return await pull(call)


async def files(call: Call) -> Answer:
    shapes, found = call.forge.shapes, call.pull
    return Answer([shapes.changed_file(call.repo, found.head_sha, f) for f in found.files])


async def commits(call: Call) -> Answer:
    shapes = call.forge.shapes
    return Answer([shapes.verified_commit(call.repo, commit) for commit in call.pull.commits])


async def reviews(call: Call) -> Answer:
    return Answer([call.forge.shapes.review(review) for review in call.pull.reviews])


async def create_review(call: Call) -> Answer:
    event = call.text("event", "PullRequestReview") or ""
    body = call.text("body", "PullRequestReview") or ""
    review = await call.forge.review(call.pull, call.login, event, body)
    return Answer(call.forge.shapes.review(review))


async def merge(call: Call) -> Answer:
    sha = await call.forge.merge(
        call.pull,
        call.login,
        call.text("merge_method", "PullRequest") or "merge",
        call.text("sha", "PullRequest"),
        call.text("commit_title", "PullRequest"),
        call.text("commit_message", "PullRequest"),
    )
    return Answer({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})
