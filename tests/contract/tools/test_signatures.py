"""Signatures of lists of checksums, by test keys and by HashiCorp's own."""

from pathlib import Path

import pytest
from pysequoia import Cert, SignatureMode, Tsk, sign

from prbot.adapters.signatures import HASHICORP, OPENTOFU, is_signed, keys_in
from prbot.errors.tools import KeyNotReadable

RELEASED = Path(__file__).parent / "released"
"""As HashiCorp published them, https://releases.hashicorp.com/terraform/1.6.6/."""
SUMS = (RELEASED / "terraform_1.6.6_SHA256SUMS").read_bytes()
SIGNATURE = (RELEASED / "terraform_1.6.6_SHA256SUMS.sig").read_bytes()
KEY = Tsk.generate("Somebody <some@example.org>")
OTHER = Tsk.generate("Somebody else <else@example.org>")


def certs(*keys: Tsk) -> tuple[Cert, ...]:
    return tuple(key.extract_certificate() for key in keys)


def signed(data: bytes, key: Tsk = KEY, mode: SignatureMode = SignatureMode.DETACHED) -> bytes:
    return sign(key.signer(), data, mode=mode)


def test_a_real_release() -> None:
    """It knows HashiCorp's signature under Terraform 1.6.6, and no other data under it."""
    assert is_signed(SUMS, SIGNATURE, keys_in(HASHICORP))
    assert not is_signed(SUMS + b" ", SIGNATURE, keys_in(HASHICORP))
    assert not is_signed(SUMS.replace(b"3", b"4", 1), SIGNATURE, keys_in(HASHICORP))
    assert not is_signed(SUMS, SIGNATURE, keys_in(OPENTOFU))


@pytest.mark.parametrize(
    ("path", "fingerprint"),
    [
        (HASHICORP, "c874011f0ab405110d02105534365d9472d7468f"),
        (OPENTOFU, "e3e6e43d84cb852eadb0051d0c0af313e5fd9f80"),
    ],
)
def test_packaged_keys(path: Path, fingerprint: str) -> None:
    """It has the keys whose fingerprints their owners publish, and no others."""
    assert {cert.fingerprint for cert in keys_in(path)} == {fingerprint}
    assert not any(cert.is_revoked for cert in keys_in(path))


SIGNATURES = {
    "good": (signed(b"data"), True),
    "of other data": (signed(b"date"), False),
    "by another": (signed(b"data", OTHER), False),
    "with the data in it": (signed(b"data", mode=SignatureMode.INLINE), False),
    "empty": (b"", False),
    "no signature": (b"data", False),
    "cut short": (signed(b"data")[:60], False),
    "zeros": (b"\x00" * 1000, False),
}


@pytest.mark.parametrize("case", SIGNATURES)
def test_signatures(case: str) -> None:
    """It takes a detached signature by a key it was given, on this data, and nothing else."""
    signature, good = SIGNATURES[case]
    assert is_signed(b"data", signature, certs(KEY)) is good


def test_one_of_several_keys(tmp_path: Path) -> None:
    """It reads a file of several keys, and one of them is enough."""
    path = tmp_path / "keys.asc"
    path.write_text("".join(str(cert) for cert in certs(KEY, OTHER)))
    assert is_signed(b"data", signed(b"data", OTHER), keys_in(path))


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc"])
def test_no_key(tmp_path: Path, text: str) -> None:
    """It says which file is no key, in one line."""
    path = tmp_path / "key.asc"
    path.write_text(text)
    with pytest.raises(KeyNotReadable, match=r"key\.asc") as caught:
        keys_in(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(KeyNotReadable, match="absent"):
        keys_in(tmp_path / "absent")
