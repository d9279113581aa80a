"""A database and the installation key it belongs to, at the start of prbot."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from prbot.app.compose import composed
from prbot.config.server import load_server
from prbot.engine.world import World
from prbot.errors.store import KeyOfAnother, KeyUnreadable
from prbot.telemetry import Redactor

pytestmark = pytest.mark.no_forge("a key and its database, before any forge is asked")

FILE = """\
state_dir: {state}
repositories: [acme/*]
forges:
  - name: github
    kind: github
    token: env://GITHUB_TOKEN
    webhook_secret: env://HOOK
terraform: {{environment: ["PRBOT_*", "KEY*"]}}
"""
GIVEN = base64.b64encode(b"g" * 32).decode()


@pytest.fixture
def started(tmp_path: Path, need: Callable[[str], None]):
    """`await started("installation_key: …")` starts prbot, stops it, and returns its world."""
    need("terraform")

    async def start(*lines: str, state: str = "state", **environ: str) -> World:
        text = "\n".join((FILE.format(state=tmp_path / state), *lines))
        given = {"PATH": os.environ["PATH"], "GITHUB_TOKEN": "t" * 20, "HOOK": "h" * 20, **environ}
        config = load_server(text, "prbot.server.yaml", given)
        async with composed(config, given, Redactor()) as made:
            return made

    return start


async def test_another_key_is_refused_until_the_lost_one_is_named(started, tmp_path) -> None:
    """It does not start with a key that the database does not know; naming the lost one
    makes the database the new key's, and opens it for no other."""
    await started()
    key = tmp_path / "state" / "installation.key"
    key.unlink()
    with pytest.raises(KeyOfAnother) as caught:
        await started()
    lost = caught.value.theirs
    assert re.fullmatch("k-[0-9a-f]{16}", lost)
    assert f"`installation_key_lost: {lost}`" in caught.value.next_step
    with pytest.raises(KeyOfAnother):
        await started(f"installation_key_lost: k-{'0' * 16}")
    await started(f"installation_key_lost: {lost}")
    await started()
    key.unlink()
    with pytest.raises(KeyOfAnother):
        await started(f"installation_key_lost: {lost}")


async def test_the_key_of_all_machines(started, tmp_path) -> None:
    """It takes the key it is given, makes none of its own, and keeps it from the tool."""
    reference = "installation_key: env://KEY_OF_ALL"
    here = await started(reference, KEY_OF_ALL=GIVEN)
    there = await started(reference, state="there", KEY_OF_ALL=(b"g" * 32).hex())
    assert here.settings.installation == there.settings.installation
    assert here.settings.hash_key == there.settings.hash_key
    assert list(tmp_path.glob("*/installation.key")) == []
    assert "KEY_OF_ALL" not in here.settings.tool_environment
    assert GIVEN not in here.redactor.redact(f"key {GIVEN}")
    with pytest.raises(KeyOfAnother):
        await started()


async def test_the_first_key_can_be_given_to_others(started, tmp_path) -> None:
    """It goes on with its own key after that was written into the setting, as documented."""
    own = await started()
    written = base64.b64encode((tmp_path / "state" / "installation.key").read_bytes()).decode()
    (tmp_path / "key").write_text(f"{written}\n")
    given = await started(f"installation_key: file://{tmp_path / 'key'}")
    assert given.settings.installation == own.settings.installation


async def test_a_key_that_is_none(started) -> None:
    """It says which setting it is, and how a key is written."""
    with pytest.raises(KeyUnreadable, match="env://KEY"):
        await started("installation_key: env://KEY", KEY="hunter2")
