"""Commit statuses, a machine of states on GitLab: what is pending is not made pending again.

A status that has not ended is moved on, one that has ended is followed by a new one. What
GitLab refuses: https://docs.gitlab.com/api/commits/#set-commit-pipeline-status. A commit
that no branch of the project holds has no place for a status, unless it has one already
or `ref` gives one.
"""

from __future__ import annotations

from prbot.demo.gitlab.call import Answer, Call, bad, missing, too_long
from prbot.demo.gitlab.shapes import PIPELINES
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
    pipeline = _pipeline(call)
    _check_step(_standing(repo, sha, name, call.login, pipeline), state)
    _check_line(call)
    line, target = call.text("description"), call.text("target_url")
    status = await call.forge.set_status(repo, sha, call.login, RECORDS[state], name, line, target)
    status.pipeline = pipeline
    return Answer(call.shapes.status(repo, status), 201)


async def statuses(call: Call) -> Answer:
    """The newest of each name in each pipeline, or with `all=true` every one."""
    repo, sha = call.repo, call.path["sha"]
    if await repo.git.resolve(sha) is None:
        raise missing("Commit Not Found")
    every = [status for status in repo.statuses if status.sha == sha]
    if (name := call.text("name")) is not None:
        every = [status for status in every if status.context == name]
    newest = {(status.pipeline, status.context): status for status in every}
    found = every if call.flag("all") else [*reversed(newest.values())]
    return Answer([call.shapes.status(repo, status) for status in found])


def _pipeline(call: Call) -> int:
    """The one that was asked for; else the commit's newest."""
    newest = call.repo.newest_pipeline.get(call.path["sha"], 0)
    asked = call.body.get("pipeline_id")
    if asked is None:
        return newest
    if asked not in range(call.repo.id * PIPELINES, call.repo.id * PIPELINES + newest + 1):
        raise missing("Pipeline for pipeline_id, sha and ref Not Found")
    return int(asked) % PIPELINES


def _standing(repo: Repository, sha: str, name: str, login: str, pipeline: int) -> Status | None:
    place = (sha, name, pipeline)
    mine = [s for s in repo.statuses if (s.sha, s.context, s.pipeline) == place]
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
    """A branch that holds the commit, or a pipeline: a train's, or an earlier status's."""
    piped = sha in repo.newest_pipeline or any(status.sha == sha for status in repo.statuses)
    return piped or bool(await repo.git.ask("for-each-ref", "--contains", sha, "refs/heads"))
