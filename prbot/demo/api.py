"""Carries HTTP requests to the REST handlers and their answers back.

Here stands what is the same for every route: authentication, rate limits, access to
the repository, token permissions, pages with Link headers, ETags, and errors in
GitHub's JSON (https://docs.github.com/rest/using-the-rest-api).
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from typing import Any

from aiohttp import web

from prbot.demo import access
from prbot.demo.accounts import Accounts
from prbot.demo.limits import Allowance, RateLimits, overview
from prbot.demo.rest.call import Answer, Call, Caller, Route
from prbot.demo.rest.table import ROUTES
from prbot.demo.rules import not_found
from prbot.demo.shapes import Json
from prbot.demo.state import Level
from prbot.errors.demo import DemoForgeRefused

PREFIX = "/api/v3"
"""As on GitHub Enterprise Server."""
DOCUMENTATION = "https://docs.github.com/rest"
PAGE_SIZE, LARGEST_PAGE = 30, 100


class Api:
    def __init__(self, forge: Accounts) -> None:
        self.limits = RateLimits()
        self._forge = forge

    def routes(self) -> list[web.RouteDef]:
        known = [web.route(r.method, _pattern(r.path), self._handler(r)) for r in ROUTES]
        return [*known, web.route("*", PREFIX + "{tail:.*}", self._unknown)]

    def _handler(self, route: Route) -> Any:
        async def handle(request: web.Request) -> web.Response:
            return await self._serve(route, request)

        return handle

    async def _unknown(self, request: web.Request) -> web.Response:
        return _refusal(not_found(), {})

    async def _serve(self, route: Route, request: web.Request) -> web.Response:
        headers = {"X-GitHub-Request-Id": uuid.uuid4().hex, "X-GitHub-Media-Type": "github.v3"}
        try:
            caller = access.caller(self._forge, request.headers.get("Authorization"))
            allowance = self._count(route, caller)
            headers |= allowance.headers()
            if route.path == "/rate_limit":
                return _response(request, Answer(overview(allowance)), headers)
            _admit(self._forge, route, caller, request)
            answer = await route.handler(await self._call(caller, request))
            headers |= {} if answer.status == 204 else _page_links(request, answer)
            response = _response(request, _page(request, answer), headers)
        except DemoForgeRefused as refused:
            return _refusal(refused, headers)
        if response.status == 304:  # free of charge on GitHub
            allowance.used -= 1
            response.headers.update(allowance.headers())
        return response

    def _count(self, route: Route, caller: Caller) -> Allowance:
        login = caller.token.user.login if caller.token else None
        allowance = self.limits.of(login, self._forge.now())
        if route.path == "/rate_limit":
            return allowance
        if (wait := self.limits.retry_after(login)) is not None:
            raise _limited("You have exceeded a secondary rate limit.", {"Retry-After": str(wait)})
        if allowance.remaining == 0:
            raise _limited(f"API rate limit exceeded for {login}.", allowance.headers())
        allowance.used += 1
        return allowance

    async def _call(self, caller: Caller, request: web.Request) -> Call:
        body = await _json_body(request) if request.can_read_body else {}
        return Call(self._forge, caller, dict(request.match_info), dict(request.query), body)


def _limited(message: str, headers: dict[str, str]) -> DemoForgeRefused:
    return DemoForgeRefused(403, message, headers=headers)


def _pattern(path: str) -> str:
    """Branches and other refs may hold slashes; all other parts may not."""
    return PREFIX + re.sub(r"\{(branch|ref)\}", r"{\1:.+}", path)


def _admit(forge: Accounts, route: Route, caller: Caller, request: web.Request) -> None:
    if request.method != "GET" and caller.token is None and caller.app is None:
        raise DemoForgeRefused(401, "Requires authentication")
    if route.level is None:
        return
    repo = forge.repository(f"{request.match_info['owner']}/{request.match_info['repo']}")
    level = caller.level(repo)
    if level is Level.NONE:
        raise not_found()
    if not caller.may(*route.scope):
        installed = caller.token is not None and caller.token.installation is not None
        what = "integration" if installed else "personal access token"
        raise DemoForgeRefused(403, f"Resource not accessible by {what}")
    if level < route.level:
        raise DemoForgeRefused(403, f"Must have {route.level.word} rights to Repository.")


async def _json_body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise DemoForgeRefused(400, "Problems parsing JSON") from error
    if not isinstance(body, dict):
        raise DemoForgeRefused(400, "Body should be a JSON object")
    return body


def _page_bounds(request: web.Request) -> tuple[int, int]:
    """(page from 1, size up to 100); nonsense is read as the default, as on GitHub."""

    def number(key: str, default: int) -> int:
        text = request.query.get(key, "")
        return max(1, int(text)) if text.isascii() and text.isdigit() else default

    return number("page", 1), min(LARGEST_PAGE, number("per_page", PAGE_SIZE))


def _page(request: web.Request, answer: Answer) -> Answer:
    page, size = _page_bounds(request)
    return answer.cut((page - 1) * size, page * size)


def _page_links(request: web.Request, answer: Answer) -> dict[str, str]:
    if answer.items is None:
        return {}
    page, size = _page_bounds(request)
    last = max(1, -(-len(answer.items) // size))
    wanted: dict[str, int] = {}
    if page > 1:
        wanted |= {"prev": min(page - 1, last), "first": 1}
    if page < last:
        wanted |= {"next": page + 1, "last": last}
    links = [f'<{request.url.update_query(page=n)}>; rel="{rel}"' for rel, n in wanted.items()]
    return {"Link": ", ".join(links)} if links else {}


def _response(request: web.Request, answer: Answer, headers: dict[str, str]) -> web.Response:
    if answer.status == 204:
        return web.Response(status=204, headers=headers)
    body = json.dumps(answer.body, ensure_ascii=False).encode()
    if request.method == "GET":
        headers["ETag"] = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
    return web.Response(
        body=body,
        status=answer.status,
        headers=headers,
        content_type="application/json",
        charset="utf-8",
    )


def _refusal(refused: DemoForgeRefused, headers: dict[str, str]) -> web.Response:
    message = refused.message
    if refused.errors:
        plain = isinstance(refused.errors[0], str)
        message = "Unprocessable Entity" if plain else "Validation Failed"
    body: Json = {
        "message": message,
        "documentation_url": DOCUMENTATION,
        "status": str(refused.status),
    }
    if refused.errors:
        body["errors"] = list(refused.errors)
    return web.json_response(body, status=refused.status, headers=headers | refused.headers)
