"""A plan that no comment holds: it goes on in numbered ones, which stay together."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from town import REPOSITORY, Town, resource


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


pytestmark = pytest.mark.only_forge("github", "on GitLab the same is one long comment")

LONG = "a-name-that-is-long-enough-to-fill-comments-" * 2


def many(count: int) -> str:
    """Outputs: Terraform needs minutes to plan as many instances."""
    return "".join(f'output "{LONG}-{n:04}" {{\n  value = {n}\n}}\n' for n in range(count))


async def test_numbered_comments(town: Town) -> None:
    """It writes three comments, edits them in place while the plan is the same, and folds all
    of them when another plan replaces them."""
    clone = await town.build({"app/main.tf": town.backend("app")})
    await town.start()
    await clone.push("topic", "Many", {"app/many.tf": many(1_200)})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.reads(pull, lambda body: "3 of 3" in body)
    first, second, third = town.said(pull)
    assert "1 of 3" in first.body
    assert "1,200 outputs change" in first.body
    assert "**Next:**" in first.body
    assert "2 of 3" in second.body
    whole = "".join(comment.body for comment in (first, second, third))
    assert all(f"{LONG}-{n:04}" in whole for n in range(1_200))
    await clone.push("topic", "Words", {"README.md": "Hello.\n"})
    await town.reads(pull, lambda body: "3 of 3" in body and pull.head_sha[:7] in body)
    assert town.said(pull) == [first, second, third]
    await clone.push("topic", "One", {"app/many.tf": resource("one")})
    await town.reads(pull, lambda body: "terraform_data.one" in body)
    await town.forge.wait_for(lambda: town.folded(third), 30)
    assert [town.folded(comment) for comment in town.said(pull)] == [True] * 3 + [False]
