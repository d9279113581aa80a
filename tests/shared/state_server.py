"""A server of Terraform states: the wire of the `http` backend, locks included.

Unlike a local state, one kept here is not written after every resource, and its lock
outlives the process that took it. That is how S3 and its like behave too.
https://developer.hashicorp.com/terraform/language/backend/http
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web


@dataclass
class StateServer:
    """`states` and `locks` by name, as they came. `unlocked` are the names freed, in order.

    While `shut`, whoever reads a state waits until `let_in`; `reading` tells that one does.
    """

    url: str = ""
    states: dict[str, bytes] = field(default_factory=dict)
    locks: dict[str, dict[str, Any]] = field(default_factory=dict)
    unlocked: list[str] = field(default_factory=list)
    broken: bool = False
    shut: asyncio.Event | None = None
    reading: asyncio.Event = field(default_factory=asyncio.Event)

    def shut_out(self) -> None:
        self.shut = asyncio.Event()
        self.reading.clear()

    def let_in(self) -> None:
        if self.shut is not None:
            self.shut.set()
        self.shut = None

    def backend(self, name: str) -> str:
        place = f"{self.url}/{name}"
        lines = (
            f'    address        = "{place}"',
            f'    lock_address   = "{place}"',
            f'    unlock_address = "{place}"',
            "    retry_max      = 0",
        )
        return 'terraform {\n  backend "http" {\n' + "\n".join(lines) + "\n  }\n}\n"

    async def handle(self, request: web.Request) -> web.Response:
        name, body = request.match_info["name"], await request.read()
        if self.broken:
            return web.Response(status=500)
        match request.method:
            case "GET":
                if self.shut is not None:
                    self.reading.set()
                    await self.shut.wait()
                state = self.states.get(name)
                return web.Response(status=404) if state is None else web.Response(body=state)
            case "POST":
                held = self.locks.get(name, {}).get("ID")
                if held is not None and request.query.get("ID") != held:
                    return web.Response(status=423)
                self.states[name] = body
                return web.Response()
            case "LOCK":
                if name in self.locks:
                    return web.json_response(self.locks[name], status=423)
                self.locks[name] = json.loads(body)
                return web.Response()
            case "UNLOCK":
                self.locks.pop(name, None)
                self.unlocked.append(name)
                return web.Response()
            case _:
                return web.Response(status=405)


@pytest.fixture
async def state_server() -> AsyncIterator[StateServer]:
    """One server for one test, on a free port."""
    server = StateServer()
    app = web.Application()
    app.router.add_route("*", "/{name}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}"
    yield server
    await runner.cleanup()
