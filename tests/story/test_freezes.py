"""A freeze stops an apply at the last moment, and none that has begun."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from town import REPOSITORY, Town, resource
from watchfiles import awatch

from prbot.config.per_repository import RepositoryRule
from prbot.config.workflows import Workflow
from prbot.demo.state import Pull
from prbot.model import Login, RepoRef
from prbot.runs.freezes import Freeze, FreezeId, FreezeScope


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def freeze(town: Town, **scope: Any) -> None:
    assert town.prbot is not None
    now = datetime.now(UTC)
    by = Login("dave")
    everything = Freeze(FreezeId("f-1"), FreezeScope.EVERYWHERE, "release @alice", by, now)
    async with town.prbot.store.begin() as unit:
        await unit.freezes.add(replace(everything, **scope))


def steps(directory: Path, stage: str) -> dict[str, object]:
    """A workflow whose `stage` stops at a gate, as long as one stands there."""
    gate = f"test ! -p {directory}/gate || {{ touch {directory}/waits; cat {directory}/gate; }}"
    plan = [{"run": gate}, "init", "plan"] if stage == "plan" else None
    apply = ["apply", {"run": gate}] if stage == "apply" else None
    workflow = {"plan": {"steps": plan}, "apply": {"steps": apply}}
    return {
        "per_repository": [RepositoryRule.model_validate({"match": ["*/*"], "workflow": "gated"})],
        "workflows": {"gated": Workflow.model_validate(workflow)},
    }


async def applying(town: Town, stage: str) -> Pull:
    """A pull request whose apply stands at the gate of this stage."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start(**steps(town.directory, stage))
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more")
    await town.forge.review(pull, "bob", "APPROVE")
    await asyncio.to_thread(os.mkfifo, town.directory / "gate")
    await town.forge.comment(pull, "alice", "prbot apply")
    async with asyncio.timeout(60):
        watching = awatch(town.directory, step=5, rust_timeout=200, yield_on_timeout=True)
        while not (town.directory / "waits").exists():
            await anext(watching)
    return pull


async def open_gate(town: Town) -> None:
    await asyncio.to_thread((town.directory / "gate").write_text, "")


async def test_frozen_when_it_was_about_to_begin(town: Town) -> None:
    """It applies nothing, says why without mentioning anybody, and holds no project."""
    pull = await applying(town, "plan")
    await freeze(town)
    await open_gate(town)
    body = await town.hears(pull, "everything is frozen by dave", "plan again")
    assert "release `@alice" in body
    assert not await asyncio.to_thread(town.state_file("app").exists)
    assert "apply intended" not in [entry.action for entry in await town.journal(pull)]
    assert town.prbot is not None
    async with town.prbot.store.begin() as unit:
        assert await unit.locks.of_repo(RepoRef("forge", REPOSITORY)) == ()


async def test_frozen_when_it_had_begun(town: Town) -> None:
    """It lets an apply end whose tool was started."""
    pull = await applying(town, "apply")
    await freeze(town)
    await open_gate(town)
    await town.hears(pull, "Applied")
    (decided,) = [line for line in await town.journal(pull) if line.action == "apply decided"]
    assert (decided.actor, decided.approvals, decided.commit) == ("alice", ("bob",), pull.head_sha)
    assert str(decided.plan_id).startswith("p-")
    assert '"more"' in await asyncio.to_thread(town.state_file("app").read_text)


async def test_frozen_before_it_was_asked_for(town: Town) -> None:
    """It refuses an apply while its environment is frozen, says who can help, and applies the
    same plan when the freeze was lifted."""
    rules = 'version: 1\nenvironments: {prod: {match: "app/**"}}\n'
    clone = await town.build(
        {"prbot.yaml": rules, "app/main.tf": town.backend("app") + resource("web")}
    )
    await town.start()
    await freeze(town, scope=FreezeScope.ENVIRONMENT, environment="prod")
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    body = await town.hears(pull, "Not done", "environment prod is frozen by dave")
    assert "`prbot freeze lift f-1`" in body
    assert town.prbot is not None
    async with town.prbot.store.begin() as unit:
        await unit.freezes.lift(FreezeId("f-1"), Login("dave"), datetime.now(UTC))
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied")
