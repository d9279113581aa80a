"""Artifacts: what is put is got, and nothing else is ever taken for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prbot.adapters.artifacts import EncryptedFiles
from prbot.errors.server import WrongInstallationKey
from prbot.ports.store import Artifacts

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
DATA = b"a plan's secret \x00\xff" * 1000


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
async def test_a_name_leads_nowhere_else(artifacts: Artifacts, name: str, shelf: Any) -> None:
    """It refuses every name that is not one plain file name, before touching anything."""
    for attempt in (artifacts.put(name, DATA), artifacts.get(name), artifacts.drop(["ok", name])):
        with pytest.raises(ValueError, match="not a name"):
            await attempt
    assert shelf.names() == []


async def test_another_installation_cannot_read(artifacts: Artifacts, shelf: Any) -> None:
    """It says so, with the way out, instead of giving nonsense back."""
    await artifacts.put("p-1", DATA)
    with pytest.raises(WrongInstallationKey) as caught:
        await shelf.artifacts(OTHER_KEY).get("p-1")
    assert "installation.key" in caught.value.next_step


def flipped(stored: bytes, at: int) -> bytes:
    return stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]


async def test_every_changed_byte_is_noticed(artifacts: Artifacts, shelf: Any) -> None:
    """It refuses what is stored whichever of its bytes was changed, and takes it unchanged."""
    await artifacts.put("p-1", b"plan")
    stored = shelf.read("p-1")
    for at in range(len(stored)):
        shelf.write("p-1", flipped(stored, at))
        with pytest.raises(WrongInstallationKey):
            await artifacts.get("p-1")
    shelf.write("p-1", stored)
    assert await artifacts.get("p-1") == b"plan"


TAMPERED: dict[str, Callable[[Any], bytes]] = {
    "cut": lambda shelf: shelf.read("p-1")[:-1],
    "empty": lambda shelf: b"",
    "cut in the nonce": lambda shelf: shelf.read("p-1")[:10],
    "lengthened": lambda shelf: shelf.read("p-1") + b"\x00",
    "plaintext": lambda shelf: DATA,
    "another one": lambda shelf: shelf.read("p-2"),
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_tampering_is_noticed(artifacts: Artifacts, shelf: Any, how: str) -> None:
    """It refuses what was cut, lengthened, replaced or swapped with another."""
    await artifacts.put("p-1", DATA)
    await artifacts.put("p-2", DATA + b"other")
    shelf.write("p-1", TAMPERED[how](shelf))
    with pytest.raises(WrongInstallationKey):
        await artifacts.get("p-1")
    assert await artifacts.get("p-2") == DATA + b"other"


async def test_nothing_is_readable_at_rest(artifacts: Artifacts, shelf: Any) -> None:
    """It leaves no plaintext and no two equal artifacts, and nothing beside them."""
    await artifacts.put("p-1", DATA)
    await artifacts.put("p-2", DATA)
    assert shelf.names() == ["p-1", "p-2"]
    first, second = shelf.read("p-1"), shelf.read("p-2")
    assert b"secret" not in first
    assert first[7:] != second[7:]


async def test_either_reads_what_the_other_wrote(
    artifacts: Artifacts, shelf: Any, tmp_path: Path
) -> None:
    """It keeps an artifact as the local disk does, so that one may be copied to the other."""
    await artifacts.put("p-1", DATA)
    (tmp_path / "copied").mkdir()
    (tmp_path / "copied" / "p-1").write_bytes(shelf.read("p-1"))
    assert await EncryptedFiles(tmp_path / "copied", KEY).get("p-1") == DATA
