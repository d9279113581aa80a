"""Who is asking GitLab: a token in `PRIVATE-TOKEN`, or in `Authorization: Bearer`."""

from __future__ import annotations

from aiohttp import web

from prbot.demo import access
from prbot.demo.accounts import Accounts
from prbot.demo.rest.call import Caller
from prbot.errors.demo import DemoForgeRefused


def caller_of(forge: Accounts, request: web.Request) -> Caller:
    """Raises DemoForgeRefused (401) where there is none that proves anything."""
    token = request.headers.get("PRIVATE-TOKEN")
    header = request.headers.get("Authorization") if token is None else f"Bearer {token}"
    try:
        caller = access.caller(forge, header)
    except DemoForgeRefused:
        raise DemoForgeRefused(401, "401 Unauthorized") from None
    if caller.token is None:
        raise DemoForgeRefused(401, "401 Unauthorized")
    return caller
