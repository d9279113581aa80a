"""Several processes on one queue in PostgreSQL, and a database that comes and goes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from postgres import PostgresServer

from prbot.adapters.queue_postgres import PostgresQueue
from prbot.errors.store import StoreTooNew, StoreUnavailable
from prbot.model import JobId
from prbot.ports.queue import Limits, Message, PerformJob, Priority

Open = Callable[..., Awaitable[PostgresQueue]]


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def job(name: str, **options: Any) -> Message:
    values = {"key": name, "priority": Priority.PLAN, "group": "pull"} | options
    return Message(PerformJob(JobId(name)), **values)


@pytest.fixture
def url(postgres_server: PostgresServer, queue_schema: str) -> Any:
    with postgres_server.database(like=queue_schema) as url:
        yield url


@pytest.fixture
async def open_queue(url: str) -> AsyncIterator[Open]:
    """Opens one more adapter, as another process would have it."""
    async with AsyncExitStack() as stack:

        async def another(**options: Any) -> PostgresQueue:
            queue = PostgresQueue(url, WallClock(), **options)
            await queue.open()
            stack.push_async_callback(queue.close)
            return queue

        yield another


async def test_a_put_wakes_another_process(open_queue: Open) -> None:
    """It hands work to whoever waits, wherever it was put."""
    ours, theirs = await open_queue(), await open_queue()
    waiting = asyncio.create_task(theirs.claim())
    await ours.put(job("a"))
    assert (await asyncio.wait_for(waiting, 10)).message == job("a")


async def test_what_is_done_frees_key_and_place_for_others(open_queue: Open) -> None:
    """It wakes another process when a key, or a repository's place, is free."""
    limits = Limits(per_repository=1)
    ours, theirs = await open_queue(limits=limits), await open_queue(limits=limits)
    await ours.put(job("a", key="k", repo="x"))
    claim = await ours.claim()
    await ours.put(job("b", key="k", repo="y"))
    await ours.put(job("c", repo="x"))
    waiting = [asyncio.create_task(theirs.claim()) for _ in range(2)]
    await ours.done(claim)
    claims = await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert {claim.message.work.job_id for claim in claims} == {"b", "c"}


