"""GitHub Apps: who the App is, where it is installed, tokens for an installation."""

from __future__ import annotations

from prbot.demo.rest.call import Answer, Call
from prbot.demo.rules import not_found
from prbot.demo.shapes import stamp
from prbot.demo.state import App
from prbot.errors.demo import DemoForgeRefused


async def app(call: Call) -> Answer:
    return Answer(call.forge.shapes.app(_app(call)))


async def installation(call: Call) -> Answer:
    """The App sees private repositories it is installed on, whatever its level."""
    found = call.forge.installation_of(call.repo, _app(call))
    if found is None:
        raise not_found()
    return Answer(call.forge.shapes.installation(found))


async def installations(call: Call) -> Answer:
    asking = _app(call)
    mine = (one for one in call.forge.installations.values() if one.app is asking)
    return Answer([call.forge.shapes.listed_installation(one) for one in mine])


async def repositories(call: Call) -> Answer:
    """What an installation's token may touch."""
    token = call.caller.token
    if token is None or token.installation is None:
        raise DemoForgeRefused(403, "You must authenticate with an installation access token")
    allowed = token.repositories or frozenset()
    mine = [repo for repo in call.forge.repositories.values() if repo.id in allowed]
    shapes = [call.forge.shapes.repository(repo) for repo in mine]
    return Answer({"total_count": len(mine), "repositories": shapes}, listed="repositories")


async def create_token(call: Call) -> Answer:
    asking = _app(call)
    wanted = call.forge.installations.get(call.number(call.path["installation_id"]))
    if wanted is None or wanted.app is not asking:
        raise not_found()
    token = call.forge.create_installation_token(wanted)
    return Answer(
        {
            "token": token.value,
            "expires_at": stamp(token.expires_at),
            "permissions": dict(wanted.app.permissions),
            "repository_selection": "selected",
        },
        201,
    )


def _app(call: Call) -> App:
    if call.caller.app is None:
        raise DemoForgeRefused(401, "A JSON web token could not be decoded")
    return call.caller.app
