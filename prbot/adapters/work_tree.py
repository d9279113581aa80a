"""A directory's files as they are now, in the shape of a commit's listing.

For `prbot explain`, which also speaks of what is not committed. What git ignores is not
told from the rest; what tools download (`.terraform`) is left out.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from prbot.projects.listing import DOWNLOADED, Listing


@dataclass(frozen=True)
class WorkTree:
    """`root` is an absolute path. Meets `Blobs` for the files of its listing."""

    root: Path
    _paths: dict[str, str] = field(default_factory=dict)

    async def listing(self) -> Listing:
        """Files have ids of their own making: which file it is, not what is in it."""
        return await asyncio.to_thread(self._listing)

    def _listing(self) -> Listing:
        files: dict[str, str] = {}
        links: dict[str, str] = {}
        for path in _files(self.root):
            name = path.relative_to(self.root).as_posix().encode("utf-8", "surrogateescape")
            shown = name.decode("utf-8", "replace")
            if path.is_symlink():
                links[shown] = os.readlink(path).encode("utf-8", "replace").decode()
            elif path.is_file():
                files[shown] = sha256(name).hexdigest()
                self._paths[files[shown]] = os.fspath(path)
        return Listing(files, links)

    async def __call__(self, ids: Sequence[str], limit: int) -> Mapping[str, bytes | None]:
        return await asyncio.to_thread(lambda: {id_: self._read(id_, limit) for id_ in ids})

    def _read(self, id_: str, limit: int) -> bytes | None:
        try:
            with open(self._paths[id_], "rb") as file:
                data = file.read(limit + 1)
        except OSError:
            return None
        return data if len(data) <= limit else None


def _files(root: Path) -> Iterator[Path]:
    for directory, directories, names in os.walk(root):
        directories[:] = sorted(name for name in directories if name not in DOWNLOADED)
        linked = [name for name in directories if os.path.islink(os.path.join(directory, name))]
        yield from (Path(directory, name) for name in [*names, *linked])
