"""The demo forge and real git: clone, push, merge, fork, and what follows from them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prbot.demo.forge import DemoForge
from prbot.demo.hooks import Hook
from prbot.demo.state import Protection, Pull
from prbot.errors.demo import DemoForgeRefused

if TYPE_CHECKING:
    from conftest import Receiver, Tools


def _url(forge: DemoForge, full_name: str, user: str = "") -> str:
    return forge.clone_url(full_name).replace("http://", f"http://{user}@" if user else "http://")


async def _clone(
    forge: DemoForge, tools: Tools, directory: Path, user: str = "", name: str = "acme/infra"
) -> str:
    """What git said; the forge answers meanwhile, so git runs in a thread."""
    clone = ("clone", "--quiet", _url(forge, name, user), str(directory))
    return await asyncio.to_thread(tools.git, directory.parent, *clone, check=False)


@pytest.mark.parametrize(
    ("name", "user", "refusal"),
    [
        ("acme/infra", "", ""),
        ("acme/infra", "x-access-token:prbot-token", ""),
        ("acme/secret", "bob:wrong", "Authentication failed"),
        ("acme/secret", "", "could not read Username"),
        ("acme/secret", "bob:bob-token", ""),
        ("acme/secret", "carol:carol-token", "not found"),
        ("acme/unknown", "bob:bob-token", "not found"),
    ],
)
async def test_clone_needs_the_right_to_read(
    name: str, user: str, refusal: str, forge: DemoForge, tools: Tools, tmp_path: Path
) -> None:
    """It serves clones to whoever may read, and hides what they may not."""
    said = await _clone(forge, tools, tmp_path / "work", user, name)
    assert refusal in said
    assert (tmp_path / "work" / "main.tf").exists() is not refusal.startswith(tuple("Acn"))


async def test_a_push_over_http_moves_the_pull_request(
    forge: DemoForge,
    hook: Hook,
    receiver: Receiver,
    pull: Pull,
    tools: Tools,
    tmp_path: Path,
) -> None:
    """It takes a push, moves refs/pull/N/head, and tells the hooks."""
    work = tmp_path / "work"
    await _clone(forge, tools, work, "alice:alice-token")
    tools.git(work, "checkout", "--quiet", "topic")
    sha = tools.commit(work, "More", {"big.txt": "line\n" * 300_000})
    await asyncio.to_thread(tools.git, work, "push", "--quiet", "origin", "topic")
    await forge.settled()
    moved = await asyncio.to_thread(tools.git, work, "ls-remote", "origin", "refs/pull/1/head")
    assert pull.head_sha == sha
    assert moved.split()[0] == sha
    events = [headers["X-GitHub-Event"] for headers, _ in receiver.got]
    assert events == ["ping", "pull_request", "push", "pull_request"]
    assert forge.deliveries[-1].payload["after"] == sha
    assert forge.deliveries[-1].payload["sender"]["login"] == "alice"


@pytest.mark.parametrize(
    ("user", "ref", "refusal"),
    [
        ("carol:carol-token", "topic", "403"),
        ("", "topic", "could not read Username"),
        ("alice:alice-token", "refs/pull/1/head", "hidden ref"),
    ],
)
async def test_push_needs_the_right_to_write(
    user: str,
    ref: str,
    refusal: str,
    forge: DemoForge,
    pull: Pull,
    tools: Tools,
    tmp_path: Path,
) -> None:
    """It refuses pushes of those who only read, and of anybody to a pull request's ref."""
    work, before = tmp_path / "work", pull.head_sha
    await _clone(forge, tools, work, user)
    tools.commit(work, "More", {"more.tf": "c = 1\n"})
    said = await asyncio.to_thread(tools.git, work, "push", "origin", f"HEAD:{ref}", check=False)
    assert refusal in said
    await forge.refresh("acme/infra")
    assert pull.head_sha == before


@pytest.mark.parametrize(
    ("method", "parents", "subject"),
    [
        ("merge", 2, "Merge pull request #1 from acme/topic"),
        ("squash", 1, "A topic (#1)"),
        ("rebase", 1, "Make topic"),
    ],
)
async def test_merge_methods(
    method: str, parents: int, subject: str, forge: DemoForge, hook: Hook, pull: Pull
) -> None:
    """It merges with real git as asked, closes the pull request and moves the branch."""
    late = await forge.open_pull("acme/infra", head="late", title="L", author="alice")
    await forge.merge(late, "bob")
    git = pull.repo.git
    sha = await forge.merge(pull, "bob", method=method)
    made = await git.commit(sha)
    assert (len(made.parents), made.message.split("\n")[0]) == (parents, subject)
    assert made.parents[0] == late.merge_sha
    assert await git.resolve("main") == sha
    assert await git.ask("show", f"{sha}:new/ünï.tf") == "b = 1"
    closed = [d.payload for d in forge.deliveries if d.action == "closed"][-1]["pull_request"]
    assert (closed["merged"], closed["merge_commit_sha"]) == (True, sha)
    assert (closed["merged_by"]["login"], closed["state"]) == ("bob", "closed")


