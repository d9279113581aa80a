"""What was judged of an apply or a merge can be looked at afterwards, offline."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from serving import operators_file
from town import REPOSITORY, Town, closed_now, resource
from watchfiles import awatch

from prbot.app.explain_apply import Explained, explained
from prbot.app.scenes_kept import scene_of_run
from prbot.config.scene_file import read_scene
from prbot.errors.verbs import SceneGone
from prbot.model import Login
from prbot.runs.freezes import Freeze, FreezeId, FreezeScope

RUN = re.compile(r"run `(r-[0-9a-f]+)`")


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def of_run(town: Town, run: str) -> tuple[Explained, str]:
    """What is said of the exported scene of a run, while the service works; and the scene."""
    file = await asyncio.to_thread(operators_file, town, "desk")
    scene = await asyncio.to_thread(scene_of_run, file, run)
    return explained(read_scene(scene, "scene.json")), scene


async def test_refused(town: Town) -> None:
    """It tells the requirements that the comment told, in the same words: of the run, and of its
    exported scene."""
    rules = "version: 1\nenvironments: {prod: {match: 'app/**', apply_windows: ['%s']}}\n"
    clone = await town.build(
        {
            "prbot.yaml": rules % closed_now(),
            "app/main.tf": town.backend("app") + resource("web"),
        }
    )
    await town.start()
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more")
    await frozen(town)
    await town.forge.comment(pull, "alice", "prbot apply")
    body = await town.hears(pull, "Not done")
    told = re.findall(r"^- \*\*([a-z]+)\*\*: ", body, re.MULTILINE)
    assert set(told) == {"approved", "frozen", "windows"}
    (run,) = RUN.findall(body)
    answer, scene = await of_run(town, run)
    assert not answer.allowed
    assert [reason.requirement for reason in answer.reasons] == told
    plain = body.replace("`", "").replace("\\", "")
    assert all(reason.message.replace("`", "") in plain for reason in answer.reasons)
    assert json.loads(scene)["projects"][0]["plans"][0]["id"] in str(town.said(pull)[0].body)


async def frozen(town: Town) -> None:
    assert town.prbot is not None
    now, by = datetime.now(UTC), Login("dave")
    async with town.prbot.store.begin() as unit:
        await unit.freezes.add(Freeze(FreezeId("f-1"), FreezeScope.EVERYWHERE, "release", by, now))


async def test_held(town: Town) -> None:
    """It tells why a merge was held; when it was applied after all that scene is allowed and
    stays, and the one before goes with the plans."""
    clone = await town.build({"app/main.tf": town.backend("app")})
    await town.start()
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more")
    await clone.push("main", "Beside", {"app/beside.tf": resource("beside")})
    await town.forge.merge(pull, "bob")
    body = await town.hears(pull, "Held", "the plan has changed since it was reviewed")
    (held,) = RUN.findall(body)
    answer, _ = await of_run(town, held)
    assert [reason.requirement for reason in answer.reasons] == ["reviewed"]
    await town.forge.comment(pull, "bob", "prbot apply --accept-changes")
    await town.hears(pull, "Applied: 1 of 1")
    (line,) = [each for each in await town.journal(pull) if each.action == "apply decided"]
    assert (await of_run(town, line.subject))[0] == Explained(True, ())
    await gone(town, f"{held}.scene")
    with pytest.raises(SceneGone):
        await of_run(town, held)
    assert (await of_run(town, line.subject))[0].allowed


async def gone(town: Town, name: str) -> None:
    """Wait until an artifact is cleared away."""
    directory = town.directory / "prbot" / "artifacts"
    async with asyncio.timeout(60):
        watching = awatch(directory, step=5, rust_timeout=200, yield_on_timeout=True)
        while (directory / name).exists():
            await anext(watching)
