"""Sends signed webhooks, as Standard Webhooks has them: one POST, and what came of it.

The signature is over `ID.TIMESTAMP.BODY`, HMAC-SHA256, in base64 behind `v1,`
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md);
the time is that of the attempt, so that a receiver can refuse what somebody replays. Of the
answer the status counts: nothing else of it is read, and no redirect is followed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from prbot.errors.forge import BadSigningSecret, ReceiverRefused, ReceiverUnavailable
from prbot.ports.clock import Clock

PREFIX = "whsec_"
SHORTEST = 16
"""Bytes of a key that is worth something."""
BUSY = (408, 425, 429)
"""Answers that ask to come again."""


def signing_key(secret: str) -> bytes:
    """The key of a secret: base64 behind `whsec_`, else its own bytes. Raises BadSigningSecret."""
    try:
        encoded = secret.removeprefix(PREFIX)
        key = base64.b64decode(encoded, validate=True) if encoded != secret else secret.encode()
    except (binascii.Error, ValueError):
        raise BadSigningSecret from None
    if len(key) < SHORTEST:
        raise BadSigningSecret
    return key


def signature(key: bytes, delivery: str, timestamp: int, text: str) -> str:
    signed = f"{delivery}.{timestamp}.{text}".encode()
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


@dataclass(frozen=True)
class HttpReceiver:
    """Meets `Receiver`. `timeout` is in seconds, for all of one attempt."""

    url: str = field(repr=False)
    key: bytes = field(repr=False)
    timeout: float
    clock: Clock

    async def deliver(self, delivery: str, text: str) -> None:
        status, after = await self._posted(delivery, text)
        if 200 <= status < 300:
            return
        cause = f"the answer was {status}"
        if status >= 500 or status in BUSY:
            raise ReceiverUnavailable(self._host, cause, after)
        raise ReceiverRefused(self._host, cause)

    @property
    def _host(self) -> str:
        """All of the address that may be shown: what follows may be a secret."""
        return urlsplit(self.url).hostname or ""

    async def _posted(self, delivery: str, text: str) -> tuple[int, float | None]:
        """The answer's status, and in how many seconds it wants to be asked again."""
        timeout = ClientTimeout(total=self.timeout)
        try:
            async with (
                ClientSession(timeout=timeout, trust_env=True) as session,
                session.post(
                    self.url,
                    data=text.encode(),
                    headers=self._headers(delivery, text),
                    allow_redirects=False,
                ) as answer,
            ):
                return answer.status, _seconds(answer.headers.get("Retry-After", ""))
        except TimeoutError:
            raise ReceiverUnavailable(self._host, "it took too long") from None
        except (ClientError, OSError, ValueError) as error:
            raise ReceiverUnavailable(self._host, type(error).__name__) from None

    def _headers(self, delivery: str, text: str) -> dict[str, str]:
        timestamp = int(self.clock.now().timestamp())
        return {
            "Content-Type": "application/json",
            "User-Agent": "prbot",
            "webhook-id": delivery,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self.key, delivery, timestamp, text),
        }


LONGEST_WAIT = 3600
"""Seconds that a receiver may ask us to wait."""


def _seconds(text: str) -> float | None:
    return min(float(text), LONGEST_WAIT) if text.isascii() and text.isdigit() else None
