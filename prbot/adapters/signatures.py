"""Whether a file is signed by somebody whose key we have: OpenPGP, by Sequoia.

`keys/` holds the public keys that releases of the tools are signed with. HashiCorp's
(fingerprint C874 011F 0AB4 0511 0D02 1055 3436 5D94 72D7 468F) is in two states, of 2021
and of 2026, because a signature counts by what the key said of itself when it was made; it
was taken from https://github.com/tofuutils/tenv (`pkg/check/pgp/testdata`), its newer half
is equal to the one in https://github.com/hashicorp/hc-install (`internal/pubkey`). That of
OpenTofu (E3E6 E43D 84CB 852E ADB0 051D 0C0A F313 E5FD 9F80) is the one in
https://github.com/opentofu/tofudl (`branding/gpg_key.go`).

Not promised: Sigstore, with which OpenTofu signs as well.
"""

from __future__ import annotations

from pathlib import Path

from pysequoia import Cert, Sig, verify

from prbot.errors.tools import KeyNotReadable

KEYS = Path(__file__).with_name("keys")
HASHICORP = KEYS / "hashicorp.asc"
OPENTOFU = KEYS / "opentofu.asc"


def keys_in(path: Path) -> tuple[Cert, ...]:
    """The public keys of a file, in ASCII armour or not. Raises KeyNotReadable."""
    try:
        found = tuple(Cert.split_file(str(path)))
    except (RuntimeError, OSError) as error:
        raise KeyNotReadable(str(path), _first_line(error)) from None
    if not found:
        raise KeyNotReadable(str(path), "it holds none")
    return found


def is_signed(data: bytes, signature: bytes, keys: tuple[Cert, ...]) -> bool:
    """Whether the detached signature is one of these keys' on exactly this data."""
    try:
        found = verify(bytes=data, store=lambda _: list(keys), signature=Sig.from_bytes(signature))
    except RuntimeError:  # a signature that is none, or not by these keys, or not of this data
        return False
    known = {key.fingerprint for key in keys}
    return any(valid.certificate in known for valid in found.valid_sigs)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["it cannot be read"])[0]