async def test_two_processes_do_everything_once(open_queue: Open) -> None:
    """It never hands out a message twice, two of a key at a time, or more of a repository
    than its limit."""
    queues = [await open_queue(limits=Limits(per_repository=2)) for _ in range(2)]
    messages = [job(str(n), key=f"k{n % 7}", repo=f"r{n % 2}") for n in range(60)]
    in_hand: list[Message] = []
    seen: list[Message] = []
    finished = asyncio.Event()

    async def work(queue: PostgresQueue) -> None:
        while True:
            claim = await queue.claim()
            message = claim.message
            assert message.key not in {other.key for other in in_hand}
            assert [other.repo for other in in_hand].count(message.repo) < 2
            in_hand.append(message)
            await asyncio.sleep(0)
            in_hand.remove(message)
            seen.append(message)
            await queue.done(claim)
            if len(seen) == len(messages):
                finished.set()

    workers = [asyncio.create_task(work(queue)) for queue in queues for _ in range(3)]
    for message in messages:
        await queues[0].put(message)
    ends = [asyncio.create_task(finished.wait()), *workers]
    await asyncio.wait(ends, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    for end in ends:
        end.cancel()
    await asyncio.gather(*ends, return_exceptions=True)
    assert sorted(seen, key=str) == sorted(messages, key=str)


async def test_a_silent_worker_loses_its_claim(open_queue: Open, url: str) -> None:
    """It hands the work of a worker whose heart stopped to one that lives, by itself; a
    live one keeps its own for longer than a lease."""
    lease = 1.0
    dead, live = await open_queue(lease=lease), await open_queue(lease=lease)
    await live.put(job("kept"))
    kept = await live.claim()
    await live.put(job("lost"))
    lost = await dead.claim()
    await dead._end_loops()
    again = await asyncio.wait_for(live.claim(), 30)
    assert again.message == lost.message
    await dead.done(lost)
    await live.done(kept)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        rows = await connection.execute(
            "SELECT queueing_lock, status::text FROM prbot_queue.procrastinate_jobs"
        )
        assert await rows.fetchall() == [("perform lost", "doing")]


async def test_nobody_is_dead_because_the_database_was_away(open_queue: Open, url: str) -> None:
    """It leaves the living their claims, and their keys, when all hearts could not be heard
    for longer than a lease; one that stays silent from then on is dead a lease later."""
    lease = 30.0
    ours, theirs = await open_queue(lease=lease), await open_queue(lease=lease)

    async def pass_(seconds: float) -> None:
        """As if all that was written had been written so much earlier."""
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await connection.execute(
                "UPDATE prbot_queue.procrastinate_workers"
                " SET last_heartbeat = last_heartbeat - make_interval(secs => %s)",
                (seconds,),
            )

    await theirs.put(job("a", key="k"))
    claim = await theirs.claim()
    for _ in range(6):
        await pass_(lease / 3)
        await theirs._beat_once()
        await ours._beat_once()
    await pass_(4 * lease)
    late = await open_queue(lease=lease)
    for queue in (ours, late, theirs):
        await queue._beat_once()
    await ours.put(job("b", key="k"))
    await ours.put(job("c"))
    assert (await ours.claim()).message == job("c")
    await theirs.done(claim)
    claim = await theirs.claim()
    assert claim.message == job("b", key="k")
    for _ in range(5):
        await pass_(lease / 3)
        await ours._beat_once()
    assert (await asyncio.wait_for(ours.claim(), 10)).message == claim.message


async def test_who_was_held_for_dead_works_on(open_queue: Open, url: str) -> None:
    """It registers again when it finds itself struck off."""
    queue = await open_queue()
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("DELETE FROM prbot_queue.procrastinate_workers")
    await queue.put(job("a"))
    assert (await asyncio.wait_for(queue.claim(), 10)).message == job("a")


class Router:
    """Stands between a queue and its database, and may forget who only listens."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listening: list[asyncio.StreamWriter] = []
        self._forgotten: set[asyncio.StreamWriter] = set()

    def forget(self) -> None:
        """From now on nothing reaches those who listen, and nobody is told."""
        assert self._listening
        self._forgotten.update(self._listening)

    async def __call__(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        answers, server = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._ask(reader, server, client))
                both.create_task(self._answer(answers, client))
        finally:
            server.close()
            client.close()

    async def _ask(self, reader: Any, server: Any, client: asyncio.StreamWriter) -> None:
        while said := await reader.read(65_536):
            if b"LISTEN prbot_queue" in said:
                self._listening.append(client)
            server.write(said)
        server.write_eof()

    async def _answer(self, answers: Any, client: asyncio.StreamWriter) -> None:
        while said := await answers.read(65_536):
            if client not in self._forgotten:
                client.write(said)


async def test_a_connection_that_went_deaf_is_noticed(
    url: str, postgres_server: PostgresServer
) -> None:
    """It hears again soon after something between it and the database forgot the connection
    on which it listens, and claims what was put meanwhile."""
    router = Router(postgres_server.port)
    server = await asyncio.start_server(router, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    asleep = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    through = url.replace(str(postgres_server.port), str(port))
    queue = PostgresQueue(through, WallClock(), sleep, lease=1.0)
    await queue.open()
    router.forget()
    await queue.put(job("far", not_before=datetime(9000, 1, 1, tzinfo=UTC)))
    waiting = asyncio.create_task(queue.claim())
    await asyncio.wait_for(asleep.wait(), 10)
    await queue.put(job("a"))
    assert (await asyncio.wait_for(waiting, 30)).message == job("a")
    await queue.close()
    server.close()
    await server.wait_closed()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has it")
async def test_a_vanished_database_is_given_up_soon(open_queue: Open, url: str) -> None:
    """It does not wait as long as the system would for a machine that went without a word."""
    queue = await open_queue()
    async with queue._cursor() as cursor:
        with socket.socket(fileno=os.dup(cursor.connection.fileno())) as wire:
            assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            options = ("TCP_KEEPIDLE", "TCP_USER_TIMEOUT")
            soon = [wire.getsockopt(socket.IPPROTO_TCP, getattr(socket, o)) for o in options]
    assert soon == [15, 15_000]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_a_database_that_restarts_is_waited_for(
    open_queue: Open, postgres_server: PostgresServer, how: signal.Signals
) -> None:
    """It claims, ends and puts as before, and hears again, once the database is back."""
    queue = await open_queue()
    await queue.put(job("a"))
    claim = await queue.claim()
    waiting = asyncio.create_task(queue.claim())
    postgres_server.stop(how)
    ending = asyncio.create_task(queue.done(claim))
    putting = asyncio.create_task(queue.put(job("b")))
    await asyncio.to_thread(postgres_server.start)
    await asyncio.wait_for(asyncio.gather(ending, putting), 30)
    assert (await asyncio.wait_for(waiting, 30)).message == job("b")


async def test_idle_workers_ask_nothing(
    open_queue: Open, postgres_server: PostgresServer, url: str
) -> None:
    """It says nothing to the database while nothing happens."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(
            f"ALTER DATABASE {url.rpartition('/')[2]} SET log_statement = 'all'"
        )
    naps = asyncio.Semaphore(0)

    async def sleep(_seconds: float) -> None:
        naps.release()
        await asyncio.Event().wait()

    queue = await open_queue(sleep=sleep)
    await queue.put(job("far", not_before=datetime(9000, 1, 1, tzinfo=UTC)))
    idle = [asyncio.create_task(queue.claim()) for _ in range(4)]
    for _ in idle:
        await asyncio.wait_for(naps.acquire(), 10)
    await asyncio.wait(idle, timeout=1)  # the last news of the put come in
    before = len(postgres_server.statements)
    await asyncio.wait(idle, timeout=2)  # a poll would come within this time
    assert postgres_server.statements[before:] == []
    assert before > 0
    for task in idle:
        task.cancel()
    await asyncio.gather(*idle, return_exceptions=True)


