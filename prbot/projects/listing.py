"""All files of a commit, as git lists them, and where its symbolic links lead.

Paths are relative to the repository with `/`; directories are those that hold something,
the root is `.`. Nothing here leaves the repository: a link or a path that would, leads
nowhere.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

CODE = (".tf", ".tf.json", ".tofu", ".tofu.json")
"""Files that the tools read as configuration."""
TOFU = (".tofu", ".tofu.json")
VARIABLES = (".tfvars", ".tfvars.json")
DOWNLOADED = frozenset({".terraform", ".terragrunt-cache", ".git"})
"""Directories in which everything was put by a tool."""
MAX_LINKS = 40
"""How many links one path may pass, as in Linux."""


def is_code(path: str) -> bool:
    """Configuration; the tools do not load hidden files and editors' backups."""
    name = path.rpartition("/")[2]
    return path.endswith(CODE) and not name.startswith(".") and not _is_backup(name)


def _is_backup(name: str) -> bool:
    return name.endswith("~") or (name.startswith("#") and name.endswith("#"))


def directory_of(path: str) -> str:
    return path.rpartition("/")[0] or "."


def joined(directory: str, path: str) -> str | None:
    """`path` as seen from `directory`; None when that is outside."""
    if path.startswith("/"):
        return None
    whole = posixpath.normpath(f"{directory}/{path}")
    return None if whole == ".." or whole.startswith("../") else whole


@dataclass(frozen=True)
class Listing:
    """`files` are blob ids by path, `links` the targets of symbolic links by path."""

    files: Mapping[str, str]
    links: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def directories(self) -> Mapping[str, tuple[str, ...]]:
        """Paths of the files and links directly in each directory, sorted; downloaded
        ones left out."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path in sorted([*self.files, *self.links]):
            if DOWNLOADED.isdisjoint(path.split("/")[:-1]):
                found[directory_of(path)].append(path)
        return {directory: tuple(paths) for directory, paths in found.items()}

    @cached_property
    def code(self) -> Mapping[str, tuple[str, ...]]:
        """Configuration files in each directory that has any, links among them."""
        found = {
            directory: tuple(path for path in paths if is_code(path))
            for directory, paths in self.directories.items()
        }
        return {directory: paths for directory, paths in found.items() if paths}

    def only(self, directories: Iterable[str]) -> Listing:
        """The code of these directories, wherever links lead to it, and all links."""
        real = {self.followed(path)[0] for d in directories for path in self.code.get(d, ())}
        return Listing({p: id_ for p, id_ in self.files.items() if p in real}, self.links)

    @cached_property
    def aliases(self) -> Mapping[str, tuple[str, ...]]:
        """By path, the links that lead to it, also in several steps."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for link in sorted(self.links):
            for step in self._steps(link):
                found[step].append(link)
        return {path: tuple(links) for path, links in found.items()}

    def _steps(self, link: str) -> Iterator[str]:
        path = link
        for _ in range(MAX_LINKS):
            if path not in self.links:
                return
            target = joined(directory_of(path), self.links[path])
            followed = None if target is None else self.followed(target, last=False)[0]
            if followed is None:
                return
            path = followed
            yield path

    def followed(self, path: str, last: bool = True) -> tuple[str | None, tuple[str, ...]]:
        """Where a normal path leads (None: outside, or in a circle), and the links passed.

        `last`: whether the path's last part is followed as well.
        """
        if not self.links:
            return path, ()
        todo, done = path.split("/")[::-1], "."
        passed: list[str] = []
        while todo:
            part = todo.pop()
            here = part if done == "." else f"{done}/{part}"
            if here not in self.links or (not todo and not last):
                done = here
                continue
            target = joined(done, self.links[here])
            passed.append(here)
            if target is None or len(passed) > MAX_LINKS:
                return None, tuple(passed)
            todo += target.split("/")[::-1]
            done = "."
        return done, tuple(passed)
