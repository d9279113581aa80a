"""Another program that is told of drift: a real server, which checks each signature."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator

SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, or so").decode()
SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "docs" / "drift-webhook.schema.json").read_text()
)


def is_valid(document: Any) -> bool:
    return bool(Draft202012Validator(SCHEMA).is_valid(document))


@dataclass
class Listener:
    """`answers` are the statuses to come, 204 when there are none; a 0 never comes. `heard` are
    the messages that were taken, `tried` the ids of all."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    heard: list[dict[str, Any]] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    timestamps: list[int] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.heard]

    async def hear(self, request: web.Request) -> web.Response:
        body = await request.read()
        delivery, moment = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        signed = hmac.digest(key, f"{delivery}.{moment}.".encode() + body, hashlib.sha256)
        assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(signed).decode()}"
        self.tried.append(delivery)
        self.timestamps.append(int(moment))
        status = self.answers.pop(0) if self.answers else 204
        if status == 0:
            await self.closing.wait()
        if 200 <= status < 300:
            self.heard.append(json.loads(body))
            assert is_valid(self.heard[-1])
        return web.Response(status=status or 204, headers=self.headers)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    made = Listener()
    app = web.Application()
    app.add_routes([web.post("/hook", made.hear)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook?token=of-the-address"
    try:
        yield made
    finally:
        made.closing.set()
        await runner.cleanup()
