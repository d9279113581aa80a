"""A person's own git repository, offered to the planner as if it stood on a forge.

Reads only: the repository itself is not changed, its working tree is not looked at but
for the question whether something is uncommitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prbot.adapters import process
from prbot.errors.verbs import NoDefaultBranch, NoRepository, UnknownRevision
from prbot.model import Sha

BASE = "base"
"""The branch under which `offer` shows the base revision."""
NUMBER = 1
"""The pull request's number under which `offer` shows the head revision."""
TIMEOUT = 600.0


@dataclass(frozen=True)
class LocalRepository:
    """`root` is the top of the work tree, `environment` what git sees (PATH is enough)."""

    root: Path
    environment: Mapping[str, str]

    @classmethod
    async def containing(cls, directory: Path, environment: Mapping[str, str]) -> LocalRepository:
        """`directory` is absolute. Raises NoRepository."""
        here = cls(directory, environment)
        try:
            answer = await here._git("rev-parse", "--show-toplevel")
        except (FileNotFoundError, NotADirectoryError):
            raise NoRepository(str(directory)) from None
        if answer.code != 0:
            raise NoRepository(str(directory))
        return cls(Path(answer.stdout.decode().rstrip("\n")), environment)

    async def commit(self, revision: str) -> Sha:
        """The commit a person means. Raises UnknownRevision."""
        wanted = f"{revision}^{{commit}}"
        answer = await self._git("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
        if answer.code != 0:
            raise UnknownRevision(revision)
        return Sha(answer.stdout.decode().strip())

    async def default_branch(self) -> str:
        """What `origin` calls its head, else `main` or `master`. Raises NoDefaultBranch."""
        answer = await self._git("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
        if answer.code == 0:
            return answer.stdout.decode().strip()
        for branch in ("main", "master"):
            found = await self._git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")
            if found.code == 0:
                return f"refs/heads/{branch}"
        raise NoDefaultBranch

    async def is_dirty(self) -> bool:
        """Whether tracked files differ from the last commit."""
        answer = await self._git("status", "--porcelain", "-z", "--untracked-files=no")
        return bool(answer.stdout)

    async def changed(self, base: Sha, head: Sha) -> tuple[str, ...]:
        """Paths that differ between `head` and where it left `base`; of a renamed file the
        old and the new one."""
        fork = await self._git("merge-base", base, head)
        since = fork.stdout.decode().strip() if fork.code == 0 else base
        options = ("-r", "-z", "--no-renames", "--name-only", "--no-commit-id")
        answer = await self._git("diff-tree", *options, since, head)
        return tuple(path.decode("utf-8", "replace") for path in answer.stdout.split(b"\0") if path)

    async def offer(self, bare: Path, base: Sha, head: Sha) -> str:
        """A bare repository that shares our objects and holds both commits; its URL.

        `bare` is an absolute path where nothing stands yet.
        """
        await self._git("clone", "--quiet", "--bare", "--shared", str(self.root), str(bare))
        for ref, sha in ((f"refs/heads/{BASE}", base), (f"refs/pull/{NUMBER}/head", head)):
            await self._git(f"--git-dir={bare}", "update-ref", ref, sha)
        return bare.as_uri()

    async def _git(self, *words: str) -> process.Completed:
        return await process.run(
            ("git", *words), cwd=self.root, env=self.environment, timeout=TIMEOUT
        )
