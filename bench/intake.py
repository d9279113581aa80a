"""`python -m bench.intake`: how many webhooks prbot takes, how soon work starts, what idling costs.

Signed webhooks are posted to `prbot serve` over connections that stay open, each answered
202 after it was committed (SQLite, `synchronous=FULL`), and in turn to a bare aiohttp
handler that only reads the body. In the end `prbot serve` is killed in the middle of it
(kill -9), and every delivery it had answered with 202 is looked for in its database.

Exits 0 when everything was measured and nothing was lost, 1 otherwise. No time is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from bench import cases, door, vitals, wakeups
from bench.cases import DIRECTORY
from bench.door import CORES, LINES, Pair
from bench.machine import machine, tell
from bench.poster import Letter, Tally, post
from bench.table import Row, markdown
from bench.town import Town, town
from prbot.adapters.terraform_setup import tool_environment

MILLISECONDS = 1000.0
PATIENCE = 600.0
"""Seconds prbot has to digest what it took."""
BACKLOG = 1000
"""Events that wait when the digesting is measured."""


def main() -> int:
    arguments = _arguments()
    if why := _lacking():
        print(f"nothing was measured: {why}")
        return 1
    before = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        rows, lost = asyncio.run(_measured(Path(name), arguments))
    print(f"{before}; load {os.getloadavg()[0]:.1f} at the end")
    print("client and server each on a core of their own" if len(CORES) > 1 else "on one core")
    print()
    print(markdown(rows))
    return 1 if lost else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.intake", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rounds", type=int, default=3, help="of posting (default 3)")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round (default 4)")
    parser.add_argument("--plans", type=int, default=15, help="that are started (default 15)")
    return parser.parse_args()


def _lacking() -> str:
    """What this machine lacks; empty when all can be measured."""
    if not shutil.which("terraform"):
        return "terraform is not on PATH"
    if not Path("/proc/self/statm").exists():
        return "it needs /proc, as Linux has it"
    return ""


async def _measured(directory: Path, arguments: argparse.Namespace) -> tuple[list[Row], int]:
    """The rows, and how many deliveries were lost."""
    environment = tool_environment(os.environ, (), frozenset())
    tell("waking those who wait for the queues")
    woken = {"SQLite": await wakeups.sqlite(directory), "PostgreSQL": await wakeups.postgres()}
    async with town(directory, environment, None) as place:
        waits = await _plans(place, arguments.plans)
        letter = await door.letter(place)
        found = await door.rounds(place, letter, arguments.rounds, arguments.seconds)
        await _caught_up(place)
        digested = await _digested(place, letter)
        tell("watching prbot serve while nothing happens")
        rest = await vitals.at_rest(place.prbot.process.pid)
        accepted, lost = await _killed(place, letter, arguments.seconds)
    rows = [
        *_door_rows(f"{LINES} connections", found.crowded),
        *_door_rows("1 connection", found.alone),
        Row("webhook's body", [len(letter.body)], "bytes"),
        Row("events digested, nobody at the door", digested, "/s"),
        Row("enqueue to start", waits, "ms", 1, "under 50"),
        *_woken_rows(woken),
        Row("idle CPU", [rest.cpu], "% of a core", 2, "under 1"),
        Row("answered 202 before the kill -9", [accepted], "webhooks"),
        Row("... of these lost", [lost], "webhooks", 0, "0"),
    ]
    return rows, lost


# --- the door --------------------------------------------------------------------------------


def _door_rows(who: str, pairs: Sequence[Pair]) -> list[Row]:
    aim = "at least 1,000" if who.startswith(str(LINES)) else ""
    rows = [
        Row(f"{who}: accepted and stored", [p.prbot.rate for p in pairs], "/s", 0, aim),
        Row(f"{who}: bare handler", [p.bare.rate for p in pairs], "/s"),
        Row(f"{who}: prbot / bare", [p.ratio for p in pairs], "ratio", 2),
    ]
    for name, tallies in (
        ("accepted and stored", [p.prbot for p in pairs]),
        ("bare handler", [p.bare for p in pairs]),
    ):
        rows += [_share_row(f"{who}: {name}", percent, tallies) for percent in (50, 99)]
        each = [MILLISECONDS * tally.cpu_each for tally in tallies]
        rows.append(Row(f"{who}: {name}, CPU of each", each, "ms", 2))
    return rows


def _share_row(what: str, percent: int, tallies: Iterable[Tally]) -> Row:
    times = [MILLISECONDS * tally.share(percent) for tally in tallies]
    return Row(f"{what}, p{percent}", times, "ms", 1)


async def _caught_up(place: Town) -> None:
    """Wait until everything taken is digested."""
    begun = time.perf_counter()
    while left := await _asked(place, _undigested):
        await asyncio.sleep(0.02)
        if time.perf_counter() - begun > PATIENCE:
            raise RuntimeError(f"{left} events are still not digested")


async def _digested(place: Town, letter: Letter, times: int = 3) -> list[float]:
    """Events per second that are worked off when `BACKLOG` of them wait."""
    rates = []
    for number in range(times):
        tell(f"digesting: {number}/{times}")
        await _asked(place, partial(_put_backlog, letter, number))
        begun = time.perf_counter()
        await post(letter, f"bell-{number}", 1, 0)  # prbot looks when one comes by the door
        await _caught_up(place)
        rates.append(BACKLOG / (time.perf_counter() - begun))
    return rates


async def _killed(place: Town, letter: Letter, seconds: float) -> tuple[int, int]:
    """How many were answered with 202 until the kill, and how many of those are not stored."""
    tell("posting, and kill -9 in the middle of it")
    tally = await post(letter, "killed", LINES, seconds, place.prbot.process.kill)
    await place.prbot.process.wait()
    stored = await _asked(place, _stored)
    return len(tally.accepted), len(set(tally.accepted) - stored)


def _woken_rows(woken: Mapping[str, Sequence[float]]) -> list[Row]:
    return [
        Row(f"queue on {name}: put to claimed", [MILLISECONDS * wait for wait in waits], "ms", 1)
        for name, waits in woken.items()
        if waits
    ]


# --- the work behind it ------------------------------------------------------------------------


async def _plans(place: Town, times: int) -> list[float]:
    """Milliseconds from the journal's line that a job was made to the one that it began.

    The first is written before the job is put into the queue.
    """
    case = cases.terraform_data()
    state = str(place.directory / "states" / "intake.tfstate")
    module = case.module(state, "round-0")
    street = await place.open(case, {f"{DIRECTORY}/main.tf": module})
    for number in range(1, times + 2):
        tell(f"plans: {number - 1}/{times}")
        await street.change(case.module(state, f"round-{number}"), f"round-{number}")
    return (await _asked(place, _waits))[1:]


# --- what the database says --------------------------------------------------------------------


Answer = TypeVar("Answer")


async def _asked(place: Town, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
    def ask() -> Answer:
        with closing(sqlite3.connect(place.prbot.state / "prbot.sqlite3")) as database:
            return question(database)

    return await asyncio.to_thread(ask)


def _put_backlog(letter: Letter, number: int, database: sqlite3.Connection) -> None:
    columns = "INSERT INTO deliveries (forge, id, event, body, received_at)"
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    names = [f"backlog-{number}-{each}" for each in range(BACKLOG)]
    rows = [("forge", name, letter.event, letter.body, now) for name in names]
    with database:
        database.executemany(f"{columns} VALUES (?, ?, ?, ?, ?)", rows)


def _undigested(database: sqlite3.Connection) -> int:
    count = "SELECT count(*) FROM deliveries WHERE digested_at IS NULL"
    return int(database.execute(count).fetchone()[0])


def _stored(database: sqlite3.Connection) -> set[str]:
    return {name for (name,) in database.execute("SELECT id FROM deliveries")}


def _waits(database: sqlite3.Connection) -> list[float]:
    made: dict[str, datetime] = {}
    waits = []
    lines = "SELECT subject, action, at FROM journal WHERE action LIKE 'plan job %' ORDER BY seq"
    for job, action, at in database.execute(lines):
        if action == "plan job queued":
            made[job] = datetime.fromisoformat(at)
        elif action == "plan job queued->running":
            waited = datetime.fromisoformat(at) - made[job]
            waits.append(MILLISECONDS * waited.total_seconds())
    return waits


if __name__ == "__main__":
    sys.exit(main())
