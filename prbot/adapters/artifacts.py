"""Plan files and their JSON on the local disk, one sealed file each (`sealing`).

A process killed between writing and renaming leaves a sealed `.new-*` file behind, never
half an artifact.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path

from prbot.adapters.installation import sync_directory, write_durably
from prbot.adapters.sealing import Seal, checked


class EncryptedFiles:
    """Meets `Artifacts`. The directory is made when first needed."""

    def __init__(self, directory: Path, key: bytes) -> None:
        self._directory = directory
        self._seal = Seal(key)

    async def put(self, name: str, data: bytes) -> None:
        """Store, durably, in place of whatever had this name."""
        await asyncio.to_thread(self._write, self._path(name), data)

    async def get(self, name: str) -> bytes | None:
        """The data, or None when there is none. Raises WrongInstallationKey."""
        return await asyncio.to_thread(self._read, self._path(name))

    async def drop(self, names: Sequence[str]) -> None:
        """Remove those that are there."""
        await asyncio.to_thread(_remove, [self._path(name) for name in names])

    def _path(self, name: str) -> Path:
        return self._directory / checked(name)

    def _write(self, path: Path, data: bytes) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = self._directory / f".new-{secrets.token_hex(8)}"
        try:
            write_durably(aside, self._seal.close(path.name, data))
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        sync_directory(self._directory)

    def _read(self, path: Path) -> bytes | None:
        try:
            stored = path.read_bytes()
        except FileNotFoundError:
            return None
        return self._seal.open(path.name, stored)


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
