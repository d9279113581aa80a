"""Hears on one connection what NOTIFY tells, and notices when it has gone deaf.

A connection on which nothing is sent may be dead although nobody says so: a router or load
balancer forgot it, or a machine lost power. Then a process would wait for ever while work
waits for it. So who hears nothing for a while calls, and must hear that; all others hear
the call too, so that an installation of any size sends one in that time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import structlog
from procrastinate.manager import get_channel_for_queues

from prbot.adapters.queue_postgres_sql import CHANNEL
from prbot.adapters.store_dialect import ALERT
from prbot.errors.store import StoreUnavailable

log = structlog.get_logger()

RECONNECT = 0.5
"""Seconds between two attempts at a database that does not answer."""
ANSWER = 5.0
"""Seconds in which a call must be heard."""


async def listen(
    url: str,
    silence: float,
    call: Callable[[], Awaitable[None]],
    began: Callable[[], None],
    hear: Callable[[psycopg.Notify], None],
) -> None:
    """Listen for ever. `began` is told at the beginning and after each interruption: what
    was said meanwhile was missed. `call` makes the database say something; after `silence`,
    in seconds. It may raise StoreUnavailable."""
    while True:
        try:
            await _listen_once(url, silence, call, began, hear)
            log.warning("queue is not heard", action="listen", error="silence")
        except (psycopg.Error, StoreUnavailable) as error:
            log.warning("queue is not heard", action="listen", error=str(error))
        await asyncio.sleep(RECONNECT)


async def _listen_once(
    url: str,
    silence: float,
    call: Callable[[], Awaitable[None]],
    began: Callable[[], None],
    hear: Callable[[psycopg.Notify], None],
) -> None:
    """Returns when even a call was not heard."""

    async def heard_within(seconds: float) -> bool:
        heard = False
        async for told in connection.notifies(timeout=seconds):
            hear(told)
            heard = True
        return heard

    async with await psycopg.AsyncConnection.connect(url, autocommit=True, **ALERT) as connection:
        for channel in (CHANNEL, *get_channel_for_queues(None)):
            await connection.execute(f"LISTEN {channel}")
        began()
        while True:
            if await heard_within(silence):
                continue
            await call()
            if not await heard_within(ANSWER):
                return
