"""How an artifact is sealed, wherever it is kept.

A format mark, a random nonce of 12 bytes, and AES-256-GCM (NIST SP 800-38D) over the data
with the artifact's name as associated data. A changed byte, a cut end, two artifacts
swapped or another installation's key are all noticed.

Not noticed is an older artifact put back under its own name: whoever reads one compares
the digest that the database holds (`StoredPlan.plan_file_sha256`).
"""

from __future__ import annotations

import os
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from prbot.errors.server import WrongInstallationKey

_MARK = b"prbot1\n"
_NONCE_BYTES = 12
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", re.ASCII)


def checked(name: str) -> str:
    """The name itself. Letters, digits, `.`, `_` and `-`, at most 200, beginning with a
    letter or digit; any other is a ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name of an artifact: {name!r}")
    return name


class Seal:
    """`key` is 32 bytes, derived for this purpose alone."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, name: str, data: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return _MARK + nonce + self._cipher.encrypt(nonce, data, _bound_to(name))

    def open(self, name: str, stored: bytes) -> bytes:
        """What was closed under this name. Raises WrongInstallationKey."""
        nonce = stored[len(_MARK) : len(_MARK) + _NONCE_BYTES]
        sealed = stored[len(_MARK) + _NONCE_BYTES :]
        if not stored.startswith(_MARK) or len(nonce) < _NONCE_BYTES:
            raise WrongInstallationKey
        try:
            return self._cipher.decrypt(nonce, sealed, _bound_to(name))
        except InvalidTag:
            raise WrongInstallationKey from None


def _bound_to(name: str) -> bytes:
    return _MARK + name.encode()