async def test_a_long_key_is_a_key(open_queue: Open) -> None:
    """It serialises keys that no index would hold, and gives them back whole."""
    queue = await open_queue()
    key = "project " + "d/" * 4000
    await queue.put(job("a", key=key))
    await queue.put(job("b", key=key))
    await queue.put(job("c"))
    first = await queue.claim()
    assert first.message == job("a", key=key)
    assert (await queue.claim()).message == job("c")
    await queue.done(first)
    assert (await queue.claim()).message == job("b", key=key)


async def test_migrating_is_once(postgres: str) -> None:
    """It makes the schema once when several start together, and again changes nothing."""
    queues = [PostgresQueue(postgres, WallClock()) for _ in range(3)]
    await asyncio.gather(*(queue.migrate() for queue in queues))
    await queues[0].open()
    await queues[0].put(job("a"))
    await queues[1].migrate()
    assert (await queues[0].claim()).message == job("a")
    await queues[0].close()


async def test_a_newer_schema_is_refused(postgres: str) -> None:
    """It does not work on tables that a later Procrastinate has changed."""
    queue = PostgresQueue(postgres, WallClock())
    await queue.migrate()
    async with await psycopg.AsyncConnection.connect(postgres) as connection:
        await connection.execute("INSERT INTO prbot_queue.applied VALUES ('99.00.00_01_pre.sql')")
    with pytest.raises(StoreTooNew, match=r"99\.00\.00_01_pre"):
        await queue.migrate()


async def test_a_database_that_is_not_there_is_named() -> None:
    """It says which, without the password."""
    queue = PostgresQueue("postgresql://prbot:hush-hush@127.0.0.1:1/prbot", WallClock())
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1/prbot") as caught:
        await queue.migrate()
    assert "hush-hush" not in str(caught.value)
