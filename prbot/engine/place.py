"""Where tools of this process run: one state directory on one machine.

Whether a tool still runs can only be seen where it was started. Host names are not
enough to tell that: two machines may carry the same one.
"""

from __future__ import annotations

import platform
import secrets
from dataclasses import dataclass
from pathlib import Path

NAME = ".place"


@dataclass(frozen=True)
class Place:
    """`id` is drawn once for a directory; `host` is for people."""

    id: str
    host: str


def place_of(jobs_dir: Path) -> Place:
    """The place whose jobs have their directories in `jobs_dir`."""
    return Place(_drawn_once(jobs_dir / NAME), platform.node())


def _drawn_once(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f"{NAME}-{secrets.token_hex(8)}")
    try:
        return path.read_text()
    except FileNotFoundError:
        pass
    new.write_text(secrets.token_hex(16))
    try:
        path.hardlink_to(new)  # fails when somebody else was first
    except FileExistsError:
        pass
    finally:
        new.unlink()
    return path.read_text()
