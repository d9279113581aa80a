"""What a project reads, as digests of its parts: files of its commit by git's ids, modules
that were fetched by their content.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prbot.engine.ways import Way
from prbot.model import RepoRef, Sha
from prbot.ports.tool import InitResult
from prbot.ports.tree import Facts, Tree
from prbot.projects.graph import Graph
from prbot.projects.reads import Reads, reads
from prbot.projects.tool_choice import TERRAFORM

Parts = tuple[tuple[str, str], ...]
COMMANDS = ("run", "env", "multienv")
"""Steps of a workflow that may call any script."""


@dataclass(frozen=True)
class Reading:
    """One repository's commits; `worktree` is where one of them is laid out."""

    tree: Tree
    facts: Facts
    repo: RepoRef
    commit: Sha
    worktree: Path

    async def parts(self, way: Way, init: InitResult, var_files: Sequence[str]) -> Parts:
        """By name, sorted. Raises what `Tree` raises."""
        local, fetched = [way.place.project.dir], []
        for directory in init.module_dirs:
            if directory.is_relative_to(self.worktree):
                local.append(directory.relative_to(self.worktree).as_posix())
            else:
                fetched.append(directory)
        found = await self._local(way, tuple(dict.fromkeys(local)), var_files)
        ids = await self.tree.object_ids(self.repo, self.commit, sorted(found.trees))
        trees = {f"{directory}/": ids.get(directory, "") for directory in found.trees}
        groups = {name: _one(files) for name, files in found.groups.items()}
        # In a thread: a fetched module may have thousands of files.
        digests = await asyncio.to_thread(lambda: {_fetched(d): _digest(d) for d in fetched})
        return tuple(sorted({**groups, **trees, **digests}.items()))

    async def _local(self, way: Way, dirs: tuple[str, ...], var_files: Sequence[str]) -> Reads:
        async def blobs(ids: Sequence[str], limit: int) -> Mapping[str, bytes | None]:
            return await self.tree.blobs(self.repo, ids, limit)

        listing = await self.tree.listing(self.repo, self.commit)
        facts = await self.facts.facts(listing.only(dirs), blobs)
        graph = Graph(listing, facts, way.place.tool or TERRAFORM)
        runs = any(step.kind in COMMANDS for step in (*way.recipe.plan, *way.recipe.apply))
        directory = way.place.project.dir
        return await asyncio.to_thread(reads, graph, directory, dirs, var_files, runs)


def _one(files: Mapping[str, str]) -> str:
    """A file's own id where there is but one, else a digest of all."""
    if len(files) == 1:
        return next(iter(files.values()))
    return whole(tuple(sorted(files.items())))


def whole(parts: Parts) -> str:
    """One digest of all, hex SHA-256."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


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
