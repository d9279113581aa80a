"""What every forge adapter must list truly for the reconciler, and how cheaply."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prbot.demo.state import MergeToCome
from prbot.errors.forge import ForgeUnavailable, NotFound
from prbot.model import Actor, Commented, IssueCommented, RepoRef

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any

LONG_AGO = timedelta(days=400)


def remaining(scene: Scene) -> int:
    """What the bot has left of its hour's requests."""
    allowance = scene.demo.api.limits.of(scene.bot, scene.demo.now())
    return int(allowance.remaining)


async def test_repositories(scene: Scene, source: Path) -> None:
    """It lists what it was let into, and nothing else, public or not."""
    await scene.demo.create_repository("acme/public", source)
    await scene.demo.create_repository("acme/secret", source, private=True)
    assert await scene.port.repositories() == (scene.repo,)


@pytest.mark.parametrize("identity", ["app"])
async def test_several_installations(scene: Scene, source: Path) -> None:
    """It lists the repositories of each installation that is not suspended."""
    for name in ("other/one", "other/two"):
        await scene.demo.create_repository(name, source, private=True)
    scene.demo.install(scene.app, ["other/one", "other/two"])
    assert {repo.path for repo in await scene.port.repositories()} == {
        scene.repo.path,
        "other/one",
        "other/two",
    }


async def test_many_repositories(scene: Scene) -> None:
    """It reads all pages."""
    for number in range(105):
        name = f"acme/r{number}"
        await scene.demo.create_repository(name, private=True)
        scene.demo.set_permission(name, scene.bot, "write")
        for installation in scene.demo.installations.values():
            installation.repositories.add(scene.demo.repository(name).id)
    assert len(await scene.port.repositories()) == 106


async def test_open_pulls(scene: Scene) -> None:
    """It tells open pull requests as they are when asked for by themselves."""
    await scene.demo.convert_to_draft(scene.pull, "ann")
    (listed,) = await scene.port.open_pulls(scene.repo)
    single = await scene.port.pull_request(scene.ref)
    told = replace(single, guarded=False)
    assert listed == (replace(told, base_sha="") if scene.gitlab else told)
    await scene.demo.close(scene.pull, "ann")
    assert await scene.port.open_pulls(scene.repo) == ()


async def test_recently_closed(scene: Scene) -> None:
    """It tells what was merged or closed since, and when."""
    since = scene.demo.now()
    assert await scene.port.recently_closed_pulls(scene.repo, since) == ()
    merge = await scene.demo.merge(scene.pull, "carl")
    (listed,) = await scene.port.recently_closed_pulls(scene.repo, since)
    assert (listed.ref, listed.merged, listed.open) == (scene.ref, True, False)
    assert (listed.merge_sha, listed.merged_by) == (merge, None)
    assert listed.closed_at == scene.pull.merged_at
    later = scene.pull.merged_at + timedelta(seconds=1)
    assert await scene.port.recently_closed_pulls(scene.repo, later) == ()


async def test_closed_unmerged(scene: Scene) -> None:
    """It tells a close from a merge."""
    await scene.demo.close(scene.pull, "ann")
    (listed,) = await scene.port.recently_closed_pulls(scene.repo, scene.demo.now() - LONG_AGO)
    assert (listed.merged, listed.open, listed.merge_sha) == (False, False, None)
    assert listed.closed_at == scene.pull.closed_at


async def test_comments(scene: Scene) -> None:
    """It tells new comments as their webhooks do, oldest first."""
    first = await scene.demo.comment(scene.pull, "bob", "prbot plan")
    second = await scene.demo.comment(scene.pull, "ann", "prbot apply")
    found = await scene.port.comments_since(scene.repo, scene.demo.now() - LONG_AGO)
    assert found == (
        Commented(scene.ref, first.id, "prbot plan", Actor("bob"), first.created_at, "found"),
        Commented(scene.ref, second.id, "prbot apply", Actor("ann"), second.created_at, "found"),
    )


async def test_comments_on_issues(scene: Scene) -> None:
    """It tells those on issues, as such."""
    issue = await scene.demo.open_issue(scene.pull.repo, "ann", "Title", "words")
    said = await scene.demo.comment(issue, "bob", "prbot recheck")
    (found,) = await scene.port.comments_since(scene.repo, scene.demo.now() - LONG_AGO)
    assert found == IssueCommented(
        scene.repo, issue.number, said.id, "prbot recheck", Actor("bob"), said.created_at, "found"
    )


async def test_comments_of_bots(scene: Scene) -> None:
    """It tells who is a bot."""
    bot = "project_7_bot_0af1" if scene.gitlab else "linter[bot]"
    scene.demo.create_user(bot, "Bot")
    scene.demo.set_permission("acme/infra", bot, "read")
    await scene.demo.comment(scene.pull, bot, "prbot plan")
    (found,) = await scene.port.comments_since(scene.repo, scene.demo.now() - LONG_AGO)
    assert found.actor == Actor(bot, is_bot=True)


async def test_edited_comments(scene: Scene) -> None:
    """It leaves out what is no longer what was written."""
    comment = await scene.demo.comment(scene.pull, "bob", "prbot plan")
    comment.created_at -= timedelta(minutes=1)
    await scene.demo.edit_comment(comment, "bob", "prbot apply")
    assert await scene.port.comments_since(scene.repo, scene.demo.now() - LONG_AGO) == ()


