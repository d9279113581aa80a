"""What one pull request calls sensitive: gone from all that is told of it, and of it alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from town import REPOSITORY, Town, resource

from prbot.demo.person import Clone
from prbot.demo.state import Pull

WORD, SECRET = "harbour", "tea-and-oranges-77"
"""A word that everybody uses, and a value that stands in one pull request alone."""


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


def sensitive(name: str, value: str) -> str:
    return (
        f'variable "{name}" {{\n  default   = "{value}"\n  sensitive = true\n}}\n'
        f'resource "terraform_data" "{name}" {{\n  input = var.{name}\n}}\n'
    )


async def proposed(town: Town, clone: Clone, branch: str, files: dict[str, str]) -> Pull:
    await clone.push(branch, "Change", files)
    return await town.forge.open_pull(REPOSITORY, head=branch, title=branch, author="alice")


def stored(directory: Path) -> bytes:
    """All that the database holds, in its file and in the log beside it."""
    return b"".join(path.read_bytes() for path in directory.glob("prbot.db*"))


async def test_two_pull_requests(town: Town) -> None:
    """It hides the word where it was called sensitive and tells it to everybody else; after a
    restart the first pull request is as clean as before, the tool's own words included."""
    clone = await town.build({"app/main.tf": town.backend("app"), "net/main.tf": resource("n")})
    async with AsyncExitStack() as first_start:
        town.stack, whole = first_start, town.stack
        await town.start()
        secrets = {"app/secrets.tf": sensitive("word", WORD) + sensitive("own", SECRET)}
        hiding = await proposed(town, clone, "hiding", secrets)
        told = await town.hears(hiding, "terraform_data.own")
        assert WORD not in told
        assert SECRET not in told
        open_ = await proposed(town, clone, "open", {"net/main.tf": resource(WORD, WORD)})
        told = await town.hears(open_, "terraform_data.")
        assert f"terraform_data.{WORD}" in told
        assert "redacted" not in told
    town.stack = whole
    await town.start()
    broken = resource("broken", f"{WORD} and {SECRET}").replace("input =", "input = nothing +")
    await clone.push("hiding", "Break it", {"app/broken.tf": broken})
    told = await town.hears(hiding, "Error")
    assert "[redacted] and [redacted]" in told
    everything = "".join(comment.body for comment in town.said(hiding))
    assert WORD not in everything
    assert SECRET not in everything
    statuses = [s.description for s in hiding.repo.statuses if s.sha == hiding.head_sha]
    assert not any(WORD in (words or "") for words in statuses)
    assert SECRET.encode() not in stored(town.config.state_dir)
    assert f"terraform_data.{WORD}" in town.said(open_)[-1].body
