"""Artifacts on the local disk: for this account only, and never by halves."""

from __future__ import annotations

from pathlib import Path

import pytest

from prbot.adapters.artifacts import EncryptedFiles

KEY = b"k" * 32


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_nothing_for_other_accounts(directory: Path) -> None:
    """It leaves files and a directory that nobody else may read."""
    await EncryptedFiles(directory, KEY).put("p-1", b"plan")
    assert mode_of(directory / "p-1") == 0o600
    assert mode_of(directory) == 0o700


async def test_a_put_that_fails_leaves_the_old_one(directory: Path) -> None:
    """It keeps the old artifact, and no rubbish, when the new one cannot be put in place."""
    artifacts = EncryptedFiles(directory, KEY)
    await artifacts.put("p-1", b"old")
    (directory / "p-2").mkdir()
    with pytest.raises(IsADirectoryError):
        await artifacts.put("p-2", b"new")
    assert sorted(path.name for path in directory.iterdir()) == ["p-1", "p-2"]
    assert await artifacts.get("p-1") == b"old"
