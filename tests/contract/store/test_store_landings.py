"""What merges left to apply: noted once, settled once, and found as long as it matters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from prbot.model import ProjectKey, PullRef, RepoRef, Sha
from prbot.runs.landings import Landing

REPO = RepoRef("gh", "acme/infra")
ONE, TWO, THREE = (PullRef(REPO, number) for number in (1, 2, 3))
APP, DB = ProjectKey("app"), ProjectKey("db", "blue")


def landing(scene: Any, pull: PullRef, project: ProjectKey = APP, commit: str = "c") -> Landing:
    return Landing(pull, project, Sha(commit * 40), scene.clock.now())


async def add(scene: Any, *landings: Landing) -> None:
    async with scene.store.begin() as tables:
        for one in landings:
            await tables.landings.add(one)


async def settle(scene: Any, one: Landing, by: PullRef) -> None:
    async with scene.store.begin() as tables:
        await tables.landings.settle(one, by, scene.clock.pass_(1))


async def seen_by(scene: Any, pull: PullRef) -> list[Landing]:
    async with scene.store.begin() as tables:
        return list(await tables.landings.of(pull))


async def test_noted_once(scene: Any) -> None:
    """It keeps the first row of each pull request, project and commit, in their order."""
    first, other = landing(scene, ONE), landing(scene, ONE, DB)
    await add(scene, first, other)
    scene.clock.pass_(60)
    again = landing(scene, ONE, commit="d")
    await add(scene, landing(scene, ONE), again)
    assert await seen_by(scene, ONE) == [first, other, again]


async def test_others_see_what_is_open(scene: Any) -> None:
    """It shows the open ones of a repository to all of its pull requests, and to no other."""
    mine = landing(scene, ONE)
    elsewhere = landing(scene, PullRef(RepoRef("gh", "acme/other"), 1))
    await add(scene, mine, elsewhere)
    assert await seen_by(scene, TWO) == [mine]
    assert await seen_by(scene, elsewhere.pull) == [elsewhere]


async def test_settled_once(scene: Any) -> None:
    """It keeps who settled it first, and settles just that project at just that commit."""
    one, other, later = landing(scene, ONE), landing(scene, ONE, DB), landing(scene, ONE, APP, "d")
    await add(scene, one, other, later)
    await settle(scene, one, TWO)
    await settle(scene, one, THREE)
    assert await seen_by(scene, ONE) == [replace(one, settled_by=TWO), other, later]


async def test_the_last_settled_of_each_project(scene: Any) -> None:
    """It shows others only what was settled last in each project; its own pull request all."""
    first, second = landing(scene, ONE), landing(scene, TWO, commit="d")
    other = landing(scene, ONE, DB)
    await add(scene, first, second, other)
    await settle(scene, first, ONE)
    await settle(scene, second, TWO)
    await settle(scene, other, ONE)
    done = [replace(second, settled_by=TWO), replace(other, settled_by=ONE)]
    assert await seen_by(scene, THREE) == done
    assert await seen_by(scene, ONE) == [replace(first, settled_by=ONE), *done]
