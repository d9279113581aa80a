"""The installation key: one secret from which every other key is derived.

A file that is made at the first start, or, for several machines, what the operator gives.

It makes stored plans unreadable without it and plan hashes unguessable. Not promised:
protection from somebody who can read the state directory as prbot's own user.
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from prbot.errors.store import KeyFileDamaged, KeyFileTooOpen, KeyUnreadable

KEY_BYTES = 32
KEY_FILE = "installation.key"


def load_or_create_key(path: Path) -> bytes:
    """The key in `path`, 32 bytes; made (mode 0600) when there is none.

    Two processes that start together end with the same key. Raises KeyFileTooOpen when
    others may read or write the file, KeyFileDamaged when its size is wrong.
    """
    with suppress(FileExistsError):
        if not path.exists():
            _create(path)
    return _load(path)


def decode_key(secret: str, reference: str) -> bytes:
    """The key of 32 bytes written in base64 or in 64 hexadecimal digits.

    `reference` says where it stands. Raises KeyUnreadable, which does not repeat it.
    """
    written = "".join(secret.split())
    try:
        key = bytes.fromhex(written) if len(written) == 2 * KEY_BYTES else _base64(written)
    except ValueError:
        raise KeyUnreadable(reference) from None
    if len(key) != KEY_BYTES:
        raise KeyUnreadable(reference)
    return key


def _base64(written: str) -> bytes:
    return base64.b64decode(written.replace("-", "+").replace("_", "/"), validate=True)


def fingerprint(key: bytes) -> str:
    """`k-3f2a91c0d4e5b6a7`, by which a key is known again and nothing else is told of it.

    The letter keeps YAML from reading a number.
    """
    return f"k-{derive(key, 'fingerprint').hex()[:16]}"


def derive(key: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose (RFC 5869, HKDF with SHA-256).

    Who learns one derived key learns nothing of the others.
    """
    info = b"prbot/1/" + purpose.encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)


def _load(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise KeyFileTooOpen(str(path), f"{mode:04o}")
        key = file.read(KEY_BYTES + 1)
        size = os.fstat(file.fileno()).st_size
    if len(key) != KEY_BYTES:
        raise KeyFileDamaged(str(path), size, KEY_BYTES)
    return key


def _create(path: Path) -> None:
    """Write aside and link: the file appears whole or not at all, and never replaces one."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        write_durably(aside, secrets.token_bytes(KEY_BYTES))
        os.link(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    sync_directory(path.parent)


def write_durably(path: Path, data: bytes) -> None:
    """Write a new file (mode 0600) and wait until it is on disk."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(directory: Path) -> None:
    """Wait until the directory's entries are on disk; a rename alone does not promise it."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
