"""Pull requests of our own: opened once from a branch, and edited from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prbot.errors.forge import ForgeRefused, ForgeUnavailable
from prbot.model import PullRef

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any
OURS = "prbot/drift/live-app"


@pytest.fixture
async def pushed(scene: Scene, source: Path) -> Scene:
    """A branch of ours that is one commit ahead of `main`."""
    repo = scene.pull.repo
    await repo.git.set_ref(f"refs/heads/{OURS}", repo.branches["topic"])
    await scene.demo.refresh(repo.full_name)
    return scene


async def propose(scene: Scene, title: str = "Title", body: str = "words", **more: str) -> int:
    where = {"branch": OURS, "base": "main"} | more
    number: int = await scene.port.upsert_pull(
        scene.repo, where["branch"], where["base"], title, body
    )
    return number


def shown(scene: Scene) -> list[tuple[str, str, str, str, bool]]:
    pulls = scene.pull.repo.pulls.values()
    found = [(p.author.login, p.head_branch, p.title, p.body, p.open) for p in pulls]
    return [each for each in found if each[1] == OURS]


async def test_opened_and_edited(pushed: Scene) -> None:
    """It opens one, in our name, and edits that one as long as it is open."""
    scene = pushed
    number = await propose(scene)
    assert await propose(scene, "Better", "more words") == number
    assert shown(scene) == [(scene.bot, OURS, "Better", "more words", True)]


async def test_two_requests(pushed: Scene) -> None:
    scene = pushed
    await propose(scene)
    sent = scene.port.requests_sent
    await propose(scene, "Better")
    assert scene.port.requests_sent == sent + 2


async def test_lost_answer(pushed: Scene) -> None:
    """It finds what it opened when the answer was lost, and opens no second one."""
    scene = pushed
    scene.demo.fail_next("POST", "/pulls$|/merge_requests$", 0, after=True)
    with pytest.raises(ForgeUnavailable):
        await propose(scene)
    number = await propose(scene)
    assert [entry[4] for entry in shown(scene)] == [True]
    assert number == next(p.number for p in scene.pull.repo.pulls.values() if p.head_branch == OURS)


async def test_closed_one_stays_closed(pushed: Scene) -> None:
    """It opens a new one after somebody closed the last."""
    scene = pushed
    number = await propose(scene)
    await scene.demo.close(scene.pull.repo.pulls[number], "carl")
    assert await propose(scene) != number
    assert [entry[4] for entry in shown(scene)] == [False, True]


async def test_closed_by_us(pushed: Scene) -> None:
    """It closes one, and merges nothing."""
    scene = pushed
    ref = PullRef(scene.repo, await propose(scene))
    await scene.port.close_pull(ref)
    assert [entry[4] for entry in shown(scene)] == [False]
    assert not scene.pull.repo.pulls[ref.number].merged


async def test_an_empty_commit(scene: Scene) -> None:
    """It opens one whose only commit changes no file."""
    repo = scene.pull.repo
    tree, main = await repo.git.ask("rev-parse", "main^{tree}"), repo.branches["main"]
    words = (
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@x",
        "commit-tree",
        tree,
        "-p",
        main,
        "-m",
        "e",
    )
    await repo.git.set_ref(f"refs/heads/{OURS}", await repo.git.ask(*words))
    await scene.demo.refresh(repo.full_name)
    opened = repo.pulls[await propose(scene)]
    assert (opened.open, opened.files) == (True, ())


async def test_somebody_elses(pushed: Scene) -> None:
    """It edits nobody else's, and says that there is one."""
    scene = pushed
    theirs = await scene.demo.open_pull(
        scene.pull.repo.full_name, head=OURS, title="Mine", author="bob"
    )
    with pytest.raises(ForgeRefused, match="already exists"):
        await propose(scene)
    assert (theirs.title, theirs.open) == ("Mine", True)


async def test_nothing_to_propose(pushed: Scene) -> None:
    """It says so where there is no such branch."""
    with pytest.raises(ForgeRefused):
        await propose(pushed, branch="prbot/drift/none")


async def test_words_of_others(pushed: Scene) -> None:
    """It says what stands in the plan, and gives GitLab no orders."""
    scene = pushed
    await propose(scene, body="first\n\n/close\n\nlast")
    ((_, _, _, body, is_open),) = shown(scene)
    assert is_open
    assert "close" in body
