"""`POST /hooks/github` and `/hooks/gitlab`: check who sent it, store the delivery, answer
202; nothing else.

The answer leaves after the commit (`letterbox.py`), so what a forge was told is stored is
stored. Where nobody can vouch for that the answer is 503, and the sender may try again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from aiohttp import web

from prbot.errors import PrbotError
from prbot.errors.webhooks import BadPayload, BadSignature, BadToken, NotStored, PayloadTooLarge
from prbot.intake import github, gitlab, gitlab_door
from prbot.model import DeliveryId
from prbot.ports.clock import Clock
from prbot.ports.deliveries import Delivery
from prbot.ports.store import Store
from prbot.web.letterbox import Letterbox

log = structlog.get_logger()

STATUS_OF: Mapping[type[PrbotError], int] = {
    BadSignature: 401,
    BadToken: 401,
    PayloadTooLarge: 413,
    BadPayload: 400,
    NotStored: 503,
}

RETRY_AFTER = 10
"""Seconds a sender is asked to wait after a 503."""


@dataclass(frozen=True)
class Door:
    """What the webhook routes need. `secrets` are (forge's name, secret) pairs, those of
    GitLabs apart."""

    store: Store
    clock: Clock
    secrets: Sequence[tuple[str, bytes]]
    max_payload: int
    delivered: Callable[[], None]
    gitlab_secrets: Sequence[tuple[str, bytes]] = ()


Reader = Callable[[web.Request, Door], Awaitable[Delivery]]


def routes(door: Door, letterbox: Letterbox) -> list[web.RouteDef]:
    def posted(path: str, read: Reader) -> web.RouteDef:
        return web.post(path, _receiver(door, letterbox, read))

    return [posted("/hooks/github", _from_github), posted("/hooks/gitlab", _from_gitlab)]


def _receiver(
    door: Door, letterbox: Letterbox, read: Reader
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def receive(request: web.Request) -> web.Response:
        try:
            delivery = await read(request, door)
            new = await letterbox.put(delivery)
        except PrbotError as error:
            return _refuse(error)
        return web.json_response({"delivery": delivery.id, "new": new}, status=202)

    return receive


async def _from_github(request: web.Request, door: Door) -> Delivery:
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


async def _from_gitlab(request: web.Request, door: Door) -> Delivery:
    """The token is asked for first: a stranger's body is not even read."""
    forge = gitlab_door.verify(request.headers, door.gitlab_secrets)
    event = _header(request, "X-Gitlab-Event")
    body = await _body(request, door.max_payload)
    gitlab.event_of(forge, body)
    name = gitlab_door.delivery_id(request.headers, body)
    return Delivery(DeliveryId(name), forge, event, body, door.clock.now())


def _header(request: web.Request, name: str) -> str:
    """Plain enough for every database: one bad value would spoil a whole transaction."""
    value = request.headers.get(name, "").strip()
    if not value or len(value) > 200:
        raise BadPayload(f"the header {name} is missing or too long")
    if not (value.isascii() and value.isprintable()):
        raise BadPayload(f"the header {name} is not plain text")
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
    said = {"error": str(error), "hint": error.next_step}
    headers = {"Retry-After": str(RETRY_AFTER)} if status == 503 else None
    return web.json_response(said, status=status, headers=headers)
