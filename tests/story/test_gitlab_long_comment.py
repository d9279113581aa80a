"""A plan that GitHub would hold in three comments is one on GitLab, which takes a million."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from town import REPOSITORY, Town

pytestmark = pytest.mark.only_forge("gitlab", "on GitHub the same goes on in numbered comments")

NAME = "a-name-that-is-long-enough-to-fill-comments-" * 2
GITHUB_TAKES = 65_536


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def test_one_long_comment(town: Town) -> None:
    """It writes one comment with everything in it, and edits that one in place."""
    clone = await town.build({"app/main.tf": town.backend("app")})
    await town.start()
    outputs = (f'output "{NAME}-{n:04}" {{\n  value = {n}\n}}\n' for n in range(1_200))
    await clone.push("topic", "Many", {"app/many.tf": "".join(outputs)})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "1,200 outputs change")
    (said,) = town.said(pull)
    assert GITHUB_TAKES < len(said.body) < 1_000_000
    assert all(f"{NAME}-{n:04}" in said.body for n in range(1_200))
    assert "1 of " not in said.body
    await clone.push("topic", "Words", {"README.md": "Hello.\n"})
    await town.reads(pull, lambda body: pull.head_sha[:7] in body)
    assert town.said(pull) == [said]
    assert len(said.body) > GITHUB_TAKES
