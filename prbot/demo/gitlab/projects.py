"""Who the caller is, projects, their members, groups, branches."""

from __future__ import annotations

from prbot.demo.gitlab.call import Answer, Call, bad, missing
from prbot.demo.state import Level, Repository, User
from prbot.errors.demo import DemoForgeRefused


async def current_user(call: Call) -> Answer:
    return Answer(call.shapes.current_user(call.caller.user()))


async def user(call: Call) -> Answer:
    """Of anybody, to whoever has signed in; only by the number."""
    call.caller.user()
    wanted = call.path["user_id"]
    found = next((one for one in call.forge.users.values() if str(one.id) == wanted), None)
    if found is None:
        raise missing("User Not Found")
    return Answer(call.shapes.account(found))


async def projects(call: Call) -> Answer:
    """With `membership=true` those that the caller is a member of, with `archived` those that
    are, or are not; newest first."""
    user = call.caller.user()
    seen = [repo for repo in call.forge.repositories.values() if call.caller.level(repo)]
    if call.flag("membership"):
        seen = [repo for repo in seen if repo.is_collaborator(user.login)]
    if "archived" in call.query:
        seen = [repo for repo in seen if repo.archived is call.flag("archived")]
    seen.sort(key=lambda repo: repo.id, reverse=call.query.get("sort", "desc") == "desc")
    if call.flag("simple"):
        return Answer([call.shapes.simple_project(repo) for repo in seen])
    return Answer([call.shapes.project(repo, call.caller.level(repo)) for repo in seen])


async def project(call: Call) -> Answer:
    return Answer(call.shapes.project(call.repo, call.caller.level(call.repo)))


async def members(call: Call) -> Answer:
    """Inherited ones too; `query` finds part of a name or username."""
    wanted = call.query.get("query", "").lower()
    found = [(user, level) for user, level in _members(call) if wanted in user.login.lower()]
    return Answer([call.shapes.member(user, level) for user, level in found])


def _members(call: Call) -> list[tuple[User, Level]]:
    repo: Repository = call.repo
    people = [*repo.collaborators]
    if repo.owner.kind == "User":
        people.append(repo.owner.login)
    known = (call.forge.user(login) for login in people)
    return [(user, repo.level(user.login)) for user in known]


async def group_members(call: Call) -> Answer:
    """Whoever the group lists; 404 for one that the caller does not see."""
    path = call.path["id"].lower()
    team = call.forge.gitlab_groups.get(path)
    if team is None:
        raise missing("Group Not Found")
    found = [call.forge.user(login) for login in team]
    return Answer([call.shapes.member(user, team[user.login.lower()]) for user in found])


async def branch(call: Call) -> Answer:
    name = call.path["branch"]
    if name not in call.repo.branches:
        raise missing("Branch Not Found")
    commit = await call.repo.git.commit(call.repo.branches[name])
    return Answer(call.shapes.branch(call.repo, name, commit))


async def delete_branch(call: Call) -> Answer:
    name, repo = call.path["branch"], call.repo
    if name not in repo.branches:
        raise missing("Branch Not Found")
    if name == repo.default_branch:
        raise bad("Cannot remove HEAD branch")
    if name in repo.protections:
        raise DemoForgeRefused(403, "Protected branch can't be removed")
    await call.forge.delete_branch(repo.full_name, name, call.login)
    return Answer(status=204)
