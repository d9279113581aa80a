"""Faults that tests order: the next matching requests fail, hang or lose their answer.

GitHub says that its limits are used up with 403 or 429 and headers: `X-RateLimit-Remaining: 0`
with `X-RateLimit-Reset` (epoch seconds), or `Retry-After` (seconds) and a message about the
secondary limit; both may be ordered here for single requests.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from prbot.demo.changes import Changes

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """`status` is answered; 0 cuts the connection without an answer. `hang` waits until
    the forge lets go. `after`: the request is carried out first, only its answer is lost.
    """

    method: str
    path: re.Pattern[str]
    status: int
    hang: bool
    after: bool
    times: int
    message: str = "Server Error"
    headers: Mapping[str, str] = field(default_factory=dict)

    def matches(self, request: web.Request) -> bool:
        method = self.method in ("*", request.method)
        return method and self.times > 0 and self.path.search(request.path) is not None


class Faults:
    def __init__(self, changes: Changes) -> None:
        self._faults: list[Fault] = []
        self._let_go = asyncio.Event()
        self._changes = changes
        self.hanging = 0

    def fail_next(
        self,
        method: str,
        path_pattern: str,
        status: int = 500,
        *,
        hang: bool = False,
        after: bool = False,
        times: int = 1,
        message: str = "Server Error",
        headers: Mapping[str, str] | None = None,
    ) -> Fault:
        """Order a fault for the next `times` requests. `method` may be `*`,
        `path_pattern` is a regular expression searched in the path."""
        pattern = re.compile(path_pattern)
        fault = Fault(method, pattern, status, hang, after, times, message, headers or {})
        self._faults.append(fault)
        return fault

    def let_go(self) -> None:
        """Answer what hangs, and hang no more."""
        self._let_go.set()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handle) -> web.StreamResponse:
        fault = next((fault for fault in self._faults if fault.matches(request)), None)
        if fault is None:
            return await handler(request)
        fault.times -= 1
        if fault.after:
            await handler(request)
        if fault.hang:
            self.hanging += 1
            self._changes.tell()
            await self._let_go.wait()
        if fault.status == 0 and request.transport is not None:
            request.transport.abort()
        body = {"message": fault.message, "documentation_url": "", "status": str(fault.status)}
        return web.json_response(body, status=fault.status or 500, headers=fault.headers)
