"""Reads many configuration files in a process of its own: `python -m prbot.adapters.hcl_child`.

So that reading thousands of files holds up nobody, and a file that takes for ever takes
only this process with it. On stdin, for each file, a line with its key and its length in
bytes, then the bytes and a newline. On stdout, for each, a line with its key and what it
says in JSON, as soon as that is known.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import BinaryIO

from prbot.adapters.facts_json import to_json
from prbot.projects.hcl import facts_of


def packed(files: Iterator[tuple[str, bytes]]) -> bytes:
    """What this program reads. A key holds no blanks; its ending is that of the file."""
    return b"".join(f"{key} {len(data)}\n".encode() + data + b"\n" for key, data in files)


def unpacked(output: bytes) -> Iterator[tuple[str, bytes]]:
    """What this program wrote, a last line that is not finished left out."""
    for line in output.split(b"\n")[:-1]:
        key, _, facts = line.partition(b" ")
        yield key.decode(), facts


def main(source: BinaryIO, target: BinaryIO) -> None:
    while head := source.readline():
        key, _, length = head.decode().rpartition(" ")
        data = source.read(int(length))
        source.readline()
        target.write(key.encode() + b" " + to_json(facts_of(key, data)) + b"\n")
        target.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
