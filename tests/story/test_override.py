"""Somebody passes over the rules, and it is seen afterwards in three places."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from town import REPOSITORY, Town, closed_now, resource

from prbot.config.environments import OverrideEntry

REASON = "all is on fire @acme/all <b>now</b> #1"


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def test_it_is_told_and_noted(town: Town) -> None:
    """It applies what nobody approved for whom the operator lets, and says so in the comment,
    in the journal and in one issue, in which the reason is no more than text."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    may = OverrideEntry.model_validate({"users": ["alice"], "skips": ["approved"]})
    await town.start(override=may)
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more")
    await town.forge.comment(pull, "bob", f"prbot apply --override '{REASON}'")
    await town.hears(pull, "Not done", "bob may not override", "approvals of this plan")
    await town.forge.comment(pull, "alice", f"prbot apply --override '{REASON}'")
    told = await town.hears(pull, "Applied", "Overridden", "Passed over: `approved`")
    issue = await town.forge.wait_for(lambda: next(iter(pull.repo.issues.values()), None))
    assert f"Applied with an override: {town.titled(pull)}" == issue.title
    assert all(f"`{REASON}`" in text for text in (told, issue.body))
    (line,) = (entry for entry in await town.journal(pull) if entry.action == "overridden")
    noted = {"reason": REASON, "passed_over": ["approved"]}
    assert (line.actor, json.loads(line.detail)) == ("alice", noted)
    assert len(pull.repo.issues) == 1


async def test_after_a_merge(town: Town) -> None:
    """It applies outside of the window what was merged, for whom the operator lets, and tells
    the same in all three places."""
    rules = f"version: 1\ndefaults: {{apply_windows: ['{closed_now()}']}}\n"
    clone = await town.build({"prbot.yaml": rules, "app/main.tf": town.backend("app")})
    may = OverrideEntry.model_validate({"users": ["alice"], "skips": ["windows"]})
    await town.start(override=may)
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more")
    await town.forge.merge(pull, "bob")
    await town.hears(pull, "Waiting", "outside the apply windows")
    await town.forge.comment(pull, "bob", "prbot apply --override burning")
    await town.hears(pull, "Not done", "bob may not override", "outside the apply windows")
    await town.forge.comment(pull, "alice", "prbot apply --override burning")
    await town.hears(pull, "Applied: 1 of 1", "Overridden", "Passed over: `windows`")
    issue = await town.forge.wait_for(lambda: next(iter(pull.repo.issues.values()), None))
    assert all(f"@{login}" in issue.body for login in ("alice", "bob"))
    (line,) = (entry for entry in await town.journal(pull) if entry.action == "overridden")
    assert json.loads(line.detail) == {"reason": "burning", "passed_over": ["windows"]}
    assert '"more"' in town.state_file("app").read_text()