async def test_old_comments(scene: Scene) -> None:
    """It leaves out what was written before."""
    comment = await scene.demo.comment(scene.pull, "bob", "prbot plan")
    later = comment.created_at + timedelta(seconds=1)
    assert await scene.port.comments_since(scene.repo, later) == ()


async def test_many_comments(scene: Scene) -> None:
    """It reads all pages, and what comes after them is found, too."""
    since = scene.demo.now() - LONG_AGO
    for number in range(100):
        await scene.demo.comment(scene.pull, "bob", f"{number}")
    assert len(await scene.port.comments_since(scene.repo, since)) == 100
    await scene.demo.comment(scene.pull, "bob", "one more")
    assert len(await scene.port.comments_since(scene.repo, since)) == 101


@pytest.mark.parametrize("identity", ["token", "app"])
async def test_nothing_new_costs_nothing(scene: Scene) -> None:
    """It asks conditionally, and finds what is new when there is something."""
    since = scene.demo.now() - LONG_AGO

    async def look() -> tuple[int, int, int, int]:
        return (
            len(await scene.port.repositories()),
            len(await scene.port.open_pulls(scene.repo)),
            len(await scene.port.recently_closed_pulls(scene.repo, since)),
            len(await scene.port.comments_since(scene.repo, since)),
        )

    assert await look() == (1, 1, 0, 0)
    left = remaining(scene)
    assert await look() == (1, 1, 0, 0)
    assert remaining(scene) == left
    await scene.demo.comment(scene.pull, "bob", "hello")
    await scene.demo.merge(scene.pull, "carl")
    assert await look() == (1, 0, 1, 1)


async def queued(scene: Scene) -> str:
    """What the forge's merge queue, or train, tries of the pull request."""
    repo, pull = scene.pull.repo, scene.pull
    if scene.gitlab:
        repo.merge_trains = True
        await scene.demo.board(pull, MergeToCome("ann", pull.head_sha, "merge", by_train=True))
        return str(pull.train)
    name = f"gh-readonly-queue/main/pr-{pull.number}-{pull.base_sha}"
    await repo.git.set_ref(f"refs/heads/{name}", pull.head_sha)
    return str(pull.head_sha)


async def test_merge_queue(scene: Scene) -> None:
    """It tells which commits a merge queue or a merge train tries, as long as it does."""
    assert await scene.port.merge_queue(scene.repo) == ()
    commit = await queued(scene)
    (moved,) = await scene.port.merge_queue(scene.repo)
    assert (moved.repo, moved.commit, moved.left) == (scene.repo, commit, False)
    assert (moved.base_branch, moved.default_branch) == ("main", "main")
    assert moved.actor == Actor("ann" if scene.gitlab else "ghost")
    if scene.gitlab:
        await scene.demo.end_train(scene.pull, good=False)
    else:
        await scene.pull.repo.git.delete_ref(
            f"refs/heads/gh-readonly-queue/main/pr-{scene.pull.number}-{scene.pull.base_sha}"
        )
    assert await scene.port.merge_queue(scene.repo) == ()


@pytest.mark.parametrize("identity", ["personal"])
async def test_merge_trains_that_are_not_shown(scene: Scene) -> None:
    """It takes a project whose trains it may not see for one without."""
    await queued(scene)
    scene.demo.fail_next("GET", "/merge_trains$", 403)
    assert await scene.port.merge_queue(scene.repo) == ()
    assert len(await scene.port.merge_queue(scene.repo)) == 1


@pytest.mark.parametrize("identity", ["token"])
@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("main/pr-1-0a1b2c", "main"),
        ("release/1.0/pr-12-0a1b2c", "release/1.0"),
        ("main/notes", None),
    ],
)
async def test_branches_of_a_merge_queue(scene: Scene, name: str, base: str | None) -> None:
    """It reads the base branch out of the queue's branch, and leaves what is none of it."""
    await scene.pull.repo.git.set_ref(f"refs/heads/gh-readonly-queue/{name}", scene.pull.head_sha)
    found = await scene.port.merge_queue(scene.repo)
    assert [moved.base_branch for moved in found] == ([base] if base else [])


async def test_another_moment(scene: Scene) -> None:
    """It does not take the answer to one question for that to another."""
    comment = await scene.demo.comment(scene.pull, "bob", "hello")
    for seconds, count in ((0, 1), (1, 0), (0, 1)):
        since = comment.created_at + timedelta(seconds=seconds)
        assert len(await scene.port.comments_since(scene.repo, since)) == count


async def test_unknown_repository(scene: Scene) -> None:
    with pytest.raises(NotFound):
        await scene.port.open_pulls(RepoRef("hub", "acme/nothing"))


async def test_ill(scene: Scene) -> None:
    """It gives no list at all when a page of it fails."""
    for number in range(101):
        await scene.demo.comment(scene.pull, "bob", f"{number}")
    scene.demo.fail_next("GET", scene.wire.news, 200, after=True)
    with pytest.raises(ForgeUnavailable):
        await scene.port.comments_since(scene.repo, scene.demo.now() - LONG_AGO)
