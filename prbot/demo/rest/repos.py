"""Repositories, their branches and collaborators, and who the caller is."""

from __future__ import annotations

from prbot.demo.rest.call import Answer, Call
from prbot.demo.rules import not_found
from prbot.demo.state import Level
from prbot.errors.demo import DemoForgeRefused


async def current_user(call: Call) -> Answer:
    user = call.caller.user()
    if call.caller.token is not None and call.caller.token.installation is not None:
        raise DemoForgeRefused(403, "Resource not accessible by integration")
    return Answer(call.forge.shapes.private_user(user))


async def own_repositories(call: Call) -> Answer:
    """Where the caller was given access: a public repository alone is not enough."""
    user = call.caller.user()
    if call.caller.token is not None and call.caller.token.installation is not None:
        raise DemoForgeRefused(403, "Resource not accessible by integration")
    mine = (
        (repo, call.caller.level(repo))
        for repo in call.forge.repositories.values()
        if repo.is_collaborator(user.login)
    )
    shapes = call.forge.shapes
    return Answer([shapes.own_repository(repo, level) for repo, level in mine if level])


async def repository(call: Call) -> Answer:
    level = call.caller.level(call.repo)
    return Answer(call.forge.shapes.full_repository(call.repo, level))


async def branch(call: Call) -> Answer:
    name = call.path["branch"]
    if name not in call.repo.branches:
        raise DemoForgeRefused(404, "Branch not found")
    commit = await call.repo.git.commit(call.repo.branches[name])
    return Answer(call.forge.shapes.branch(call.repo, name, commit))


async def matching_refs(call: Call) -> Answer:
    """Whose names begin so: `heads/gh-readonly-queue/`, for one. Branches alone."""
    begin = f"refs/{call.path['ref']}"
    heads = {f"refs/heads/{name}": sha for name, sha in (await call.repo.git.branches()).items()}
    found = sorted(ref for ref in heads if ref.startswith(begin))
    return Answer([call.forge.shapes.ref(call.repo, ref, heads[ref]) for ref in found])


async def delete_ref(call: Call) -> Answer:
    """Of branches only: `heads/NAME`."""
    kind, _, name = call.path["ref"].partition("/")
    if kind != "heads":
        raise DemoForgeRefused(422, "Reference does not exist")
    await call.forge.delete_branch(call.repo.full_name, name, call.login)
    return Answer(status=204)


async def rules(call: Call) -> Answer:
    """Those of rulesets."""
    checks = call.repo.rulesets.get(call.path["branch"], ())
    return Answer([call.forge.shapes.required_checks(call.repo, checks)] if checks else [])


async def team_members(call: Call) -> Answer:
    """Only for those who may see the organisation's teams."""
    call.caller.user()
    if not call.caller.may("members", "read"):
        raise DemoForgeRefused(403, "Resource not accessible by integration")
    team = call.forge.teams.get(f"{call.path['org']}/{call.path['team_slug']}".lower())
    if team is None:
        raise not_found()
    return Answer([call.forge.shapes.user(call.forge.user(login)) for login in team])


async def is_collaborator(call: Call) -> Answer:
    """204 or 404; only those who may push see collaborators."""
    if call.caller.level(call.repo) < Level.WRITE:
        raise DemoForgeRefused(403, "Must have push access to view repository collaborators.")
    if not call.repo.is_collaborator(call.path["username"]):
        raise not_found()
    return Answer(status=204)


async def permission(call: Call) -> Answer:
    call.caller.user()
    user = call.forge.user(call.path["username"])
    return Answer(call.forge.shapes.collaborator(call.repo, user))
