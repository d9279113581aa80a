"""Paths that are short enough for a socket, whatever directory they stand for."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOCKET_ROOM = 70
"""Longest TMPDIR used as it is: a provider puts a socket there, and 107 bytes are all a
socket's path may have (unix(7))."""


@contextmanager
def short_directory(directory: Path) -> Iterator[Path]:
    """The directory itself, or a short link to it when its path is too long for sockets."""
    if len(str(directory)) <= SOCKET_ROOM:
        yield directory
        return
    holder = Path(tempfile.mkdtemp(prefix="prbot-"))
    link = holder / "t"
    link.symlink_to(directory)
    try:
        yield link
    finally:
        with contextlib.suppress(OSError):
            link.unlink()
            holder.rmdir()
