"""`prbot explain`: what the bot would make of something, offline and without a server."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from prbot.adapters.blobs import blobs, listing
from prbot.adapters.git import Git
from prbot.adapters.hcl_cache import FactsCache
from prbot.adapters.local_repository import LocalRepository
from prbot.adapters.work_tree import WorkTree
from prbot.config.files import NAMES, RepoFiles, said_in
from prbot.errors.verbs import NoRepository
from prbot.model import Sha
from prbot.ports.tree import Blobs
from prbot.projects.affected import affected
from prbot.projects.discovery import Discovery, discover
from prbot.projects.hcl import MAX_BYTES
from prbot.projects.listing import Listing
from prbot.projects.project import Project


@dataclass(frozen=True)
class Asked:
    """Which projects of `repo`: those that `changed` paths affect in the work tree; `all`
    of the work tree; else those affected between two commits (None: the default branch)."""

    repo: Path
    base: str | None = None
    head: str = "HEAD"
    changed: tuple[str, ...] = ()
    all: bool = False


def explain_projects(asked: Asked, as_json: bool) -> int:
    """Print them; 0 when that could be done. Raises PrbotError when not."""
    with tempfile.TemporaryDirectory(prefix="prbot-") as place:
        discovery, projects = asyncio.run(_Reading(asked, Path(place), dict(os.environ)).found())
    document = json.dumps(_document(discovery, projects), indent=2)
    sys.stdout.write(f"{document if as_json else _told(discovery, projects)}\n")
    return 0


@dataclass(frozen=True)
class _Reading:
    """`place` is a directory that is thrown away."""

    asked: Asked
    place: Path
    environ: Mapping[str, str]

    async def found(self) -> tuple[Discovery, tuple[Project, ...]]:
        if self.asked.all or self.asked.changed:
            return await self._work_tree()
        return await self._commits()

    async def _work_tree(self) -> tuple[Discovery, tuple[Project, ...]]:
        tree = WorkTree(await self._top())
        discovery = await self._discovered(await tree.listing(), tree)
        if self.asked.all:
            return discovery, discovery.projects
        changed = [PurePosixPath(path).as_posix() for path in self.asked.changed]
        return discovery, affected(discovery, changed)

    async def _top(self) -> Path:
        """The repository's top; a directory that is in none is taken as it is."""
        directory = self.asked.repo.absolute()
        if not directory.is_dir():
            raise NoRepository(str(self.asked.repo))
        try:
            return (await LocalRepository.containing(directory, self.environ)).root
        except (NoRepository, FileNotFoundError):
            return directory

    async def _commits(self) -> tuple[Discovery, tuple[Project, ...]]:
        repository = await LocalRepository.containing(self.asked.repo.absolute(), self.environ)
        head = await repository.commit(self.asked.head)
        base = await repository.commit(self.asked.base or await repository.default_branch())
        git = Git(self.environ, self.place)
        files = await listing(git, repository.root, head)
        contents = partial(blobs, git, repository.root)
        discovery = await self._discovered(files, contents)
        return discovery, affected(discovery, await repository.changed(Sha(base), head))

    async def _discovered(self, files: Listing, contents: Blobs) -> Discovery:
        said = said_in(await _files(files, contents))
        facts = await FactsCache(self.place).facts(files, contents)
        found = discover(files, facts, said.rules)
        return replace(found, warnings=(*found.warnings, *said.notices))


async def _files(files: Listing, contents: Blobs) -> RepoFiles:
    ids = {name: files.files[name] for name in NAMES if name in files.files}
    data = await contents(list(ids.values()), MAX_BYTES)
    return RepoFiles(*(data.get(ids.get(name, "")) for name in NAMES))


# --- what is printed -------------------------------------------------------------------------


def _document(discovery: Discovery, projects: Sequence[Project]) -> dict[str, object]:
    names = {project.key: project.name or str(project.key) for project in discovery.projects}
    return {
        "projects": [
            {
                "name": project.name,
                "dir": project.key.dir,
                "workspace": project.key.workspace,
                "depends_on": [names[key] for key in project.depends_on],
                "order": project.order,
                "because": list(project.because),
            }
            for project in projects
        ],
        "modules": {path: list(users) for path, users in discovery.modules.items()},
        "warnings": [
            {"path": path, "line": line, "message": message}
            for path, line, message in _warnings(discovery)
        ],
    }


def _warnings(discovery: Discovery) -> list[tuple[str, int, str]]:
    notices = [(each.path, each.line, each.message) for each in discovery.warnings]
    errors = (each.error for each in discovery.shared)
    return sorted([*notices, *((each.path, each.line, str(each)) for each in errors)])


def _told(discovery: Discovery, projects: Sequence[Project]) -> str:
    lines = [] if projects else ["no projects"]
    for project in projects:
        lines.append(f"{project.name}: {project.key}" if project.name else str(project.key))
        lines += [f"    {reason}" for reason in project.because]
    lines += [f"warning: {p}, line {n}: {message}" for p, n, message in _warnings(discovery)]
    return "\n".join(lines)
