"""A commit of prbot's own on a branch of the forge, made in the mirror and pushed from there.

The same change at the same time is the same commit, so that a push that is repeated after a
sudden end does nothing. The index is the command's own: a mirror has no files.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prbot.adapters.blobs import entries
from prbot.adapters.git import Git, last_words, text
from prbot.adapters.mirrors import MERGER, branch_ref
from prbot.errors.git import CannotPush, GitFailed
from prbot.model import RepoRef, Sha
from prbot.ports.forge import CloneAccess
from prbot.ports.tree import BranchCommit

PLAIN = "100644"
"""The mode of a file that was not there before."""


@dataclass(frozen=True)
class Pushed:
    """Through `mirror`. All of it inside a turn."""

    git: Git
    mirror: Path
    repo: RepoRef
    access: CloneAccess

    async def push(self, change: BranchCommit) -> Sha | None:
        """Raises CannotPush and GitFailed."""
        there = await self._there(change.branch)
        if there is not None and not await self._is_ours(there):
            return None
        await self._bring(change)
        commit = await self._commit(change)
        if there != commit:
            await self._send(change.branch, commit, there)
        return commit

    async def is_ours(self, branch: str) -> bool:
        """Whether it stands at a commit of prbot's own. Raises CannotPush and GitFailed."""
        there = await self._there(branch)
        return there is not None and await self._is_ours(there)

    async def _there(self, branch: str) -> Sha | None:
        """What the branch stands at, brought into the mirror; None where there is none."""
        ref = f"refs/heads/{branch}"
        words = ["ls-remote", "--", self.access.url, ref]
        done = await self.git.run(words, cwd=self.mirror, access=self.access)
        if done.code != 0:
            raise CannotPush(str(self.repo), branch, last_words(done, self.access))
        lines = (line.split("\t") for line in text(done.stdout).splitlines())
        sha = next((sha for sha, name in lines if name == ref), None)
        if sha is not None:
            options = ["--quiet", "--force", "--no-tags", "--no-write-fetch-head"]
            into = f"+{ref}:{branch_ref(branch)}"
            words = ["fetch", *options, "--", self.access.url, into]
            done = await self.git.run(words, cwd=self.mirror, access=self.access)
            if done.code != 0:
                raise CannotPush(str(self.repo), branch, last_words(done, self.access))
        return None if sha is None else Sha(sha)

    async def _bring(self, change: BranchCommit) -> None:
        """The parent, by its id, where another machine decided on the change."""
        found = await self.git.run(
            ["cat-file", "-e", f"{change.parent}^{{commit}}"], cwd=self.mirror
        )
        if found.code != 0:
            options = ["--quiet", "--force", "--no-tags", "--no-write-fetch-head"]
            into = f"+{change.parent}:refs/prbot/commit/{change.parent}"
            words = ["fetch", *options, "--", self.access.url, into]
            done = await self.git.run(words, cwd=self.mirror, access=self.access)
            if done.code != 0:
                raise CannotPush(str(self.repo), change.branch, last_words(done, self.access))

    async def _is_ours(self, commit: Sha) -> bool:
        words = ["log", "-1", "--format=%cn <%ce>", commit, "--"]
        said = await self.git.ask(words, cwd=self.mirror)
        return said == f"{MERGER['GIT_COMMITTER_NAME']} <{MERGER['GIT_COMMITTER_EMAIL']}>"

    async def _commit(self, change: BranchCommit) -> Sha:
        modes = await self._modes(change)
        with tempfile.TemporaryDirectory() as scratch:
            extra = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            await self.git.ask(["read-tree", change.parent], cwd=self.mirror, extra=extra)
            for path, data in sorted(change.files.items()):
                blob = await self._blob(data)
                entry = f"{modes.get(path, PLAIN)},{blob},{path}"
                words = ["update-index", "--add", "--cacheinfo", entry]
                await self.git.ask(words, cwd=self.mirror, extra=extra)
            tree = await self.git.ask(["write-tree"], cwd=self.mirror, extra=extra)
        moment = f"{int(change.at.timestamp())} +0000"
        dates = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
        words = ["commit-tree", tree, "-p", change.parent, "-m", change.message]
        return Sha(await self.git.ask(words, cwd=self.mirror, extra=MERGER | dates))

    async def _modes(self, change: BranchCommit) -> Mapping[str, str]:
        words = ["ls-tree", "-r", "-z", change.parent, "--", *sorted(change.files)]
        done = await self.git.run(words, cwd=self.mirror)
        if done.code != 0:
            raise GitFailed(words[0], last_words(done))
        return {path: mode for mode, _, path in entries(done.stdout)}

    async def _blob(self, data: bytes) -> str:
        words = ["hash-object", "-w", "--stdin"]
        done = await self.git.run(words, cwd=self.mirror, feed=data)
        if done.code != 0:
            raise GitFailed(words[0], last_words(done))
        return text(done.stdout)

    async def _send(self, branch: str, commit: Sha, there: Sha | None) -> None:
        """Only while the branch stands where we saw it."""
        ref = f"refs/heads/{branch}"
        lease = f"--force-with-lease={ref}:{there or ''}"
        words = ["push", "--quiet", "--porcelain", lease, "--", self.access.url, f"{commit}:{ref}"]
        done = await self.git.run(words, cwd=self.mirror, access=self.access)
        if done.code != 0:
            raise CannotPush(str(self.repo), branch, last_words(done, self.access))
