"""kill -9 of `prbot serve` while forges post: what was answered with 202 is stored."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from town import HOOK_SECRET, Town

PING = json.dumps({"zen": "Keep it logically awesome.", "hook_id": 1}).encode()
SENDERS = 16
ENOUGH = 200
"""Answers before the kill: by then transactions of many deliveries follow one another."""


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


def operators_file(town: Town) -> Path:
    path = town.directory / "prbot.server.yaml"
    path.write_text(
        f"""
listen: 127.0.0.1:0
state_dir: {town.directory / "prbot"}
repositories: ["acme/*"]
forges:
  - name: forge
    kind: {town.forge.customs.kind}
    api_url: {town.forge.api_url}
    clone_url: {town.forge.url}
    token: env://STORY_TOKEN
    webhook_secret: env://STORY_HOOK
"""
    )
    return path


@asynccontextmanager
async def served(town: Town) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """`prbot serve` as a process, and where it listens; the block kills it."""
    path = await asyncio.to_thread(operators_file, town)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "prbot", "serve", "--config", str(path)),
        env=town.environ,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stderr is not None
    line = b""
    try:
        async with asyncio.timeout(60):
            while b'"serving"' not in line:
                line = await process.stderr.readline()
                assert line, "prbot serve ended before it listened"
        reading = asyncio.create_task(process.stderr.read())  # its pipe must not fill up
        yield process, json.loads(line)["address"]
        await reading
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def from_github(name: str) -> dict[str, str]:
    signature = hmac.new(HOOK_SECRET.encode(), PING, hashlib.sha256).hexdigest()
    return {
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": name,
        "X-Hub-Signature-256": f"sha256={signature}",
    }


def from_gitlab(name: str) -> dict[str, str]:
    return {
        "X-Gitlab-Event": "Emoji Hook",
        "X-Gitlab-Token": HOOK_SECRET,
        "Idempotency-Key": name,
    }


@dataclass
class Post:
    """What is sent to a door, and what was said to be stored."""

    url: str
    headers: Callable[[str], dict[str, str]]
    accepted: list[str] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, names: Iterator[str]) -> None:
        """One delivery after another, until the other side is dead; some are sent twice."""
        async with aiohttp.ClientSession() as client:
            for name in names:
                given = self.headers(name)
                try:
                    async with client.post(self.url, data=PING, headers=given) as answer:
                        assert answer.status == 202, await answer.text()
                        self.accepted.append((await answer.json())["delivery"])
                except (aiohttp.ClientError, OSError):
                    return
                if len(self.accepted) >= ENOUGH:
                    self.enough.set()


def stored(town: Town) -> list[str]:
    with closing(sqlite3.connect(town.directory / "prbot" / "prbot.sqlite3")) as database:
        return [name for (name,) in database.execute("SELECT id FROM deliveries")]


async def test_kill_while_posting(town: Town) -> None:
    """It has everything in the database that it answered with 202, each once."""
    names = (f"delivery-{number // 3 * 2 + number % 3 % 2}" for number in itertools.count())
    async with served(town) as (process, url):
        post = Post(town.door_at(url), from_gitlab if town.gitlab else from_github)
        senders = [asyncio.create_task(post.send(names)) for _ in range(SENDERS)]
        async with asyncio.timeout(60):
            await post.enough.wait()
        process.kill()
        await asyncio.gather(*senders)
    assert len(set(post.accepted)) >= ENOUGH / 2
    kept = await asyncio.to_thread(stored, town)
    assert set(post.accepted) <= set(kept)
    assert len(kept) == len(set(kept))
