"""The queue for several processes: Procrastinate's tables in PostgreSQL, and NOTIFY.

Procrastinate keeps the jobs: `lock` is the message's key, `queueing_lock` its work, and a
worker with a heartbeat is one adapter, that is one process. Its own worker is not used:
prbot claims when it has room, and its limits and turns are its own
(`queue_postgres_sql.py`).

Every change is told by NOTIFY and heard on one connection, so who waits asks nothing. A
database that restarts is waited for: `claim` for ever, everything else for as long as a
lease, because by then others may have the work.

An adapter whose heartbeat is older than its lease is held for dead and what it had in hand
waits again; each living adapter looks after that three times per lease. After the database
was away all heartbeats are old, so only who has beaten steadily for a lease judges others. By
the database's clock: those of the machines need not agree. `not_before` is by the caller's.

Not promised: that a claim is still held when its worker believes so (a process may have
been suspended). Whoever does the work must prove its right to the result by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import psycopg
import structlog
from procrastinate import PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import ForeignKeyViolation, UniqueViolation
from psycopg.rows import dict_row

from prbot.adapters import queue_postgres_sql as statements
from prbot.adapters.queue_postgres_ear import RECONNECT, listen
from prbot.adapters.queue_waiting import Waiting
from prbot.adapters.store_dialect import ALERT
from prbot.adapters.store_transaction import to_the_end
from prbot.errors.store import StoreUnavailable
from prbot.model import JobId, RunId
from prbot.ports.clock import Clock
from prbot.ports.queue import (
    NO_LIMITS,
    AdvanceRun,
    Claim,
    Limits,
    Message,
    PerformJob,
    Priority,
    Work,
)

log = structlog.get_logger()

QUEUE = "prbot"
PATIENCE = 5.0
"""Seconds that one attempt waits for a connection."""
LONGEST_LOCK = 500
"""Characters. PostgreSQL indexes no text beyond some 2,700 bytes; paths may be longer."""

_NUMBER = {priority: -rank for rank, priority in enumerate(Priority)}
_PRIORITY = {number: priority for priority, number in _NUMBER.items()}


class PostgresQueue:
    """Meets `Queue`. `url` is libpq's, such as `postgresql://prbot@db/prbot`; `lease` is in
    seconds. `sleep` is replaced by tests together with the clock.

    `migrate` must have been called once on this database, then `open`.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        limits: Limits = NO_LIMITS,
        lease: float = 30.0,
    ) -> None:
        self._url = url
        self._clock = clock
        self._limits = limits
        self._lease = lease
        self._waiting = Waiting(sleep)
        self._connector = PsycopgConnector(
            conninfo=url,
            kwargs=ALERT,
            min_size=1,
            max_size=4,
            timeout=PATIENCE,
            configure=_use_schema,
        )
        self._jobs = JobManager(self._connector)
        self._taking = asyncio.Lock()
        self._worker = 0
        self._steady = 0.0
        self._held: set[int] = set()
        self._unsure = False
        self._hearing = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []

    # --- the connection ------------------------------------------------------------------

    async def migrate(self) -> None:
        """Make or update Procrastinate's schema. Raises StoreTooNew, StoreUnavailable."""
        async with self._trouble_told():
            connection = await psycopg.AsyncConnection.connect(self._url)
            async with connection:
                await statements.migrate(connection)

    async def open(self) -> None:
        try:
            async with self._trouble_told():
                await self._connector.open_async()
                self._worker = await self._jobs.register_worker()
        except BaseException:
            await to_the_end(self._connector.close_async())
            raise
        self._loops = [asyncio.create_task(loop) for loop in (self._listen(), self._beat())]
        await self._hearing.wait()

    async def close(self) -> None:
        if not self._loops:
            return
        await self._end_loops()
        try:
            async with self._trouble_told():
                await self._jobs.unregister_worker(self._worker)
                await self._say(statements.GIVE_BACK_LOST, at=None)
        except StoreUnavailable as error:  # then others will miss our heartbeat
            log.warning("queue left without a word", action="close", error=str(error))
        await to_the_end(self._connector.close_async())

    async def _end_loops(self) -> None:
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops.clear()

    # --- the port ------------------------------------------------------------------------

    async def put(self, message: Message) -> None:
        await self._surely(lambda: self._put(message))

    async def claim(self, priorities: frozenset[Priority] = frozenset(Priority)) -> Claim:
        while True:
            try:
                return await self._waiting.claim(lambda: self._take(priorities), self._give_back)
            except StoreUnavailable as error:
                log.warning("queue does not answer", action="claim", error=str(error))
                await asyncio.sleep(RECONNECT)

    async def done(self, claim: Claim) -> None:
        ids = {"id": claim.id, "holder": claim.holder}
        await self._surely(lambda: self._say(statements.END, **ids))
        self._held.discard(claim.id)

    async def again(self, claim: Claim, not_before: datetime) -> None:
        await self._give_back(claim, not_before)

    async def cancel(self, work: Work) -> bool:
        async with self._trouble_told():
            jobs = await self._jobs.list_jobs_async(status="todo", queueing_lock=_name(work))
            ids = [job.id for job in jobs if job.id is not None]
            gone = [await self._jobs.cancel_job_by_id_async(id_, delete_job=True) for id_ in ids]
        return any(gone)

    async def known(self) -> frozenset[Work]:
        rows = await self._say(statements.KNOWN)
        return frozenset(_work(row["task_name"], row["subject"]) for row in rows)

    async def recover(self) -> None:
        async with self._trouble_told():
            dead = await self._jobs.prune_stalled_workers(self._lease)
        if dead:
            log.warning("workers died", action="recover", workers=dead)
        await self._surely(lambda: self._say(statements.GIVE_BACK_LOST, at=None))

    # --- what they do --------------------------------------------------------------------

    async def _put(self, message: Message) -> None:
        job = _job(message)
        forward = {"work": job.queueing_lock, "priority": job.priority, "at": message.not_before}
        while True:
            try:
                async with self._trouble_told():
                    await to_the_end(self._jobs.defer_job_async(job))
                return
            except AlreadyEnqueued:
                if await self._say(statements.BRING_FORWARD, **forward):
                    return  # or its twin was claimed just now, and this one may wait

    async def _take(self, priorities: frozenset[Priority]) -> tuple[Claim | None, float | None]:
        async with self._taking:
            await self._drop_unheard()
            try:
                return await self._take_once(priorities)
            except ForeignKeyViolation:  # we were held for dead, and live
                await self._register_again()
                return await self._take_once(priorities)

    async def _take_once(
        self, priorities: frozenset[Priority]
    ) -> tuple[Claim | None, float | None]:
        now = self._clock.now()
        values = {
            "now": now,
            "among": [_NUMBER[priority] for priority in priorities],
            "limit": self._limits.per_repository,
            "total": self._limits.total,
            "worker": self._worker,
        }
        self._unsure = True
        async with self._cursor() as cursor:
            await cursor.execute(statements.CLAIM_ALONE)
            row = await (await cursor.execute(statements.CLAIM, values)).fetchone()
            if row is None:
                later = await (await cursor.execute(statements.NEXT_READY, values)).fetchone()
            else:
                turn = {"priority": row["priority"], "group": row["args"]["group"]}
                await cursor.execute(statements.TAKE_TURN, turn)
                await cursor.execute(statements.FORGET_TURN, turn)
        self._unsure = False
        if row is None:
            ready = later["ready"] if later else None
            return None, (ready - now).total_seconds() if ready else None
        self._held.add(row["id"])
        return Claim(row["id"], _message(row), self._worker), None

    async def _drop_unheard(self) -> None:
        """After a lost answer nobody knows whether it was a claim."""
        if self._unsure:
            ours = {"worker": self._worker, "held": list(self._held), "at": None}
            await self._say(statements.GIVE_BACK_UNHEARD, **ours)
            self._unsure = False

    async def _give_back(self, claim: Claim, not_before: datetime | None) -> None:
        values = {"id": claim.id, "holder": claim.holder, "at": not_before}
        await self._surely(lambda: self._say(statements.GIVE_BACK, **values))
        self._held.discard(claim.id)

    # --- the loops -----------------------------------------------------------------------

    async def _listen(self) -> None:
        """Wake those who wait, at every change; and after each silence, for what was missed."""

        def began() -> None:
            self._hearing.set()
            self._waiting.wake()

        await listen(self._url, self._lease, self._call, began, self._hear)

    async def _call(self) -> None:
        await self._say(statements.CALL)

    def _hear(self, _told: psycopg.Notify) -> None:
        self._waiting.wake()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            try:
                await self._beat_once()
            except StoreUnavailable as error:
                log.warning("no heartbeat", action="beat", error=str(error))

    async def _beat_once(self) -> None:
        """Show that we live; look after the dead, if the living had the time to show it too."""
        beaten = await self._say(statements.HEARTBEAT, worker=self._worker)
        if not beaten:
            await self._register_again()
            return
        since = beaten[0]["since"]
        self._steady = self._steady + since if since < 2 / 3 * self._lease else 0.0
        if self._steady >= self._lease:
            await self.recover()

    async def _register_again(self) -> None:
        self._steady = 0.0
        log.warning("held for dead", action="beat", worker=self._worker)
        async with self._trouble_told():
            self._worker = await self._jobs.register_worker()

    # --- the database --------------------------------------------------------------------

    async def _say(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """The rows of one statement in a transaction of its own."""
        return await to_the_end(self._say_at_once(statement, values))

    async def _say_at_once(self, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        while True:
            try:
                async with self._cursor() as cursor:
                    return await (await cursor.execute(statement, values)).fetchall()
            except UniqueViolation:
                continue  # the same work was put while this was given back: look again

    async def _surely(self, act: Callable[[], Awaitable[Any]]) -> None:
        """Doing it twice does no harm; so it is tried until the lease would have ended."""
        until = asyncio.get_running_loop().time() + self._lease
        while True:
            try:
                await act()
                return
            except StoreUnavailable:
                if asyncio.get_running_loop().time() > until:
                    raise
            await asyncio.sleep(RECONNECT)

    @asynccontextmanager
    async def _cursor(self) -> AsyncIterator[psycopg.AsyncCursor[dict[str, Any]]]:
        """A transaction; its rows go by name."""
        async with (
            self._trouble_told(),
            self._connector.pool.connection() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            yield cursor

    @asynccontextmanager
    async def _trouble_told(self) -> AsyncIterator[None]:
        try:
            yield
        except (UniqueViolation, ForeignKeyViolation, AlreadyEnqueued):
            raise
        except (psycopg.Error, ConnectorException) as error:
            place = conninfo_to_dict(self._url)
            where = f"{place.get('host', 'localhost')}/{place.get('dbname', '')}"
            cause = error.__cause__ if isinstance(error, ConnectorException) else error
            raise StoreUnavailable(where, str(cause or error)) from error


async def _use_schema(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.execute(statements.USE_SCHEMA)
    await connection.commit()


def _name(work: Work) -> str:
    return f"{_kind(work)} {_subject(work)}"


def _kind(work: Work) -> str:
    return "advance" if isinstance(work, AdvanceRun) else "perform"


def _subject(work: Work) -> str:
    return work.run_id if isinstance(work, AdvanceRun) else work.job_id


def _job(message: Message) -> Job:
    key = message.key
    if len(key) > LONGEST_LOCK:
        key = hashlib.sha256(key.encode()).hexdigest()
    args: dict[str, Any] = {
        "subject": _subject(message.work),
        "key": message.key,
        "repo": message.repo,
        "group": message.group,
    }
    return Job(
        queue=QUEUE,
        lock=key,
        queueing_lock=_name(message.work),
        task_name=_kind(message.work),
        task_kwargs=args,
        priority=_NUMBER[message.priority],
        scheduled_at=message.not_before,
    )


def _work(kind: str, subject: str) -> Work:
    return AdvanceRun(RunId(subject)) if kind == "advance" else PerformJob(JobId(subject))


def _message(row: dict[str, Any]) -> Message:
    args = row["args"]
    work = _work(row["task_name"], args["subject"])
    priority = _PRIORITY[row["priority"]]
    return Message(work, args["key"], priority, row["scheduled_at"], args["repo"], args["group"])
