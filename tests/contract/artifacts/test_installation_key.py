"""The installation key: made once, kept private, and the root of all others."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prbot.adapters.installation import decode_key, derive, fingerprint, load_or_create_key
from prbot.errors.store import KeyFileDamaged, KeyFileTooOpen, KeyUnreadable


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """It makes 32 random bytes for the owner only, and finds the same ones later."""
    path = tmp_path / "installation.key"
    key = load_or_create_key(path)
    assert len(key) == 32
    assert load_or_create_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert load_or_create_key(tmp_path / "another.key") != key


def test_starting_together_ends_with_one_key(tmp_path: Path) -> None:
    """It gives every one of many that start at once the key that stays on disk."""
    path = tmp_path / "installation.key"
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(load_or_create_key, [path] * 64))
    assert keys == {path.read_bytes()}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o777])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """It names the file, its mode and the way out, and does not touch it."""
    path = tmp_path / "installation.key"
    load_or_create_key(path)
    path.chmod(mode)
    with pytest.raises(KeyFileTooOpen, match=f"mode 0{mode:o}") as caught:
        load_or_create_key(path)
    assert f"chmod 600 {path}" in caught.value.next_step
    assert path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_of_the_owner_alone_is_taken(tmp_path: Path, mode: int) -> None:
    """It takes a file its owner may only read, as mounted secrets are."""
    path = tmp_path / "installation.key"
    key = load_or_create_key(path)
    path.chmod(mode)
    assert load_or_create_key(path) == key


@pytest.mark.parametrize("size", [0, 31, 33, 4096])
def test_a_key_of_the_wrong_size_is_refused(tmp_path: Path, size: int) -> None:
    """It never uses, nor replaces, a damaged key: stored plans hang on it."""
    path = tmp_path / "installation.key"
    path.touch(0o600)
    path.write_bytes(b"k" * size)
    with pytest.raises(KeyFileDamaged, match=f"{size} bytes instead of 32"):
        load_or_create_key(path)
    assert path.read_bytes() == b"k" * size


def test_a_key_is_derived_for_each_purpose() -> None:
    """It derives different keys for different purposes and installations, always the same."""
    keys = {derive(key, purpose) for key in (b"a" * 32, b"b" * 32) for purpose in ("x", "y")}
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}


def test_derived_keys_never_change() -> None:
    """It gives the very key that artifacts of an earlier version were encrypted with.

    The expected value is RFC 5869 worked out with HMAC: extract with a zero salt, expand
    the information `prbot/1/artifacts`.
    """
    secret = hmac.digest(bytes(32), b"k" * 32, hashlib.sha256)
    expected = hmac.digest(secret, b"prbot/1/artifacts\x01", hashlib.sha256)
    assert derive(b"k" * 32, "artifacts") == expected


KEY = bytes(range(224, 256))


@pytest.mark.parametrize(
    "written",
    [
        KEY.hex(),
        KEY.hex().upper(),
        base64.b64encode(KEY).decode(),
        base64.urlsafe_b64encode(KEY).decode(),
        f" {base64.b64encode(KEY).decode()}\n",
    ],
)
def test_a_given_key_is_read(written: str) -> None:
    """It takes 32 bytes in base64 of either alphabet, or in hexadecimal."""
    assert decode_key(written, "env://KEY") == KEY


@pytest.mark.parametrize(
    "written",
    ["", "secret", "x" * 64, KEY.hex()[:-2], KEY.hex() + "00", "0" * 63, "é" * 32]
    + [base64.b64encode(key).decode() for key in (KEY[:-1], KEY + b"x", b"")],
)
def test_a_key_that_cannot_be_is_refused(written: str) -> None:
    """It names the reference and how to write a key, and never what stands there."""
    with pytest.raises(KeyUnreadable, match="env://KEY") as caught:
        decode_key(written, "env://KEY")
    assert "openssl rand -base64 32" in caught.value.next_step
    assert not written or written not in str(caught.value) + caught.value.next_step


def test_a_fingerprint_tells_keys_apart() -> None:
    """It is the same for the same key, another for another, and none of its derived keys."""
    marks = {fingerprint(bytes([number]) * 32) for number in range(50)}
    assert len(marks) == 50
    assert fingerprint(KEY) == fingerprint(KEY)
    assert all(re.fullmatch("k-[0-9a-f]{16}", mark) for mark in marks)
    assert fingerprint(KEY)[2:] not in derive(KEY, "marker").hex()
