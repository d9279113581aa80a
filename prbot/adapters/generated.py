"""What hooks left in a worktree, as a commit of the mirror on top of the one laid out.

So it is listed, read, compared and laid out again like everything else. Files that git
ignores count too, because generated code is often ignored; what tools download
(`.terraform`) does not. A repository within the worktree becomes plain files.

The same files on the same commit are the same commit, wherever they were generated.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prbot.adapters.git import Git, last_words
from prbot.adapters.mirrors import MERGER
from prbot.errors.git import GitFailed
from prbot.errors.plans import GeneratedTooMuch
from prbot.model import Sha
from prbot.projects.listing import DOWNLOADED

LARGEST = 64 * 1024 * 1024
"""Bytes of new files: configuration is far below, and a disk may be full at once."""
MAGIC = {"GIT_LITERAL_PATHSPECS": "0"}
SUBMODULE = "160000 "


@dataclass(frozen=True)
class Left:
    """One worktree that hooks wrote to. `admin` is its directory inside the mirror,
    `flattened` the links that prbot wrote as files, which nobody generated."""

    git: Git
    path: Path
    admin: str
    flattened: Sequence[str] = ()

    async def keep(self, commit: Sha) -> Sha:
        """The commit; `commit` itself where nothing changed. Raises GeneratedTooMuch and
        GitFailed. Inside a turn."""
        await asyncio.to_thread(_without_repositories, self.path)
        others = (await self._ask(["ls-files", "-z", "--others", "--", *self._wanted()])).split(
            "\0"
        )
        await asyncio.to_thread(_check_size, self.path, others)
        await self._forget_submodules()
        await self._ask(["add", "--all", "--force", "--", *self._wanted()])
        tree = await self._ask(["write-tree"])
        if tree == await self._ask(["rev-parse", "--verify", f"{commit}^{{tree}}"]):
            return commit
        words = ["commit-tree", tree, "-p", commit, "-m", f"Generated on {commit}"]
        return Sha(await self._ask(words))

    def _wanted(self) -> list[str]:
        downloaded = (f":(exclude,glob)**/{name}/**" for name in sorted(DOWNLOADED))
        return [".", *downloaded, *(f":(exclude,literal){link}" for link in self.flattened)]

    async def _forget_submodules(self) -> None:
        """Those that hooks filled: git would not look into them."""
        staged = (await self._ask(["ls-files", "-z", "--stage"])).split("\0")
        paths = (entry.partition("\t")[2] for entry in staged if entry.startswith(SUBMODULE))
        for path in paths:
            if await asyncio.to_thread(_filled, self.path / path):
                await self._ask(["update-index", "--force-remove", "--", path])

    async def _ask(self, words: Sequence[str]) -> str:
        where = {"GIT_DIR": self.admin, "GIT_WORK_TREE": str(self.path)}
        return await self.git.ask(words, cwd=self.path, extra={**MERGER, **MAGIC, **where})


async def packed(git: Git, mirror: Path, commits: Sequence[Sha], onto: Sequence[Sha]) -> bytes:
    """The objects of `commits` that those of `onto` lack. Raises GitFailed."""
    words = ["pack-objects", "--revs", "--thin", "--stdout", "--quiet"]
    wanted = "".join(f"{sha}\n" for sha in (*commits, *(f"^{sha}" for sha in onto)))
    done = await git.run(words, cwd=mirror, feed=wanted.encode())
    if done.code != 0:
        raise GitFailed(words[0], last_words(done))
    return done.stdout


async def unpack(git: Git, mirror: Path, pack: bytes) -> None:
    """Raises GitFailed. Inside a turn."""
    done = await git.run(["unpack-objects", "-q"], cwd=mirror, feed=pack)
    if done.code != 0:
        raise GitFailed("unpack-objects", last_words(done))


def _without_repositories(root: Path) -> None:
    for directory, directories, names in os.walk(root):
        if directory != str(root) and ".git" in (*directories, *names):
            inner = Path(directory, ".git")
            if inner.is_dir() and not inner.is_symlink():
                shutil.rmtree(inner)
            else:
                inner.unlink()
        directories[:] = [name for name in directories if name not in DOWNLOADED]


def _check_size(root: Path, others: Sequence[str]) -> None:
    sizes = (os.lstat(root / other).st_size for other in others if other)
    total = sum(sizes)
    if total > LARGEST:
        raise GeneratedTooMuch(total // 2**20, LARGEST // 2**20)


def _filled(directory: Path) -> bool:
    return directory.is_dir() and any(directory.iterdir())
