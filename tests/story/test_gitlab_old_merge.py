"""A merge webhook that GitLab sends again days later applies no history."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import aiohttp
import pytest
from town import HOOK_SECRET, REPOSITORY, Town, resource

from prbot.demo.hooks import Delivery

pytestmark = pytest.mark.only_forge(
    "gitlab", "its webhook tells when it happened, and is sent anew"
)


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


def days_ago(town: Town, delivery: Delivery) -> bytes:
    """Its body as it would have been made the day before yesterday."""
    at = town.forge.now() - timedelta(days=2)
    payload = json.loads(delivery.body)
    payload["object_attributes"]["updated_at"] = at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return json.dumps(payload).encode()


async def test_an_old_merge_is_held(town: Town) -> None:
    """It plans and holds what was merged long ago, however fresh the webhook is."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    prbot = await town.start()
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more")
    await town.status(pull, "prbot/apply", "success")
    await town.forge.settled()
    town.forge.courier.hold()
    await town.forge.merge(pull, "bob")
    (merge,) = [d for d in town.forge.deliveries if '"merge"' in d.body.decode()]
    headers = {"X-Gitlab-Token": HOOK_SECRET, "X-Gitlab-Event": "Merge Request Hook"}
    async with aiohttp.ClientSession() as client:
        url, old = f"{prbot.url}/hooks/gitlab", days_ago(town, merge)
        async with client.post(url, data=old, headers=headers) as answer:
            assert answer.status == 202
    await town.hears(pull, "Held")
    assert not town.state_file("app").exists()
