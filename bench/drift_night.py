"""`python -m bench.drift_night`: the first night of 1,500 projects, with issues on, to its end.

Real are the engine, the database, git, the mirror and the forge's adapter with the demo forge
behind it; what the tool answers is recorded, and put in place of what each check's job leaves.
The clock is in the hand. Each size is a process of its own. What is counted is the time that
prbot has of a processor to keep what ended, to tell it and to begin what comes next.

Exits 0 when every project was checked, 1 otherwise. No time is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.machine import machine, tell
from bench.table import Row, markdown
from bench.vitals import MEGABYTE, peak_from_now, peak_memory

SHARED = Path(__file__).parents[1] / "tests" / "shared"
YARDSTICK = 150
"""Projects of the night that the other is compared with."""
SOME = 100
"""Checks at each end of the night that are compared."""
SECOND = timedelta(seconds=1)
CLEAN, DRIFTED = "00", "02"
"""Plans among the recorded ones."""


@dataclass
class Night:
    """`each` is the time of a processor, in seconds, that one check took, in the order they
    ended; `writing` that of all letters. `memory` is in bytes, on top of what was there before."""

    each: list[float] = field(default_factory=list)
    writing: float = 0
    seconds: float = 0
    issues: int = 0
    calls: int = 0
    memory: int = 0

    @property
    def mean(self) -> float:
        return statistics.fmean(self.each)

    @property
    def first(self) -> float:
        return statistics.fmean(self.each[:SOME])

    @property
    def last(self) -> float:
        return statistics.fmean(self.each[-SOME:])


def main() -> int:
    asked = _arguments()
    if asked.one:
        print(json.dumps(asdict(asyncio.run(_measured(asked)))))
        return 0
    if asked.postgres and not shutil.which("postgres"):
        print("nothing was measured: postgres is not on PATH")
        return 1
    before = machine()
    small, large = (_night(asked, number) for number in (YARDSTICK, asked.projects))
    print(before)
    print(f"{asked.drifted} drifted, {asked.parallel} at once, {_database(asked)}")
    print()
    print(markdown(_rows(small, large)))
    return 0 if len(large.each) == asked.projects else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.drift_night", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--projects", type=int, default=1500, help="of the night (default 1500)")
    parser.add_argument("--drifted", type=int, default=30, help="of these (default 30)")
    parser.add_argument("--parallel", type=int, default=10, help="checks at once (default 10)")
    parser.add_argument("--postgres", action="store_true", help="in place of SQLite")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _database(asked: argparse.Namespace) -> str:
    return "PostgreSQL" if asked.postgres else "SQLite"


def _night(asked: argparse.Namespace, projects: int) -> Night:
    """Played in a process of its own, so that its memory is its own as well."""
    tell(f"a night of {projects} projects")
    numbers = {"projects": projects, "drifted": asked.drifted, "parallel": asked.parallel}
    words = [f"--{name}={number}" for name, number in numbers.items()]
    words += ["--postgres"] if asked.postgres else []
    command = [sys.executable, "-m", "bench.drift_night", "--one", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return Night(**json.loads(done.stdout.splitlines()[-1]))


def _rows(small: Night, large: Night) -> list[Row]:
    night, other = f"{len(large.each):,} projects", f"{len(small.each):,} projects"
    return [
        Row(f"{night}: checks ended", [len(large.each)], ""),
        Row(f"{night}: issues made", [large.issues], ""),
        Row(f"{night}: calls of the forge", [large.calls], ""),
        Row(f"{night}: the whole night", [large.seconds], "s"),
        Row(f"{night}: CPU of each check", _milliseconds(large.mean), "ms", 1),
        Row(f"... of the first {SOME}", _milliseconds(large.first), "ms", 1),
        Row(f"... of the last {SOME}", _milliseconds(large.last), "ms", 1),
        Row("... last / first", [large.last / large.first], "x", 2, "< 1.5 x"),
        Row(f"{night}: CPU of all letters", [large.writing], "s", 1),
        Row(f"{night}: memory on top", [large.memory / MEGABYTE], "MB"),
        Row(f"{other}: CPU of each check", _milliseconds(small.mean), "ms", 1),
        Row(f"{other}: memory on top", [small.memory / MEGABYTE], "MB"),
        Row(f"{night} / {other}: CPU of each", [large.mean / small.mean], "x", 2, "< 1.5 x"),
    ]


def _milliseconds(seconds: float) -> Sequence[float]:
    return [1000 * seconds]


# --- in the child -----------------------------------------------------------------------------


async def _measured(asked: argparse.Namespace) -> Night:
    sys.path.insert(0, str(SHARED))
    import pytest
    from looks import played
    from town import BOT

    server = {}
    row = {
        "projects": asked.projects,
        "drift": {"issues": True},
        "parallel": asked.parallel,
        "server": server,
    }
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        pytest.MonkeyPatch.context() as patch,
        _postgres(asked.postgres) as url,
    ):
        server |= {"database": url} if url else {}
        async with played(row, "github", Path(name), patch) as case:
            case.tool.answers = _answers(asked, case.tool.heads)
            night = await _played(case)
            night.issues = len(case.issues())
            limits = case.town.forge.api.limits
            night.calls = limits.of(BOT, case.town.forge.now()).used
            return night


@contextmanager
def _postgres(wanted: bool) -> Iterator[str]:
    """Where a database is, or nothing."""
    if not wanted:
        yield ""
        return
    from postgres import running_postgres

    with running_postgres() as server, server.database() as url:
        yield url


def _answers(asked: argparse.Namespace, projects: Mapping[str, str]) -> dict[str, str]:
    """Those that drifted lie all over the night."""
    every = max(1, asked.projects // max(1, asked.drifted))
    drifted = list(projects)[::every][: asked.drifted]
    return {"rest": CLEAN, **dict.fromkeys(drifted, DRIFTED)}


async def _played(case: Any) -> Night:
    night, going = Night(), 0
    begun, memory = time.perf_counter(), peak_from_now()
    while True:
        used = time.process_time()
        begins = await case.replica.drift.sweep()
        if going:
            night.each += [(time.process_time() - used) / going] * going
        used = time.process_time()
        await case.replica.write()
        night.writing += time.process_time() - used
        if (going := begins) == 0:
            break
        await case.replica.work(case.tool)
        case.clock.time += SECOND
        if len(night.each) % 100 < going:
            tell(f"{len(night.each)} checks, load {os.getloadavg()[0]:.1f}")
    night.seconds, night.memory = time.perf_counter() - begun, peak_memory() - memory
    return night


if __name__ == "__main__":
    sys.exit(main())
