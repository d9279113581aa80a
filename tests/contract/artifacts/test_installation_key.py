"""The installation key: made once, kept private, and the root of all others."""

from __future__ import annotations

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prbot.adapters.installation import derive, load_or_create_key
from prbot.errors import KeyFileDamaged, KeyFileTooOpen


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
