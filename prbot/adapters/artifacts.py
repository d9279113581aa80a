"""Plan files and their JSON on the local disk, encrypted.

Each artifact is one file: a format mark, a random nonce of 12 bytes, and AES-256-GCM
(NIST SP 800-38D) over the data with the artifact's name as associated data. A changed
byte, a cut file, two files swapped or another installation's key are all noticed.

Not noticed is an older file put back under its own name: whoever reads one compares the
digest that the database holds (`StoredPlan.plan_file_sha256`). A process killed between
writing and renaming leaves an encrypted `.new-*` file behind, never a half artifact.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from prbot.adapters.installation import sync_directory, write_durably
from prbot.errors import WrongInstallationKey

_MARK = b"prbot1\n"
_NONCE_BYTES = 12
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", re.ASCII)


class EncryptedFiles:
    """Meets `Artifacts`. `key` is 32 bytes, derived for this purpose alone.

    Names are letters, digits, `.`, `_` and `-`, at most 200, beginning with a letter or
    digit; any other is a ValueError. The directory is made when first needed.
    """

    def __init__(self, directory: Path, key: bytes) -> None:
        self._directory = directory
        self._cipher = AESGCM(key)

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
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a name of an artifact: {name!r}")
        return self._directory / name

    def _write(self, path: Path, data: bytes) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, data, _bound_to(path.name))
        aside = self._directory / f".new-{secrets.token_hex(8)}"
        try:
            write_durably(aside, _MARK + nonce + sealed)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        sync_directory(self._directory)

    def _read(self, path: Path) -> bytes | None:
        try:
            stored = path.read_bytes()
        except FileNotFoundError:
            return None
        nonce = stored[len(_MARK) : len(_MARK) + _NONCE_BYTES]
        sealed = stored[len(_MARK) + _NONCE_BYTES :]
        if not stored.startswith(_MARK) or len(nonce) < _NONCE_BYTES:
            raise WrongInstallationKey
        try:
            return self._cipher.decrypt(nonce, sealed, _bound_to(path.name))
        except InvalidTag:
            raise WrongInstallationKey from None


def _bound_to(name: str) -> bytes:
    return _MARK + name.encode()


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
