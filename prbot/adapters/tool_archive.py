"""Takes the one program out of a release's archive.

Nothing else of the archive is written, and its names decide nothing: the program is the
file that is called exactly so at the top, and where it goes is the caller's to say. So a
name that leads elsewhere (`../../bin/sh`), a link or a second file does no harm.
"""

from __future__ import annotations

import gzip
import os
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

MAX_BYTES = 1024 * 1024 * 1024
"""Of a program; the largest release so far has about 100 MiB."""
_PIECE = 1024 * 1024
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError,
    RuntimeError,  # encrypted, or compressed in a way Python does not know
)  # fmt: skip


class NotInArchive(Exception):
    """Why the program cannot be had from the archive, in a few words."""


def take_out(archive: Path, name: str, target: Path, limit: int = MAX_BYTES) -> None:
    """Write the program `name` of a zip or tar.gz file to `target`, which is new, and let it
    be started. Raises NotInArchive, and OSError when it cannot be written."""
    try:
        if archive.suffix == ".zip":
            _of_zip(archive, name, target, limit)
        else:
            _of_tar(archive, name, target, limit)
    except _DAMAGED:
        raise NotInArchive("the archive is damaged") from None
    target.chmod(0o755)


def _of_zip(archive: Path, name: str, target: Path, limit: int) -> None:
    with zipfile.ZipFile(archive) as file:
        found = [each for each in file.infolist() if each.filename == name]
        if len(found) != 1 or (found[0].external_attr >> 16) & 0o170000 not in (0, 0o100000):
            raise NotInArchive(f"it has no file {name} at its top")
        with file.open(found[0]) as program:
            _write(program, target, limit)


def _of_tar(archive: Path, name: str, target: Path, limit: int) -> None:
    with tarfile.open(archive, "r:gz") as file:
        for member in file:
            if member.name.removeprefix("./") == name and member.isreg():
                program = file.extractfile(member)
                if program is not None:
                    _write(program, target, limit)
                    return
    raise NotInArchive(f"it has no file {name} at its top")


def _write(program: IO[bytes], target: Path, limit: int) -> None:
    written = 0
    with target.open("xb") as file:
        while piece := program.read(_PIECE):
            written += len(piece)
            if written > limit:
                raise NotInArchive(f"{target.name} in it is larger than {limit} bytes")
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
