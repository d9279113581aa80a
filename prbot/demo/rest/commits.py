"""Commit statuses."""

from __future__ import annotations

from prbot.demo.rest.call import Answer, Call
from prbot.errors.demo import DemoForgeRefused


async def create_status(call: Call) -> Answer:
    status = await call.forge.set_status(
        call.repo,
        call.path["sha"],
        call.login,
        call.text("state", "Status") or "",
        call.text("context", "Status") or "default",
        call.text("description", "Status"),
        call.text("target_url", "Status"),
    )
    return Answer(call.forge.shapes.status(call.repo, status), 201)


async def combined_status(call: Call) -> Answer:
    """All contexts at once: unlike GitHub's, this list is not cut into pages."""
    return Answer(call.forge.shapes.combined_status(call.repo, await commit_of(call)))


async def statuses(call: Call) -> Answer:
    """Every status ever set, newest first."""
    sha = await commit_of(call)
    found = [status for status in reversed(call.repo.statuses) if status.sha == sha]
    return Answer([call.forge.shapes.status(call.repo, status) for status in found])


async def commit_of(call: Call) -> str:
    """The commit that `ref` names."""
    ref = call.path["ref"]
    if sha := await call.repo.git.resolve(ref):
        return sha
    raise DemoForgeRefused(404, f"No commit found for SHA: {ref}")
