"""The webhook door over HTTP, where the database does not do what it should."""

from __future__ import annotations

import asyncio
import hmac
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from prbot.adapters.store import SqlStore
from prbot.ports.store import UnitOfWork
from prbot.web import hooks, server

SECRET = b"secret of the door"
PING = b'{"zen":"Keep it logically awesome."}'


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


@asynccontextmanager
async def served(
    store: Any, rung: Callable[[], None] = lambda: None
) -> AsyncIterator[tuple[web.AppRunner, str]]:
    door = hooks.Door(store, Clock(), [("gh", SECRET)], 1 << 20, rung)
    runner, port = await server.listen(server.application(door, lambda: True), "127.0.0.1", 0)
    try:
        yield runner, f"http://127.0.0.1:{port}/hooks/github"
    finally:
        await runner.cleanup()


def headers(name: str) -> dict[str, str]:
    signature = hmac.new(SECRET, PING, "sha256").hexdigest()
    return {
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": name,
        "X-Hub-Signature-256": f"sha256={signature}",
    }


async def post(url: str, name: str) -> tuple[int, Mapping[str, str], dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as client,
        client.post(url, data=PING, headers=headers(name)) as answer,
    ):
        return answer.status, answer.headers, await answer.json()


async def test_not_stored(empty_store: SqlStore) -> None:
    """It asks everybody whose delivery was not stored to send it again, and then takes it."""
    rings: list[None] = []
    async with served(empty_store, lambda: rings.append(None)) as (_, url):
        answers = await asyncio.gather(*(post(url, f"d-{number}") for number in range(8)))
        for status, said, told in answers:
            assert status == 503
            assert int(said["Retry-After"]) > 0
            assert "could not be stored" in told["error"]
            assert told["hint"]
        assert not rings
        await empty_store.migrate()
        status, said, told = await post(url, "d-0")
        assert (status, told) == (202, {"delivery": "d-0", "new": True})
        assert "Retry-After" not in said
        assert len(rings) == 1


@pytest.mark.parametrize("name", ["d\xe9", "d\udcff", "x" * 201])
async def test_a_strange_id(store: SqlStore, name: str) -> None:
    """It refuses an id that a database might refuse together with all that came with it."""
    async with served(store) as (_, url):
        host, port = url.split("/")[2].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        lines = [f"{key}: {value}" for key, value in headers(name).items()]
        lines = ["POST /hooks/github HTTP/1.1", "Host: x", *lines, f"Content-Length: {len(PING)}"]
        text = "\r\n".join([*lines, "Connection: close", "", ""])
        writer.write(text.encode("utf-8", "surrogateescape") + PING)
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 400 "), answer
        assert (await post(url, "d"))[0] == 202


@dataclass(frozen=True)
class Announced:
    """The store, and word of when it is asked to begin."""

    store: SqlStore
    asked: asyncio.Event

    def begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        self.asked.set()
        return self.store.begin()


async def test_stop(store: SqlStore, intruder: sqlite3.Connection) -> None:
    """It answers what waits for the database before it closes its doors."""
    announced = Announced(store, asyncio.Event())
    async with served(announced) as (runner, url):
        intruder.execute("BEGIN IMMEDIATE")
        posting = asyncio.create_task(post(url, "last"))
        await announced.asked.wait()
        stopping = asyncio.create_task(runner.cleanup())
        await asyncio.sleep(0)
        intruder.execute("ROLLBACK")
        assert (await posting)[0] == 202
        await stopping
    async with store.begin() as unit:
        assert [each.id for each in await unit.deliveries.waiting("gh")] == ["last"]
