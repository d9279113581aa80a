"""`revert` on an issue about drift: planned, applied and planned again, and the issue is closed;
what stands against it is told there."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable

import pytest
from houses import House
from nights import CHECKS, REPO, Calendar, apply_by_hand, change_by_hand
from town import PATIENCE, Town, resource
from watchfiles import awatch

from prbot.model import Login, PullRef
from prbot.runs.correction import is_correction
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
    await house.checked()
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
    assert f"held by {town.word} " in issue.comments[-1].body
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


def slow(town: Town) -> str:
    """A resource that is made when somebody opens the gate."""
    return (
        'resource "terraform_data" "slow" {\n'
        '  provisioner "local-exec" {\n'
        f'    command = "echo run >> {town.directory}/count; cat {town.directory}/gate"\n'
        "  }\n}\n"
    )


def delete_by_hand(town: Town, name: str) -> None:
    """What lives, as the state has it."""
    state = town.state_file("app")
    document = json.loads(state.read_text())
    left = [each for each in document["resources"] if each["name"] != name]
    state.write_text(json.dumps(document | {"resources": left, "serial": document["serial"] + 1}))


async def kill_the_tool(town: Town) -> None:
    """As a machine does that is out of memory, once the provisioner runs."""
    count = town.directory / "count"
    async with asyncio.timeout(PATIENCE):
        watching = awatch(town.directory, step=5, rust_timeout=200, yield_on_timeout=True)
        while not count.exists() or count.read_text() != "run\n":
            await anext(watching)
    records = (town.directory / "prbot" / "jobs").glob("*/*/process.json")
    found = [json.loads(path.read_text()) for path in records]
    (tool,) = [each for each in found if "apply" in each["argv"]]
    os.killpg(tool["pid"], signal.SIGKILL)


async def test_an_apply_that_died(town: Town, calendar: type[Calendar]) -> None:
    """It is told with what it left, and begun by nobody again; the project stays held until
    somebody who may lets go of it, and is mended when a check finds nothing to change."""
    gate, count = town.directory / "gate", town.directory / "count"
    gate.write_text("go")
    code = town.backend("app") + slow(town)
    clone = await town.build({"app/main.tf": code, "prbot.yaml": RULES})
    await apply_by_hand(town, clone.directory / "app")
    gate.unlink()
    count.unlink()
    os.mkfifo(gate)
    await town.start(drift=CHECKS)
    house = House(town, calendar)
    await house.checked()
    delete_by_hand(town, "slow")
    await house.night()
    (issue,) = house.issues
    await house.answered(issue, "alice", "prbot revert")
    killing = asyncio.create_task(kill_the_tool(town))
    await house.corrected()
    await killing
    left = next(one.body for one in issue.comments if "Interrupted: `app`" in one.body)
    assert "- `terraform_data.slow`: create" in left
    assert "It is not begun again by itself" in left

    await house.answered(issue, "alice", "prbot revert")
    await house.corrected()
    assert "a correction before this one did not end" in issue.comments[-1].body
    assert count.read_text() == "run\n"
    assert town.prbot is not None
    async with town.prbot.store.begin() as unit:
        (lock,) = await unit.locks.of_repo(REPO)
    assert is_correction(lock.holder)
    assert "it needs write access" in await house.answered(issue, "carol", "prbot unlock")
    assert "is let go of" in await house.answered(issue, "alice", "prbot unlock")

    gate.unlink()
    gate.write_text("go")
    await apply_by_hand(town, clone.directory / "app")
    await house.look()
    async with town.prbot.store.begin() as unit:
        assert await unit.locks.of_repo(REPO) == ()
        outcomes = [one.outcome for one in await unit.corrections.of_project(REPO, house.project)]
    assert outcomes == ["mended", "refused"]
