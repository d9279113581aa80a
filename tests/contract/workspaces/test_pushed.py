"""A commit of our own on a branch of the forge: the same one again, and nobody else's lost."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from prbot.adapters.mirrors import branch_ref
from prbot.adapters.workspaces import GitWorkspaces
from prbot.errors.git import CannotPush
from prbot.ports.forge import CloneAccess
from prbot.ports.tree import BranchCommit

BRANCH = "prbot/drift/live-app"
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


@pytest.fixture
async def parent(workspaces, forge):
    forge.commit({"live/main.tf": "a = 1\n", "live/run.sh": "echo\n", "b.tf": "b\n"})
    (forge.clone / "live/run.sh").chmod(0o755)
    forge.commit({})
    forge.push("HEAD")
    await workspaces.fetch(forge.pull(), forge.access)
    return await workspaces.base_head(forge.pull(), "main")


def change(parent, **files: str) -> BranchCommit:
    named = {
        name.replace("_", "/", 1).replace("_", "."): text.encode() for name, text in files.items()
    }
    return BranchCommit(BRANCH, parent, "Adopt a\n\nwords", NOW, named)


def there(forge, *words: str) -> str:
    return forge.git(*words, cwd=forge.origin)


async def push(workspaces, forge, commit):
    return await workspaces.push(forge.pull().ref.repo, forge.access, commit)


async def test_changes_these_files(workspaces, forge, parent) -> None:
    """It is one commit on the parent with these files, and every other as it was."""
    files = {"live_main_tf": "a = 2\n", "live_run_sh": "echo 2\n", "live_new_tf": "n\n"}
    made = await push(workspaces, forge, change(parent, **files))
    assert there(forge, "rev-parse", BRANCH) == made
    assert there(forge, "rev-parse", f"{BRANCH}^") == parent
    assert there(forge, "diff", "--name-status", parent, BRANCH).split() == (
        ["M", "live/main.tf", "A", "live/new.tf", "M", "live/run.sh"]
    )
    assert there(forge, "ls-tree", BRANCH, "live/run.sh").startswith("100755")
    assert there(forge, "show", f"{BRANCH}:live/main.tf") == "a = 2"
    assert there(forge, "log", "-1", "--format=%an %s %at", BRANCH) == (
        f"prbot Adopt a {int(NOW.timestamp())}"
    )


async def test_no_file(workspaces, forge, parent) -> None:
    """It may change nothing: then the branch is one empty commit ahead."""
    made = await push(workspaces, forge, change(parent))
    assert there(forge, "rev-parse", f"{BRANCH}^{{tree}}") == there(
        forge, "rev-parse", f"{parent}^{{tree}}"
    )
    assert made != parent


async def test_same_again(tmp_path, workspaces, forge, parent) -> None:
    """It is the same commit when it is pushed again, from another machine too."""
    made = await push(workspaces, forge, change(parent, live_main_tf="a = 2\n"))
    other = GitWorkspaces(tmp_path / "other", {"PATH": os.environ["PATH"]})
    assert await push(other, forge, change(parent, live_main_tf="a = 2\n")) == made
    later = replace(change(parent, live_main_tf="a = 3\n"), at=NOW + timedelta(days=1))
    newer = await push(other, forge, later)
    assert there(forge, "rev-parse", BRANCH) == newer
    assert there(forge, "rev-list", "--count", f"{parent}..{BRANCH}") == "1"


async def test_people_went_on(workspaces, forge, parent) -> None:
    """It leaves a branch on which somebody else put a commit."""
    await push(workspaces, forge, change(parent, live_main_tf="a = 2\n"))
    forge.git("fetch", "--quiet", str(forge.origin), BRANCH)
    forge.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    theirs = forge.commit({"live/main.tf": "a = 3\n"})
    forge.push("HEAD", f"refs/heads/{BRANCH}")
    assert await push(workspaces, forge, change(parent, live_main_tf="a = 4\n")) is None
    assert there(forge, "rev-parse", BRANCH) == theirs


async def test_whose_it_is(workspaces, forge, parent) -> None:
    """It is ours while nobody else put a commit on it; a branch that is not there is not."""
    repo = forge.pull().ref.repo
    assert not await workspaces.is_ours(repo, forge.access, BRANCH)
    await push(workspaces, forge, change(parent, live_main_tf="a = 2\n"))
    assert await workspaces.is_ours(repo, forge.access, BRANCH)
    forge.git("fetch", "--quiet", str(forge.origin), BRANCH)
    forge.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    forge.commit({"live/main.tf": "a = 3\n"})
    forge.push("HEAD", f"refs/heads/{BRANCH}")
    assert not await workspaces.is_ours(repo, forge.access, BRANCH)


async def test_people_went_on_unseen(tmp_path, workspaces, forge, parent) -> None:
    """It leaves their commit also where it cannot be fetched just now, and ours is remembered."""
    for number in (2, 3):  # by the second push the mirror knows the first
        await push(workspaces, forge, change(parent, live_main_tf=f"a = {number}\n"))
    forge.git("fetch", "--quiet", str(forge.origin), BRANCH)
    forge.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    theirs = forge.commit({"live/main.tf": "a = 4\n"})
    forge.push("HEAD", f"refs/heads/{BRANCH}")
    (known,) = tmp_path.rglob(f"*.git/{branch_ref(BRANCH)}")
    known.with_name(f"{known.name}.lock").touch()  # a git that died held it
    with pytest.raises(CannotPush):
        await push(workspaces, forge, change(parent, live_main_tf="a = 5\n"))
    assert there(forge, "rev-parse", BRANCH) == theirs


async def test_refused(workspaces, forge, parent) -> None:
    """It says why, without the credentials it was given."""
    word = base64.b64encode(b"x-access-token:t0psecret").decode()
    nowhere = CloneAccess("http://127.0.0.1:9/none.git", f"Authorization: Basic {word}")
    with pytest.raises(CannotPush) as refused:
        await workspaces.push(forge.pull().ref.repo, nowhere, change(parent))
    assert BRANCH in str(refused.value)
    assert "t0psecret" not in str(refused.value)
    assert word not in str(refused.value)
