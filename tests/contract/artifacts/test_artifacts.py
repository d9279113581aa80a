"""Artifacts: what is put is got, and nothing else is ever taken for it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from prbot.adapters.artifacts import EncryptedFiles
from prbot.errors import WrongInstallationKey
from prbot.ports import Artifacts

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
DATA = b"a plan's secret \x00\xff" * 1000


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "artifacts"


@pytest.fixture(params=["files"])
def artifacts(request: pytest.FixtureRequest, directory: Path) -> Artifacts:
    return EncryptedFiles(directory, KEY)


@pytest.mark.parametrize("data", [b"", b"x", DATA])
async def test_an_artifact_comes_back_as_it_went_in(artifacts: Artifacts, data: bytes) -> None:
    """It gives back the same bytes, none included."""
    await artifacts.put("p-1.tfplan", data)
    assert await artifacts.get("p-1.tfplan") == data


async def test_an_unknown_artifact_is_none(artifacts: Artifacts) -> None:
    """It knows nothing before the first was put, and nothing of other names after."""
    assert await artifacts.get("p-1.json") is None
    await artifacts.put("p-1.tfplan", DATA)
    assert await artifacts.get("p-1.json") is None


async def test_the_last_put_wins(artifacts: Artifacts) -> None:
    """It replaces what had the name, also when several put at once."""
    await artifacts.put("p-1", b"old")
    await asyncio.gather(*(artifacts.put("p-1", b"new") for _ in range(8)))
    assert await artifacts.get("p-1") == b"new"


async def test_dropping_removes_what_is_named(artifacts: Artifacts) -> None:
    """It removes those that are there and does not mind the others."""
    for name in ("a", "b", "c"):
        await artifacts.put(name, DATA)
    await artifacts.drop(["a", "never", "c"])
    await artifacts.drop([])
    assert [await artifacts.get(name) for name in ("a", "b", "c")] == [None, DATA, None]


HOSTILE = ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", ".hidden", "a\x00", "a\n", "é"]


@pytest.mark.parametrize("name", [*HOSTILE, "-x", "a" * 201])
async def test_a_name_leads_nowhere_else(artifacts: Artifacts, name: str, tmp_path: Path) -> None:
    """It refuses every name that is not one plain file name, before touching the disk."""
    for attempt in (artifacts.put(name, DATA), artifacts.get(name), artifacts.drop(["ok", name])):
        with pytest.raises(ValueError, match="not a name"):
            await attempt
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_another_installation_cannot_read(artifacts: Artifacts, directory: Path) -> None:
    """It says so, with the way out, instead of giving nonsense back."""
    await artifacts.put("p-1", DATA)
    with pytest.raises(WrongInstallationKey) as caught:
        await EncryptedFiles(directory, OTHER_KEY).get("p-1")
    assert "installation.key" in caught.value.next_step


def flip(file: Path, at: int) -> None:
    stored = bytearray(file.read_bytes())
    stored[at] ^= 1
    file.write_bytes(stored)


async def test_every_changed_byte_is_noticed(artifacts: Artifacts, directory: Path) -> None:
    """It refuses the file whichever of its bytes was changed, and takes it unchanged."""
    await artifacts.put("p-1", b"plan")
    file = directory / "p-1"
    for at in range(len(file.read_bytes())):
        flip(file, at)
        with pytest.raises(WrongInstallationKey):
            await artifacts.get("p-1")
        flip(file, at)
    assert await artifacts.get("p-1") == b"plan"


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def cut_in_the_nonce(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:10])


def lengthen(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\x00")


def replace_by_plaintext(file: Path) -> None:
    file.write_bytes(DATA)


def swap(file: Path) -> None:
    shutil.copy(file.with_name("p-2"), file)


@pytest.mark.parametrize(
    "tamper", [cut, empty, cut_in_the_nonce, lengthen, replace_by_plaintext, swap]
)
async def test_a_tampered_file_is_noticed(
    artifacts: Artifacts, directory: Path, tamper: Callable[[Path], None]
) -> None:
    """It refuses files that were cut, lengthened, replaced or swapped with another."""
    await artifacts.put("p-1", DATA)
    await artifacts.put("p-2", DATA + b"other")
    await asyncio.to_thread(tamper, directory / "p-1")
    with pytest.raises(WrongInstallationKey):
        await artifacts.get("p-1")
    assert await artifacts.get("p-2") == DATA + b"other"


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_nothing_is_readable_at_rest(artifacts: Artifacts, directory: Path) -> None:
    """It leaves no plaintext, no two equal files, and nothing for other accounts."""
    await artifacts.put("p-1", DATA)
    await artifacts.put("p-2", DATA)
    assert names_in(directory) == ["p-1", "p-2"]
    files = [directory / "p-1", directory / "p-2"]
    first, second = (file.read_bytes() for file in files)
    assert b"secret" not in first
    assert first[7:] != second[7:]
    assert {mode_of(file) for file in files} == {0o600}
    assert mode_of(directory) == 0o700


async def test_a_put_that_fails_leaves_the_old_one(directory: Path) -> None:
    """It keeps the old artifact, and no rubbish, when the new one cannot be put in place."""
    artifacts = EncryptedFiles(directory, KEY)
    await artifacts.put("p-1", b"old")
    (directory / "p-2").mkdir()
    with pytest.raises(IsADirectoryError):
        await artifacts.put("p-2", DATA)
    assert names_in(directory) == ["p-1", "p-2"]
    assert await artifacts.get("p-1") == b"old"
