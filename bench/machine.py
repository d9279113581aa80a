"""What was measured on, in one line, and word of how far it is."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys

from prbot import __version__


def machine() -> str:
    said = [
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.system()}",
        f"Python {platform.python_version()}",
        f"prbot {__version__}",
        _first_line("git", "version"),
        _first_line("terraform", "version"),
    ]
    return ", ".join(said)


def _first_line(*words: str) -> str:
    if not shutil.which(words[0]):
        return f"{words[0]}: none"
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return (done.stdout.splitlines() or [f"{words[0]}: none"])[0]


def tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
