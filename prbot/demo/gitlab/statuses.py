"""Commit statuses, a machine of states on GitLab: what is pending is not made pending again.

A status that has not ended is moved on, one that has ended is followed by a new one. What
GitLab refuses: https://docs.gitlab.com/api/commits/#set-commit-pipeline-status. A commit
that no branch of the project holds has no place for a status, unless it has one already
or `ref` gives one.
"""

from __future__ import annotations

from prbot.demo.gitlab.call import Answer, Call, bad, missing, too_long
from prbot.demo.state import Repository, Status

RECORDS = {
    "pending": "pending",
    "running": "running",
    "success": "success",
    "failed": "failure",
    "canceled": "error",
    "skipped": "skipped",
}
"""GitLab's states, and the records' words for them."""
EVENTS = {"pending": "enqueue", "running": "run"}
STUCK = {("pending", "pending"), ("running", "running"), ("running", "pending")}
"""From and to, what cannot be: `created` alone becomes pending."""


async def create(call: Call) -> Answer:
    repo, sha = call.repo, call.path["sha"]
    if await repo.git.resolve(sha) != sha:
        raise missing("Commit Not Found")
    state = call.text("state")
    if state not in RECORDS:
        raise bad("state does not have a valid value" if state else "state is missing")
    name = call.text("name") or call.text("context") or "default"
    if call.text("ref") is None and not await _has_place(repo, sha):
        raise missing("References for commit Not Found")
    _check_step(_standing(repo, sha, name, call.login), state)
    _check_line(call)
    line, target = call.text("description"), call.text("target_url")
    status = await call.forge.set_status(repo, sha, call.login, RECORDS[state], name, line, target)
    return Answer(call.shapes.status(repo, status), 201)


async def statuses(call: Call) -> Answer:
    """The newest of each name, or with `all=true` every one."""
    repo, sha = call.repo, call.path["sha"]
    if await repo.git.resolve(sha) is None:
        raise missing("Commit Not Found")
    every = [status for status in repo.statuses if status.sha == sha]
    found = every if call.flag("all") else repo.latest_statuses(sha)
    return Answer([call.shapes.status(repo, status) for status in found])


def _standing(repo: Repository, sha: str, name: str, login: str) -> Status | None:
    mine = [s for s in repo.statuses if (s.sha, s.context) == (sha, name)]
    return next((s for s in reversed(mine) if s.creator.login == login), None)


def _check_step(standing: Status | None, state: str) -> None:
    if standing is not None and (standing.state, state) in STUCK:
        event = EVENTS[state]
        raise bad(
            f"Cannot transition status via :{event} from :{standing.state}"
            f' (Reason(s): Status cannot transition via "{event}")'
        )


def _check_line(call: Call) -> None:
    line, limit = call.text("description"), call.forge.customs.line_limit
    if line is not None and len(line) > limit:
        raise too_long("description", limit)


async def _has_place(repo: Repository, sha: str) -> bool:
    """A branch that holds the commit, or the pipeline of an earlier status."""
    return any(status.sha == sha for status in repo.statuses) or bool(
        await repo.git.ask("for-each-ref", "--contains", sha, "refs/heads")
    )
