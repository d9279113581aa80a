"""A pull request of prbot's own: one branch, one commit, planned as anybody's."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from town import REPOSITORY, Town, resource

from prbot.app.serve import running
from prbot.config.drift import Proposal
from prbot.demo.state import Pull
from prbot.drift.adopt import Code, Wish, adopt
from prbot.drift.proposing import branch_of
from prbot.model import ProjectKey, RepoRef, Sha
from prbot.ports.outbox import ProposalLetter, of_repository
from prbot.ports.tree import BranchCommit
from prbot.telemetry import Redactor

PROJECT = ProjectKey("live", "default")
BRANCH = branch_of(Proposal.ADOPT, PROJECT)
REPO = RepoRef("forge", REPOSITORY)


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def applied(town: Town, code: str) -> None:
    """Somebody applied the code, and then changed what it made."""
    place = town.directory / "by-hand"
    place.mkdir()
    (place / "main.tf").write_text(code)
    for words in (("init",), ("apply", "-auto-approve")):
        process = await asyncio.create_subprocess_exec(
            *("terraform", *words), cwd=place, env=os.environ, stdout=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0
    state = json.loads(town.state_file("live").read_text())
    (made,) = state["resources"][0]["instances"]
    made["attributes"]["input"]["value"] = made["attributes"]["output"]["value"] = "by-hand"
    town.state_file("live").write_text(json.dumps(state | {"serial": state["serial"] + 1}))


async def propose(town: Town, code: str, live: str) -> None:
    """Put the letter of an adoption into the outbox, once for each live value."""
    wish = Wish("terraform_data.app", "input", "one", live)
    found = adopt(Code({"live/main.tf": code.encode()}, "live"), [wish])
    head = Sha(town.forge.repository(REPOSITORY).branches["main"])
    now = datetime.now(UTC)
    change = BranchCommit(BRANCH, head, "Adopt", now, found.files)
    letter = ProposalLetter(change, "main", "Drift", f"what was changed by hand: {live}")
    async with (
        running(town.config, town.environ, Redactor()) as prbot,
        prbot.store.begin() as unit,
    ):
        await unit.outbox.put(f"adopt {live}", of_repository(REPO), letter, now)


def ours(town: Town) -> list[Pull]:
    pulls = town.forge.repository(REPOSITORY).pulls.values()
    return [pull for pull in pulls if pull.head_branch == BRANCH]


async def test_adopt(town: Town) -> None:
    """It changes one literal, prbot plans it, and its plan changes nothing; a second wish edits
    the same pull request."""
    code = town.backend("live") + "\n" + resource("app")
    await town.build({"live/main.tf": code})
    await applied(town, code)
    await propose(town, code, "other")
    await propose(town, code, "by-hand")
    await town.start()
    pull = await town.forge.wait_for(
        lambda: next((p for p in ours(town) if "by-hand" in p.body), None), 60
    )
    assert await town.status(pull, "prbot/plan", "success")
    (file,) = pull.files
    changed = [line for line in (file.patch or "").splitlines() if line[:1] in "+-"]
    assert (file.path, changed) == (
        "live/main.tf",
        ['-  input = "one"', '+  input = "by-hand"'],
    )
    body = await town.hears(pull, "Plan for `live`: no changes")
    assert "terraform_data.app" not in body
    assert [(p.author.login, p.open) for p in ours(town)] == [(town.bot, True)]
    assert len(pull.commits) == 1


async def test_not_adopted(town: Town) -> None:
    """The plan of another pull request shows what adoption would settle."""
    code = town.backend("live") + "\n" + resource("app")
    clone = await town.build({"live/main.tf": code})
    await applied(town, code)
    await town.start()
    await clone.push("topic", "A comment", {"live/main.tf": f"# why\n{code}"})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.app", "by-hand")
