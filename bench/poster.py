"""Posts the same signed webhook under ever new ids, over connections that stay open.

Written on bare sockets: a client that worked harder than the server would measure
itself. Each connection sends its next webhook when the last one was answered.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
PATIENCE = 60.0
"""Seconds that the last answers may take."""


@dataclass(frozen=True)
class Letter:
    """What is posted; a new delivery id each time, the rest is always the same."""

    url: str
    event: str
    body: bytes
    secret: str

    def to(self, url: str) -> Letter:
        """The same for another receiver."""
        return replace(self, url=url)

    def texts(self, name: str) -> Iterator[tuple[str, bytes]]:
        """Delivery ids that begin with `name`, each with its request."""
        parts = urlsplit(self.url)
        signature = hmac.new(self.secret.encode(), self.body, "sha256").hexdigest()
        head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"User-Agent: GitHub-Hookshot/bench\r\nAccept: */*\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
            f"X-GitHub-Event: {self.event}\r\nX-Hub-Signature-256: sha256={signature}\r\n"
        ).encode()
        for number in itertools.count():
            known = f"{name}-{number}"
            yield known, b"%bX-GitHub-Delivery: %b\r\n\r\n%b" % (head, known.encode(), self.body)


@dataclass
class Tally:
    """`accepted` are the ids that were answered 202; `seconds` each answer's time. `cpu` is
    the receiver's time on its core, whatever it did meanwhile."""

    accepted: list[str] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.accepted) / self.elapsed

    @property
    def cpu_each(self) -> float:
        """Seconds of the receiver's core for each accepted webhook."""
        return self.cpu / len(self.accepted)

    def share(self, percent: int) -> float:
        """The time in seconds under which so many percent of the answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]

    def count(self, known: str, status: int, seconds: float) -> None:
        if status == 202:
            self.accepted.append(known)
            self.seconds.append(seconds)
        else:
            self.refused[status] = self.refused.get(status, 0) + 1


class _Line(asyncio.Protocol):
    """One connection. Ends when `until` has passed, or the server has hung up."""

    def __init__(self, texts: Iterator[tuple[str, bytes]], tally: Tally, until: float) -> None:
        self._texts = texts
        self._tally = tally
        self._until = until
        self._heard = b""
        self._known = ""
        self._sent = 0.0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._post()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, end, body = self._heard.partition(HEAD_END)
        if end and len(body) >= _length(head):
            self._heard = b""
            now = time.perf_counter()
            self._tally.count(self._known, int(head.split(b" ", 2)[1]), now - self._sent)
            if now < self._until:
                self._post()
            else:
                self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _post(self) -> None:
        self._known, text = next(self._texts)
        self._sent = time.perf_counter()
        self._transport.write(text)


def _length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.find(LENGTH)
    if start < 0:
        raise RuntimeError("an answer says nothing of its length")
    return int(lowered[start + len(LENGTH) :].split(b"\r\n", 1)[0])


async def post(
    letter: Letter,
    name: str,
    lines: int,
    seconds: float,
    halfway: Callable[[], None] | None = None,
) -> Tally:
    """Post over `lines` connections for so many seconds; `halfway` is called in the middle."""
    parts, tally = urlsplit(letter.url), Tally()
    host, port = parts.hostname or "", parts.port or 0
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    texts = letter.texts(name)
    make = partial(_Line, texts, tally, begun + seconds)
    opened = []
    for _ in range(lines):
        _, line = await loop.create_connection(make, host, port)
        opened.append(line)
    if halfway is not None:
        loop.call_later(seconds / 2, halfway)
    async with asyncio.timeout(seconds + PATIENCE):
        await asyncio.wait([line.ended for line in opened])
    tally.elapsed = time.perf_counter() - begun
    return tally
