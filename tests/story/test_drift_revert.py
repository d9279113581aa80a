"""`revert` on an issue about drift: planned, applied and planned again, and the issue is closed;
what stands against it is told there."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from houses import House
from nights import CHECKS, REPO, Calendar, apply_by_hand, change_by_hand
from town import Town, resource

from prbot.model import Login, PullRef
from prbot.runs.locks import Lock

RULES = """\
version: 1
defaults: {apply_requirements: {approved: false}}
drift: {issues: true}
"""


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def test_revert(town: Town, calendar: type[Calendar]) -> None:
    """It is refused to whoever may not, and while a pull request holds the project; then it is
    applied, proven, and closes the issue; when it drifts again, the same issue is opened."""
    clone = await town.build(
        {"app/main.tf": town.backend("app") + resource("web"), "prbot.yaml": RULES}
    )
    await apply_by_hand(town, clone.directory / "app")
    await town.start(drift=CHECKS)
    house = House(town, calendar)
    await house.looked_at(None)
    change_by_hand(town, "one", "by hand")
    await house.night()
    (issue,) = house.issues
    refused = await house.answered(issue, "carol", "prbot revert")
    assert "it needs write access" in refused

    assert town.prbot is not None
    pull = PullRef(REPO, 7)
    async with town.prbot.store.begin() as unit:
        await unit.locks.take(Lock(REPO, house.project, pull, Login("bob"), calendar().now()))
    assert "it is planned now" in await house.answered(issue, "alice", "prbot revert")
    await house.corrected()
    assert "held by pull request 7" in issue.comments[-1].body
    assert issue.open
    async with town.prbot.store.begin() as unit:
        await unit.locks.free(pull, [house.project])

    serial = json.loads(town.state_file("app").read_text())["serial"]
    assert "it is planned now" in await house.answered(issue, "alice", "prbot revert")
    await house.corrected()
    state = json.loads(town.state_file("app").read_text())
    assert state["serial"] > serial, issue.comments[-1].body
    assert state["resources"][0]["instances"][0]["attributes"]["input"]["value"] == "one"
    said = [one.body for one in issue.comments][-2:]
    assert "Put right: `app`" in said[0]
    assert "As `alice` asked" in said[0]
    assert "a plan made afterwards finds nothing to change" in said[1]
    assert not issue.open
    async with town.prbot.store.begin() as unit:
        assert await unit.locks.of_repo(REPO) == ()

    change_by_hand(town, "one", "again")
    await house.night()
    assert (house.issues, issue.open) == ([issue], True)
