"""`POST /hooks/github`: check who signed, store the delivery, answer 202; nothing else.

The answer leaves after the commit, so what a forge was told is stored is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from aiohttp import web

from prbot.errors import BadPayload, BadSignature, PayloadTooLarge, PrbotError
from prbot.intake import github
from prbot.model import DeliveryId
from prbot.ports import Clock, Delivery, Store

log = structlog.get_logger()

STATUS_OF: Mapping[type[PrbotError], int] = {
    BadSignature: 401,
    PayloadTooLarge: 413,
    BadPayload: 400,
}


@dataclass(frozen=True)
class Door:
    """What the webhook routes need. `secrets` are (forge's name, secret) pairs."""

    store: Store
    clock: Clock
    secrets: Sequence[tuple[str, bytes]]
    max_payload: int
    delivered: Callable[[], None]


def routes(door: Door) -> list[web.RouteDef]:
    async def receive(request: web.Request) -> web.Response:
        try:
            delivery = await _delivery(request, door)
        except PrbotError as error:
            return _refuse(error)
        async with door.store.begin() as unit:
            new = await unit.deliveries.add(delivery)
        door.delivered()
        log.info("delivery stored", action="hook", delivery=delivery.id, hook=delivery.event)
        return web.json_response({"delivery": delivery.id, "new": new}, status=202)

    return [web.post("/hooks/github", receive)]


async def _delivery(request: web.Request, door: Door) -> Delivery:
    body = await _body(request, door.max_payload)
    forge = github.verify(request.headers, body, door.secrets)
    event = _header(request, "X-GitHub-Event")
    # What cannot be read is refused while its sender can still be told.
    github.event_of(forge, event, body)
    return Delivery(
        id=DeliveryId(_header(request, "X-GitHub-Delivery")),
        forge=forge,
        event=event,
        body=body,
        received_at=door.clock.now(),
    )


def _header(request: web.Request, name: str) -> str:
    value = request.headers.get(name, "").strip()
    if not value or len(value) > 200:
        raise BadPayload(f"the header {name} is missing or too long")
    return value


async def _body(request: web.Request, limit: int) -> bytes:
    """Read at most `limit` bytes; a liar's Content-Length does not help."""
    if (request.content_length or 0) > limit:
        raise PayloadTooLarge(limit)
    chunks, size = [], 0
    async for chunk in request.content.iter_chunked(1 << 16):
        size += len(chunk)
        if size > limit:
            raise PayloadTooLarge(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _refuse(error: PrbotError) -> web.Response:
    status = STATUS_OF.get(type(error), 400)
    log.warning("delivery refused", action="hook", status=status, error=str(error))
    return web.json_response({"error": str(error), "hint": error.next_step}, status=status)
