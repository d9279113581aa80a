"""The pictures in the docs can be made: one page, photographed by the same code."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bench.pictures import BROWSERS, WIDTH, pages, photograph

if TYPE_CHECKING:
    from tests.conftest import Need

CHANNELS = {2: 3, 6: 4}
"""By PNG's colour type: RGB and RGBA."""
WHITE, RED = (255, 255, 255), (0xD1, 0x24, 0x2F)  # the alert, in demo.css


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Of a PNG: https://www.w3.org/TR/png-3/#5Chunk-layout"""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


def _rows(lines: bytes, width: int, channels: int) -> Iterator[bytearray]:
    """The pixels, unfiltered: https://www.w3.org/TR/png-3/#9Filters"""
    size = width * channels
    above = bytearray(size)
    for start in range(0, len(lines), size + 1):
        kind, row = lines[start], bytearray(lines[start + 1 : start + 1 + size])
        for at in range(size):
            left = row[at - channels] if at >= channels else 0
            corner = above[at - channels] if at >= channels else 0
            row[at] = (row[at] + _guess(kind, left, above[at], corner)) % 256
        yield row
        above = row


def _guess(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        near = left + up - corner
        return min((left, up, corner), key=lambda value: abs(near - value))
    return (0, left, up, (left + up) // 2)[kind]


def test_a_comment_is_photographed(need: Need, tmp_path: Path) -> None:
    """It fills the width, is as tall as the comment, and shows colours on white."""
    need("chromium")
    browser = next(found for name in BROWSERS if (found := shutil.which(name)))
    picture = tmp_path / "picture.png"
    photograph(browser, dict(pages(tmp_path))["replace-light"], picture, tmp_path / "profile")
    chunks = list(_chunks(picture.read_bytes()))
    width, height, depth, kind = struct.unpack_from(">IIBB", chunks[0][1])
    assert (width, depth) == (WIDTH, 8)
    assert 300 < height < 1_600
    lines = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    channels = CHANNELS[kind]
    assert len(lines) == (width * channels + 1) * height
    top = islice(_rows(lines, width, channels), 150)
    seen = {tuple(row[at : at + 3]) for row in top for at in range(0, len(row), channels)}
    assert {WHITE, RED} <= seen
    assert len(seen) > 20