async def test_what_cannot_be_merged(forge: DemoForge) -> None:
    """It refuses conflicts, drafts, second merges and stale heads, changing nothing."""
    late = await forge.open_pull("acme/infra", head="late", title="L", author="alice")
    clash = await forge.open_pull("acme/infra", head="clash", title="C", author="alice")
    draft = await forge.open_pull("acme/infra", head="topic", title="T", author="alice", draft=True)
    tip = await forge.merge(late, "bob")
    for pull, method, status in (
        (clash, "merge", 405),
        (clash, "rebase", 405),
        (draft, "merge", 405),
        (late, "merge", 405),
    ):
        with pytest.raises(DemoForgeRefused) as refused:
            await forge.merge(pull, "bob", method=method)
        assert refused.value.status == status
    assert await late.repo.git.resolve("main") == tip
    assert (clash.open, draft.open) == (True, True)


async def test_the_diff_is_told_file_by_file(pull: Pull) -> None:
    """It knows renames, binary files, unicode names and their counts."""
    told = {file.path: (file.status, file.previous, file.additions) for file in pull.files}
    assert told == {
        "logo.png": ("added", None, 0),
        "new name.tf": ("renamed", "old name.tf", 0),
        "new/ünï.tf": ("added", None, 1),
    }
    patches = {file.path: file.patch for file in pull.files}
    assert patches["new/ünï.tf"] == "@@ -0,0 +1 @@\n+b = 1"
    assert (patches["logo.png"], patches["new name.tf"]) == (None, None)


async def test_stale_approvals_are_dismissed_on_push(
    forge: DemoForge, pull: Pull, tools: Tools, tmp_path: Path
) -> None:
    """It dismisses approvals when new commits come, if the branch is protected so."""
    forge.protect("acme/infra", "main", Protection(dismiss_stale=True))
    review = await forge.review(pull, "bob", "APPROVE")
    work = tmp_path / "work"
    await _clone(forge, tools, work, "alice:alice-token")
    tools.git(work, "checkout", "--quiet", "topic")
    tools.commit(work, "More", {"more.tf": "c = 1\n"})
    await asyncio.to_thread(tools.git, work, "push", "--quiet", "origin", "topic")
    assert review.state == "DISMISSED"


async def test_pull_requests_from_forks(
    forge: DemoForge, hook: Hook, tools: Tools, tmp_path: Path
) -> None:
    """It takes a fork's branch, follows its pushes, and outlives its deletion."""
    fork = await forge.fork("acme/infra", "carol")
    pull = await forge.open_pull("acme/infra", head="carol:topic", title="F", author="carol")
    work = tmp_path / "work"
    await _clone(forge, tools, work, "carol:carol-token", "carol/infra")
    tools.git(work, "checkout", "--quiet", "topic")
    sha = tools.commit(work, "More", {"more.tf": "c = 1\n"})
    await asyncio.to_thread(tools.git, work, "push", "--quiet", "origin", "topic")
    assert await pull.repo.git.resolve("refs/pull/1/head") == sha
    head = forge.deliveries[-1].payload["pull_request"]["head"]
    assert (head["repo"]["full_name"], head["repo"]["fork"]) == (fork.full_name, True)
    await forge.delete_repository(fork.full_name)
    assert forge.shapes.simple_pull(pull)["head"]["repo"] is None
    await forge.merge(pull, "bob")
    assert pull.merged


async def test_branches_that_go_away_and_merges_by_push(
    forge: DemoForge, pull: Pull, tools: Tools, tmp_path: Path
) -> None:
    """It closes a pull request whose head is deleted, and marks one merged that was pushed."""
    other = await forge.open_pull("acme/infra", head="late", title="L", author="alice")
    work = tmp_path / "work"
    await _clone(forge, tools, work, "alice:alice-token")
    push = (tools.git, work, "push", "--quiet", "origin")
    await asyncio.to_thread(*push, "origin/topic:main", ":late")
    assert (pull.merged, pull.merge_sha) == (True, pull.head_sha)
    assert (other.open, other.merged) == (False, False)


async def test_whom_it_lets_do_what(forge: DemoForge, pull: Pull) -> None:
    """It refuses acts of people without the right, and a second word on a closed one."""
    comment = await forge.comment(pull, "bob", "mine")
    for act in (
        forge.merge(pull, "carol"),
        forge.close(pull, "carol"),
        forge.edit_comment(comment, "carol", "hers"),
        forge.review(pull, "alice", "APPROVE"),
        forge.reopen(pull, "alice"),
        forge.open_pull("acme/infra", head="main", title="Nothing", author="alice"),
    ):
        with pytest.raises(DemoForgeRefused):
            await act
    assert (comment.body, pull.open, pull.reviews) == ("mine", True, [])
