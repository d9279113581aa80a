"""A merge queue, or a merge train: its commit is planned and its checks end, and nothing is
applied from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from town import REPOSITORY, Town, resource

from prbot.demo.git import Person
from prbot.demo.shapes import Json
from prbot.demo.state import MergeToCome, Pull

WHO = Person("queue", "queue@example.com")


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def enqueued(town: Town, pull: Pull) -> str:
    """The commit that the forge's queue, or train, makes of the base branch and the head, in a
    ref of its own, and the webhook that tells of it."""
    repo = pull.repo
    if town.gitlab:
        repo.merge_trains = True
        await town.forge.board(pull, MergeToCome("bob", pull.head_sha, "merge", by_train=True))
        return str(pull.train)
    base = repo.branches["main"]
    tree = await repo.git.merge_tree(base, pull.head_sha)
    assert tree is not None
    commit = await repo.git.commit_tree(tree, (base, pull.head_sha), "Merge\n", WHO)
    await repo.git.set_ref(f"refs/heads/gh-readonly-queue/main/pr-{pull.number}-{base}", commit)
    tell(town, pull, "checks_requested", commit, base)
    return commit


def tell(town: Town, pull: Pull, action: str, commit: str, base: str, **more: str) -> None:
    person = {"name": WHO.name, "email": WHO.email}
    head = {
        "id": commit,
        "tree_id": commit,
        "message": "Merge",
        "timestamp": "2026-01-05T12:00:00Z",
        "author": person,
        "committer": person,
    }
    group: Json = {
        "head_sha": commit,
        "head_ref": f"refs/heads/gh-readonly-queue/main/pr-{pull.number}-{base}",
        "base_ref": "refs/heads/main",
        "base_sha": base,
        "head_commit": head,
    }
    shapes, queue = town.forge.shapes, town.forge.user("bob")
    payload: Json = {
        "action": action,
        "merge_group": group,
        "repository": shapes.repository(pull.repo),
        "sender": shapes.user(queue),
        **more,
    }
    town.forge.courier.send("merge_group", payload, pull.repo.id)


def deaf(town: Town) -> None:
    """From now on no webhook arrives."""
    town.forge.courier.hooks.clear()


async def drop(town: Town, pull: Pull, commit: str) -> None:
    """Somebody takes the pull request out of the queue while its checks run."""
    if town.gitlab:
        await town.forge.drop_train(pull)
    else:
        tell(town, pull, "destroyed", commit, pull.base_sha, reason="dequeued")


async def let_go(town: Town, pull: Pull, commit: str) -> None:
    """The checks are good: the queue merges what it tried."""
    if town.gitlab:
        await town.forge.end_train(pull, good=True)
        return
    tell(town, pull, "destroyed", commit, pull.base_sha, reason="merged")
    await town.forge.merge(pull, "bob")


async def test_a_merge_queue(town: Town) -> None:
    """It plans the queue's commit, ends its checks, applies nothing before the merge, and says
    when a commit of the queue cannot be planned, also of one that was given up, and of one that
    no webhook told of."""
    clone = await town.build({"app/main.tf": town.backend("app")})
    await town.start()
    await clone.push("topic", "Change", {"app/topic.tf": resource("topic")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="topic", author="alice")
    await town.hears(pull, "terraform_data.topic")
    commit = await enqueued(town, pull)
    planned = await town.status(pull, "prbot/plan", "success", commit)
    applied = await town.status(pull, "prbot/apply", "success", commit)
    assert planned == "1 project planned, 1 with changes"
    queue = "merge train" if town.gitlab else "merge queue"
    assert applied == f"nothing is applied in a {queue}"
    assert not town.state_file("app").exists()
    await let_go(town, pull, commit)
    await town.hears(pull, "Applied on merge: 1 of 1")
    assert len([s for s in pull.repo.statuses if s.sha == commit and s.state == "pending"]) == 1
    await clone.push("broken", "Change", {"app/broken.tf": "output {"})
    broken = await town.forge.open_pull(REPOSITORY, head="broken", title="broken", author="alice")
    await town.hears(broken, "broken.tf")
    dropped = await enqueued(town, broken)
    await town.forge.wait_for(lambda: [s for s in pull.repo.statuses if s.sha == dropped], 60)
    await drop(town, broken, dropped)
    for name in ("prbot/plan", "prbot/apply"):
        await town.status(broken, name, "failure", dropped)
    deaf(town)
    await clone.push("broken", "More", {"app/more.tf": "output {"})
    commit = await enqueued(town, broken)
    assert town.prbot is not None
    assert await town.prbot.service.reconciler.sweep(starting=True)
    assert "not planned" in await town.status(broken, "prbot/plan", "failure", commit)
    await town.status(broken, "prbot/apply", "failure", commit)
    if town.gitlab:
        await town.forge.end_train(broken, good=True)
    assert broken.open
