"""Several processes on one directory of mirrors and worktrees."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from prbot.adapters.turns import Turns
from prbot.adapters.workspaces import GitWorkspaces
from prbot.errors.server import HeldElsewhere
from prbot.model import PullRequest, RepoRef
from prbot.ports.forge import CloneAccess

ROUNDS = 2
COLLEAGUE = """
import asyncio, os, pickle, sys
from pathlib import Path
from prbot.adapters.workspaces import GitWorkspaces

async def main(directory, load):
    pulls, access, rounds = pickle.loads(bytes.fromhex(load))
    workspaces = GitWorkspaces(Path(directory), {"PATH": os.environ["PATH"]})

    async def work(pull):
        for _ in range(rounds):
            await workspaces.fetch(pull, access)
            checkout = await workspaces.lay_out(pull)
            root = await workspaces.ensure(pull.ref, checkout)
            assert checkout.changed == ("b.tf",), checkout
            await workspaces.listing(pull.ref.repo, checkout.commit)

    print("works", flush=True)
    await asyncio.gather(*map(work, pulls))

asyncio.run(main(*sys.argv[1:]))
"""


async def colleague(
    directory: Path, pulls: list[PullRequest], access: CloneAccess, rounds: int = ROUNDS
) -> asyncio.subprocess.Process:
    """Another process that works on these pull requests."""
    load = pickle.dumps((pulls, access, rounds)).hex()
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", COLLEAGUE, str(directory), load, stdout=asyncio.subprocess.PIPE
    )


def pulls_of(forge, numbers: range) -> list[PullRequest]:
    forge.commit({"b.tf": "b\n"})
    return [forge.pull(number) for number in numbers]


async def test_processes_side_by_side(forge, tmp_path: Path) -> None:
    """It serves three processes at once that begin with no mirror, in whatever order."""
    pulls = pulls_of(forge, range(1, 5))
    crew = [await colleague(tmp_path / "git", pulls, forge.access) for _ in range(3)]
    assert [await child.wait() for child in crew] == [0, 0, 0]


@pytest.mark.parametrize("repositories", [1, 3])
async def test_drop_while_others_work(make_workspaces, forge, repositories: int) -> None:
    """It drops one pull request's worktrees while others lay out and drop theirs."""
    pulls = [
        replace(pull, ref=replace(pull.ref, repo=RepoRef("test", f"acme/{number % repositories}")))
        for number, pull in enumerate(pulls_of(forge, range(1, 4)))
    ]
    crew = [make_workspaces() for _ in pulls]

    async def work(workspaces: GitWorkspaces, pull: PullRequest) -> None:
        for _ in range(3 * ROUNDS):
            await workspaces.fetch(pull, forge.access)
            checkout = await workspaces.lay_out(pull)
            assert (await workspaces.ensure(pull.ref, checkout) / "b.tf").exists()
            await workspaces.drop(pull.ref)
            assert not Path(checkout.path).exists()

    await asyncio.gather(*map(work, crew, pulls))


def one(directory: Path, pattern: str) -> Path:
    (found,) = directory.glob(pattern)
    return found


async def test_locks_of_a_process_that_was_killed_later(
    workspaces, make_workspaces, forge, tmp_path: Path
) -> None:
    """It clears what others left while it was at work itself, not at its start alone."""
    pulls = pulls_of(forge, range(1, 3))
    crew = [workspaces, make_workspaces()]
    for each in crew:
        await each.fetch(pulls[0], forge.access)
    mirror = one(tmp_path, "git/mirrors/*.git")
    with suppress(asyncio.CancelledError):
        async with Turns().of(one(tmp_path, "git/turns/*.lock"), 60):
            for lock in ("packed-refs.lock", "config.lock", "refs/prbot/pull/2.lock"):
                (mirror / lock).touch()
            (mirror / "objects" / "pack" / "tmp_pack_1").touch()
            raise asyncio.CancelledError
    await crew[1].drop(pulls[1].ref)
    await workspaces.fetch(pulls[1], forge.access)
    assert (await workspaces.lay_out(pulls[1])).changed == ("b.tf",)
    assert not (mirror / "objects" / "pack" / "tmp_pack_1").exists()


async def test_locks_of_the_living_stay(workspaces, forge, tmp_path: Path) -> None:
    """It removes no lock, and reads no new mirror, while another process may write there."""
    (pull,) = pulls_of(forge, range(1, 2))
    await workspaces.fetch(pull, forge.access)
    lock = one(tmp_path, "git/mirrors/*.git") / "config.lock"
    anew = GitWorkspaces(tmp_path / "git", {"PATH": os.environ["PATH"]}, timeout=0.02)
    async with Turns().of(one(tmp_path, "git/turns/*.lock"), 60):
        lock.touch()
        for attempt in (
            anew.fetch(pull, forge.access),
            anew.lay_out(pull),
            anew.drop(pull.ref),
            anew.base_head(pull, "main"),
            anew.listing(pull.ref.repo, pull.head_sha),
            anew.read(pull.ref.repo, pull.head_sha, "a.tf"),
            anew.object_ids(pull.ref.repo, pull.head_sha, ["a.tf"]),
        ):
            with pytest.raises(HeldElsewhere):
                await attempt
        assert await workspaces.read(pull.ref.repo, pull.head_sha, "a.tf") == b"one\n"
    assert lock.exists()


async def test_mirrors_that_others_make_now(workspaces, forge, tmp_path: Path) -> None:
    """It removes mirrors that were never finished when they are old, not while they are made."""
    mirrors = tmp_path / "git" / "mirrors"
    for name in ("new-old", "new-young"):
        (mirrors / name).mkdir(parents=True)
    os.utime(mirrors / "new-old", (0, 0))
    (pull,) = pulls_of(forge, range(1, 2))
    await workspaces.fetch(pull, forge.access)
    assert sorted(path.name for path in mirrors.glob("new-*")) == ["new-young"]


async def test_a_process_killed_at_work(make_workspaces, forge, tmp_path: Path) -> None:
    """It goes on where a process was killed in the middle, whatever its git left behind."""
    pulls = pulls_of(forge, range(1, 5))
    survivor = make_workspaces()
    await survivor.fetch(pulls[0], forge.access)
    for _ in range(2):
        child = await colleague(tmp_path / "git", pulls, forge.access, rounds=1000)
        assert child.stdout is not None
        assert await child.stdout.readline() == b"works\n"
        await survivor.lay_out(pulls[0])
        child.send_signal(signal.SIGKILL)
        await child.wait()
        for pull in pulls:
            await survivor.fetch(pull, forge.access)
            checkout = await survivor.lay_out(pull)
            assert (await survivor.ensure(pull.ref, checkout) / "b.tf").exists()
