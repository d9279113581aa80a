"""Carries HTTP requests to GitLab's REST handlers and their answers back.

What is the same for every route: the token, its scopes, the rate limit, access to the
project, offset and keyset pages, ETags, and errors in GitLab's JSON
(https://docs.gitlab.com/api/rest/, https://docs.gitlab.com/api/rest/troubleshooting/).
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from typing import Any

from aiohttp import web

from prbot.demo.customs import GITLAB
from prbot.demo.gitlab.access import caller_of
from prbot.demo.gitlab.call import Answer, Call, Route, project_of
from prbot.demo.gitlab.shapes import Json
from prbot.demo.gitlab.table import ROUTES
from prbot.demo.limits import Allowance, RateLimits
from prbot.demo.rest.call import Caller
from prbot.demo.state import Level
from prbot.demo.trains import Trains
from prbot.errors.demo import DemoForgeRefused

PREFIX = GITLAB.api
PAGE_SIZE, LARGEST_PAGE = 20, 100


class GitLabApi:
    def __init__(self, forge: Trains) -> None:
        self.limits = RateLimits()
        self.unchanged = 0
        """How many answers were 304."""
        self.asked: set[tuple[str, str, str]] = set()
        """What was ever asked: method, path as documented, and each name that went along."""
        self._forge = forge

    def routes(self) -> list[web.RouteDef]:
        known = [web.route(r.method, PREFIX + r.path, self._handler(r)) for r in ROUTES]
        return [*known, web.route("*", PREFIX + "{tail:.*}", self._unknown)]

    def _handler(self, route: Route) -> Any:
        async def handle(request: web.Request) -> web.Response:
            return await self._serve(route, request)

        return handle

    async def _unknown(self, request: web.Request) -> web.Response:
        return web.json_response({"error": "404 Not Found"}, status=404)

    async def _serve(self, route: Route, request: web.Request) -> web.Response:
        headers = {"X-Request-Id": uuid.uuid4().hex, "X-Gitlab-Meta": '{"version":"1"}'}
        try:
            caller = caller_of(self._forge, request)
            allowance = self._count(caller)
            headers |= _limit_headers(allowance)
            _admit(self._forge, route, caller, request)
            call = await self._call(caller, request)
            self.asked |= {(route.method, route.path, name) for name in (*call.query, *call.body)}
            self.asked.add((route.method, route.path, ""))
            answer = await route.handler(call)
            answer, pages = _page(route, request, answer)
            response = _response(request, answer, headers | pages)
            self.unchanged += response.status == 304
            return response
        except DemoForgeRefused as refused:
            return _refusal(refused, headers)

    def _count(self, caller: Caller) -> Allowance:
        login = caller.token.user.login if caller.token else None
        allowance = self.limits.of(login, self._forge.now())
        if (wait := self.limits.retry_after(login)) is not None:
            raise _throttled(allowance, wait)
        if allowance.remaining == 0:
            left = allowance.reset - self._forge.now()
            raise _throttled(allowance, max(1, round(left.total_seconds())))
        allowance.used += 1
        return allowance

    async def _call(self, caller: Caller, request: web.Request) -> Call:
        body = await _json_body(request) if request.can_read_body else {}
        return Call(self._forge, caller, dict(request.match_info), dict(request.query), body)


def _throttled(allowance: Allowance, wait: int) -> DemoForgeRefused:
    headers = _limit_headers(allowance) | {"RateLimit-Remaining": "0", "Retry-After": str(wait)}
    return DemoForgeRefused(429, "Retry later", headers=headers)


def _limit_headers(allowance: Allowance) -> dict[str, str]:
    """https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/"""
    return {
        "RateLimit-Limit": str(allowance.limit),
        "RateLimit-Name": "throttle_authenticated_api",
        "RateLimit-Observed": str(allowance.used),
        "RateLimit-Remaining": str(allowance.remaining),
        "RateLimit-Reset": str(int(allowance.reset.timestamp())),
        "RateLimit-ResetTime": allowance.reset.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }


def _admit(forge: Trains, route: Route, caller: Caller, request: web.Request) -> None:
    reads = request.method == "GET"
    if not caller.may("api", "write") and not (reads and caller.may("read_api", "read")):
        raise DemoForgeRefused(403, "insufficient_scope")
    if route.level is None:
        return
    repo = project_of(forge, request.match_info["id"])
    level = caller.level(repo)
    if level is Level.NONE:
        raise DemoForgeRefused(404, "404 Project Not Found")
    if level < route.level:
        raise DemoForgeRefused(403, "403 Forbidden")


async def _json_body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise DemoForgeRefused(400, "400 Bad Request") from error
    return body if isinstance(body, dict) else {}


def _page(route: Route, request: web.Request, answer: Answer) -> tuple[Answer, dict[str, str]]:
    """The part of a list that was asked for, and the headers that tell of the rest."""
    if not isinstance(answer.body, list) or not route.paged:
        return answer, {}
    size = min(LARGEST_PAGE, max(1, _number(request, "per_page", PAGE_SIZE)))
    if request.query.get("pagination") == "keyset":
        if not route.keyset or request.query.get("order_by") != "id":
            raise DemoForgeRefused(405, "Keyset pagination is not yet available for this request")
        return _keyset(request, answer, size)
    return _offset(request, answer, size)


def _keyset(request: web.Request, answer: Answer, size: int) -> tuple[Answer, dict[str, str]]:
    items = answer.body
    if (after := _number(request, "id_after", 0)) and request.query.get("sort") == "asc":
        items = [item for item in items if item["id"] > after]
    part = items[:size]
    more = len(items) > size
    links = [_link(request, "next", id_after=part[-1]["id"])] if more else []
    return Answer(part, answer.status), {"Link": ", ".join(links)} if links else {}


def _offset(request: web.Request, answer: Answer, size: int) -> tuple[Answer, dict[str, str]]:
    page, total = max(1, _number(request, "page", 1)), len(answer.body)
    last = max(1, -(-total // size))
    following = str(page + 1) if page < last else ""
    links = [_link(request, "first", page=1), _link(request, "last", page=last)]
    if following:
        links.insert(0, _link(request, "next", page=page + 1))
    headers = {
        "Link": ", ".join(links),
        "X-Next-Page": following,
        "X-Page": str(page),
        "X-Per-Page": str(size),
        "X-Prev-Page": str(page - 1) if page > 1 else "",
        "X-Total": str(total),
        "X-Total-Pages": str(last),
    }
    return Answer(answer.body[(page - 1) * size : page * size], answer.status), headers


def _link(request: web.Request, rel: str, **query: int) -> str:
    return f'<{request.url.update_query(**query)}>; rel="{rel}"'


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else default


def _response(request: web.Request, answer: Answer, headers: dict[str, str]) -> web.Response:
    if answer.status == 204:
        return web.Response(status=204, headers=headers)
    body = json.dumps(answer.body, ensure_ascii=False).encode()
    if request.method == "GET":
        headers["ETag"] = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
    return web.Response(
        body=body, status=answer.status, headers=headers, content_type="application/json"
    )


def _refusal(refused: DemoForgeRefused, headers: dict[str, str]) -> web.Response:
    """The acts refuse in GitHub's numbers; some are others here."""
    headers = headers | refused.headers
    if refused.status == 429:
        return web.Response(status=429, text=refused.message + "\n", headers=headers)
    if refused.message == "insufficient_scope":
        why = "The request requires higher privileges than provided by the access token."
        said: Json = {"error": refused.message, "error_description": why, "scope": "api"}
        return web.json_response(said, status=403, headers=headers)
    status = {422: 400}.get(refused.status, refused.status)
    plain = {403: "403 Forbidden", 404: "404 Not found"}.get(status)
    message: Any = refused.message
    if plain is not None and not message.startswith((str(status), "Protected")):
        message = plain
    if status == 400 and refused.errors and not refused.message:
        first = refused.errors[0]
        message = {n: [t] for n, t in first.items()} if isinstance(first, dict) else first
    return web.json_response({"message": message}, status=status, headers=headers)
