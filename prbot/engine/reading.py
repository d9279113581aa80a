"""What a project reads, as digests of its parts: files of its commit by git's ids, modules
that were fetched by their content.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prbot.model import ProjectKey, RepoRef, Sha
from prbot.ports import InitResult, Tree

Parts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Reading:
    """One repository's commits; `worktree` is where one of them is laid out."""

    tree: Tree
    repo: RepoRef
    commit: Sha
    worktree: Path

    async def parts(self, project: ProjectKey, init: InitResult, var_files: Sequence[str]) -> Parts:
        """By name, sorted. Raises what `Tree` raises."""
        local, fetched = [project.dir, *_beside(project.dir, var_files)], []
        for directory in init.module_dirs:
            if directory.is_relative_to(self.worktree):
                local.append(directory.relative_to(self.worktree).as_posix())
            else:
                fetched.append(directory)
        ids = await self.tree.object_ids(self.repo, self.commit, sorted(set(local)))
        # In a thread: a fetched module may have thousands of files.
        digests = await asyncio.to_thread(lambda: {_fetched(d): _digest(d) for d in fetched})
        return tuple(sorted({**ids, **digests}.items()))


def whole(parts: Parts) -> str:
    """One digest of all, hex SHA-256."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _beside(directory: str, names: Sequence[str]) -> list[str]:
    return [posixpath.normpath(posixpath.join(directory, name)) for name in names]


def _fetched(directory: Path) -> str:
    """Its place below TF_DATA_DIR, where modules have the names of their calls:
    https://developer.hashicorp.com/terraform/internals/machine-readable-ui says nothing of
    it, so any other place does as well."""
    return "fetched " + directory.as_posix().rpartition("/terraform/modules/")[2]


def _digest(directory: Path) -> str:
    """Every file's path and bytes, in a fixed order."""
    digest = hashlib.sha256()
    for path in sorted(p for p in directory.rglob("*") if p.is_file() and ".git" not in p.parts):
        digest.update(path.relative_to(directory).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
