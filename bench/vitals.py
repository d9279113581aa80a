"""What a process weighs while nothing happens, and how long one takes to start."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

CALM = 2.0
"""Seconds that the last work gets to fade away before anybody looks."""
LOOK = 5.0
"""Seconds for which an idle process is watched."""
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Rest:
    """`memory` is resident, in bytes; `cpu` the share of one core, in percent."""

    memory: int
    cpu: float


async def at_rest(pid: int) -> Rest:
    """Watch a process for `LOOK` seconds. Needs /proc, as Linux has it."""
    await asyncio.sleep(CALM)
    before, begun = cpu_seconds(pid), time.perf_counter()
    await asyncio.sleep(LOOK)
    used, elapsed = cpu_seconds(pid) - before, time.perf_counter() - begun
    return Rest(_resident(pid), 100 * used / elapsed)


def _resident(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def peak_from_now() -> int:
    """Forget the peak so far: now it is what is resident (proc_pid_clear_refs(5))."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


def peak_memory() -> int:
    """Bytes. Not `ru_maxrss`, which a child has from its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads (proc_pid_stat(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_of_help() -> float:
    """Seconds of one `prbot --help`, by the installed command when there is one."""
    command = Path(sys.executable).with_name("prbot")
    words = [str(command)] if command.exists() else [sys.executable, "-m", "prbot"]
    return _seconds([*words, "--help"])


def start_of_python() -> float:
    return _seconds([sys.executable, "-c", "pass"])


def _seconds(words: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun
