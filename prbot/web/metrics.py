"""`GET /metrics`: how drift stands, counted anew in the database for each scrape.

So every replica tells the same, also after a restart. There is no page without a token, because
webhooks come in by the same door, and what runs where is nobody's business.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from prbot.errors.store import StoreUnavailable
from prbot.ports.clock import Clock
from prbot.ports.store import Store

LATELY = timedelta(days=1)
TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""https://prometheus.io/docs/instrumenting/exposition_formats/"""


@dataclass(frozen=True)
class Gauges:
    """What the page needs. `redact` stands before each label."""

    store: Store
    clock: Clock
    token: str
    redact: Callable[[str], str]


def routes(gauges: Gauges | None) -> list[web.RouteDef]:
    """None: the operator wants no page."""
    if gauges is None:
        return []
    # its library takes a tenth of a second to load, which not everybody's start need last longer
    from prbot.web.gauges import page

    async def metrics(request: web.Request) -> web.Response:
        if not _is_known(request.headers.get("Authorization", ""), gauges.token):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        try:
            async with gauges.store.begin() as unit:
                tally = await unit.drift_tally.taken(gauges.clock.now() - LATELY)
        except StoreUnavailable as error:
            return web.Response(status=503, text=f"{error}\n")
        return web.Response(body=page(tally, gauges.redact), headers={"Content-Type": TYPE})

    return [web.get("/metrics", metrics)]


def _is_known(given: str, token: str) -> bool:
    scheme, _, word = given.partition(" ")
    sent = word.strip().encode("utf-8", "surrogateescape")  # what is no text is no token either
    same = hmac.compare_digest(sent, token.encode("utf-8", "surrogateescape"))
    return same and scheme.lower() == "bearer"
