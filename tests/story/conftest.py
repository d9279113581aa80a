"""Lets the stories share `town`: the forge, the people, and prbot beside them."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from prbot.config.server import ForgeConfig, ServerConfig
from prbot.demo.forge import DemoForge

sys.path.insert(0, str(Path(__file__).parent))

from town import BOT, BOT_TOKEN, HOOK_SECRET, Town


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    forge = DemoForge(tmp_path / "forge")
    await forge.start()
    for login in ("alice", "bob", "carol", "mallory"):
        forge.create_user(login)
    forge.create_user(BOT, kind="Bot", token=BOT_TOKEN)
    environ = dict(os.environ) | {"STORY_TOKEN": BOT_TOKEN, "STORY_HOOK": HOOK_SECRET}
    config = ServerConfig(
        listen="127.0.0.1:0",
        state_dir=tmp_path / "prbot",
        repositories=("acme/*",),
        forges=(
            ForgeConfig(
                name="forge",
                kind="github",
                api_url=forge.api_url,
                clone_url=forge.url,
                token="env://STORY_TOKEN",
                webhook_secret="env://STORY_HOOK",
            ),
        ),
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(forge.stop)
        yield Town(tmp_path, forge, environ, config, stack)
