"""Transactions: all or nothing, whatever dies in between."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from prbot.adapters.store import SqlStore
from prbot.errors.store import StoreUnavailable
from prbot.model import Login
from prbot.ports.store import JournalEntry
from prbot.runs.run import RunState


class Crash(Exception):
    pass


async def add_then_crash(scene: Any) -> None:
    async with scene.store.begin() as tables:
        await tables.runs.add(scene.a_run())
        raise Crash


async def runs_of(store: SqlStore, scene: Any) -> tuple[Any, ...]:
    async with store.begin() as tables:
        return await tables.runs.of_pull(scene.pull)


async def test_a_block_that_raises_leaves_nothing(scene: Any) -> None:
    """It takes back every row of the block, the journal's too, and works on."""
    with pytest.raises(Crash):
        await add_then_crash(scene)
    assert await runs_of(scene.store, scene) == ()
    assert await scene.told() == ()


async def test_a_cancelled_block_leaves_nothing_and_frees_the_store(scene: Any) -> None:
    """It rolls back when its task is cancelled inside the block, and others go on."""
    inside = asyncio.Event()

    async def linger() -> None:
        async with scene.store.begin() as tables:
            await tables.runs.add(scene.a_run())
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(linger())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await runs_of(scene.store, scene) == ()


@pytest.mark.parametrize("turns", range(0, 60, 3))
async def test_a_cancellation_at_any_moment_is_all_or_nothing(scene: Any, turns: int) -> None:
    """It leaves either the whole block or none of it, and a store that works, when the
    cancellation comes after so many turns of the event loop."""
    run = scene.a_run()

    async def add_and_move() -> None:
        async with scene.store.begin() as tables:
            await tables.runs.add(run)
            await tables.runs.move(run.id, RunState.QUEUED, RunState.DONE)

    task = asyncio.create_task(add_and_move())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [run.state for run in await runs_of(scene.store, scene)] in ([], [RunState.DONE])


async def test_a_block_inside_a_block_is_refused(scene: Any) -> None:
    """It says so instead of waiting for itself for ever."""
    async with scene.store.begin():
        with pytest.raises(RuntimeError, match="inside another"):
            await runs_of(scene.store, scene)
    assert await runs_of(scene.store, scene) == ()


async def count_up(store: SqlStore, scene: Any, rounds: int) -> None:
    """Read the journal's length and write it down: lost updates would repeat a number."""
    for _ in range(rounds):
        async with store.begin() as tables:
            length = len(await tables.journal.of_pull(scene.pull))
            await asyncio.sleep(0)
            line = JournalEntry(scene.clock.now(), scene.pull, Login("ann"), "r", str(length))
            await tables.journal.write(line)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_writers_do_not_lose_each_others_work(
    scene: Any, open_store: Callable[[], SqlStore]
) -> None:
    """It serialises blocks of many tasks in two stores on one file."""
    stores = [scene.store, open_store()] * 2
    await asyncio.gather(*(count_up(store, scene, 10) for store in stores))
    assert [action for _, action in await scene.told()] == [str(n) for n in range(40)]


async def test_what_one_store_commits_the_other_sees(
    scene: Any, open_store: Callable[[], SqlStore]
) -> None:
    """It shows committed rows to another store on the file at once."""
    run = scene.a_run()
    async with scene.store.begin() as tables:
        await tables.runs.add(run)
    assert await runs_of(open_store(), scene) == (run,)


DIES_INSIDE_ITS_SECOND_BLOCK = """
import asyncio, sys
from datetime import UTC, datetime
from prbot.adapters.store import SqlStore
from prbot.model import PullRef, RepoRef
from prbot.runs.journal import JournalEntry

class Now:
    def now(self):
        return datetime.now(UTC)

async def main():
    store = SqlStore(sys.argv[1], Now())
    pull = PullRef(RepoRef("gh", "acme/infra"), 7)
    for action in ("committed", "not committed"):
        async with store.begin() as tables:
            await tables.journal.write(JournalEntry(Now().now(), pull, None, "r", action))
            if action == "not committed":
                print("inside", flush=True)
                await asyncio.Event().wait()

asyncio.run(main())
"""


def kill_inside_the_second_block(url: str) -> None:
    code = [sys.executable, "-c", DIES_INSIDE_ITS_SECOND_BLOCK, url]
    with subprocess.Popen(code, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"inside\n"
        child.send_signal(signal.SIGKILL)


def modes(directory: Path) -> set[int]:
    return {file.stat().st_mode & 0o777 for file in directory.glob("prbot.db*")}


async def test_a_killed_process_leaves_what_it_committed(scene: Any, url: str) -> None:
    """It keeps the first block and nothing of the second after kill -9, and the file is
    neither locked nor damaged."""
    await asyncio.to_thread(kill_inside_the_second_block, url)
    assert await scene.told() == (("r", "committed"),)
    if url.startswith("sqlite"):
        async with scene.store.transaction() as db:
            assert (await db.execute(text("PRAGMA integrity_check"))).scalar_one() == "ok"


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_each_connection_is_durable_and_strict(scene: Any) -> None:
    """It runs with WAL, full synchronisation, foreign keys and patience."""
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    async with scene.store.transaction() as db:
        for pragma, value in expected.items():
            assert (await db.execute(text(f"PRAGMA {pragma}"))).scalar_one() == value


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_the_database_is_the_owners_alone(scene: Any, tmp_path: Path) -> None:
    """It keeps plans and payloads from other accounts of the machine."""
    await scene.a_stored_job()
    assert modes(tmp_path) == {0o600}


def unusable_places(directory: Path) -> list[tuple[Path, str]]:
    (directory / "folder.db").mkdir()
    return [
        (directory / "gone" / "prbot.db", "No such file or directory"),
        (directory / "folder.db", "no file that prbot may read and write"),
        (directory / "folder.db" / ("x" * 300), "File name too long"),
    ]


async def test_a_database_that_cannot_be_opened_is_told(clock: Any, tmp_path: Path) -> None:
    """It names the place and the cause, and what to look at."""
    for place, cause in unusable_places(tmp_path):
        store = SqlStore(f"sqlite+aiosqlite:///{place}", clock)
        with pytest.raises(StoreUnavailable, match=f"{place} cannot be used.*{cause}") as caught:
            await store.migrate()
        assert "writable" in caught.value.next_step
        await store.close()


async def test_a_file_that_is_no_database_is_told(clock: Any, tmp_path: Path) -> None:
    """It refuses a foreign file and leaves it as it was."""
    file = tmp_path / "letter.txt"
    file.write_text("Dear database,\n" * 100)
    file.chmod(0o600)
    store = SqlStore(f"sqlite+aiosqlite:///{file}", clock)
    with pytest.raises(StoreUnavailable, match="not a database"):
        await store.migrate()
    await store.close()
    assert file.read_text() == "Dear database,\n" * 100


async def test_the_probe_says_what_it_is(scene: Any, url: str) -> None:
    """It answers in one line with engine, place and revision."""
    line = await scene.store.probe()
    product, place, revision = line.split(", ")
    assert product.split(".")[0].rstrip("0123456789") in ("SQLite ", "PostgreSQL ")
    assert place == url.removeprefix("sqlite+aiosqlite:///")
    assert re.fullmatch(r"revision r\d{4}\w*", revision)
