"""Signed webhooks: delivered in the background, in order, and kept for looking at.

Headers and signature as in
https://docs.github.com/webhooks/webhook-events-and-payloads#delivery-headers and
https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries. As on
GitHub a failed delivery is not tried again by itself; `redeliver` does, with the same
delivery id. For tests, deliveries can be lost, repeated and held back.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import aiohttp

from prbot.demo.changes import Changes
from prbot.demo.shapes import Json

TIMEOUT = 10.0
"""Seconds a receiver has for its answer."""


@dataclass
class Hook:
    """`events` None means all of them; `repository` None means every repository. `kind` of
    forge, and where it is (`instance`)."""

    id: int
    url: str
    secret: str
    events: frozenset[str] | None = None
    repository: int | None = None
    kind: str = "github"
    instance: str = ""

    def wants(self, event: str, repository: int | None) -> bool:
        named = event == "ping" or self.events is None or event in self.events
        return named and self.repository in (None, repository)


@dataclass
class Delivery:
    """One webhook on its way, or arrived.

    `status` is the receiver's answer, `error` why there is none; both empty while it
    waits. `lost` ones were dropped on purpose.
    """

    id: str
    hook: Hook
    event: str
    payload: Json
    body: bytes
    status: int | None = None
    error: str = ""
    attempts: int = 0
    lost: bool = False

    @property
    def action(self) -> str:
        return str(self.payload.get("action", ""))

    @property
    def headers(self) -> dict[str, str]:
        """GitHub's, or GitLab's: https://docs.gitlab.com/user/project/integrations/webhooks/"""
        key = self.hook.secret.encode()
        if self.hook.kind == "gitlab":
            return {
                "Content-Type": "application/json",
                "User-Agent": "GitLab/18.5.0",
                "Idempotency-Key": self.id,
                "X-Gitlab-Event": self.event,
                "X-Gitlab-Event-UUID": self.id,
                "X-Gitlab-Instance": self.hook.instance,
                "X-Gitlab-Token": self.hook.secret,
                "X-Gitlab-Webhook-UUID": str(uuid.UUID(int=self.hook.id)),
            }
        return {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/demo",
            "X-GitHub-Event": self.event,
            "X-GitHub-Delivery": self.id,
            "X-GitHub-Hook-ID": str(self.hook.id),
            "X-GitHub-Hook-Installation-Target-Type": "repository",
            "X-GitHub-Hook-Installation-Target-ID": str(self.hook.repository or 0),
            "X-Hub-Signature": "sha1=" + hmac.new(key, self.body, "sha1").hexdigest(),
            "X-Hub-Signature-256": "sha256=" + hmac.new(key, self.body, "sha256").hexdigest(),
        }


@dataclass
class _Plans:
    """What tests want done to the next deliveries of an event (`*`: of any)."""

    lose: list[str] = field(default_factory=list)
    repeat: list[str] = field(default_factory=list)

    def take(self, which: list[str], event: str) -> bool:
        for name in (event, "*"):
            if name in which:
                which.remove(name)
                return True
        return False


class Courier:
    """Owns the hooks and every delivery ever made, oldest first."""

    def __init__(self, changes: Changes) -> None:
        self.hooks: list[Hook] = []
        self.deliveries: list[Delivery] = []
        self._changes = changes
        self._waiting: deque[Delivery] = deque()
        self._underway = 0
        self._held = False
        self._plans = _Plans()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Deliveries that wait are forgotten; one under way is cut off."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._underway

    def send(
        self, event: str, payload: Json, repository: int | None, only: Hook | None = None
    ) -> None:
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        for hook in [only] if only else self.hooks:
            if hook.wants(event, repository):
                self._put(Delivery(str(uuid.uuid4()), hook, event, payload, body))

    def _put(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if self._plans.take(self._plans.lose, delivery.event):
            delivery.lost = True
            return
        times = 2 if self._plans.take(self._plans.repeat, delivery.event) else 1
        self._waiting.extend([delivery] * times)
        self._changes.tell()

    def redeliver(self, delivery_id: str) -> Delivery:
        """Send one again under the same id, as GitHub's button does. KeyError if unknown."""
        for delivery in self.deliveries:
            if delivery.id == delivery_id:
                self._waiting.append(delivery)
                self._changes.tell()
                return delivery
        raise KeyError(delivery_id)

    def lose_next(self, event: str = "*", times: int = 1) -> None:
        self._plans.lose += [event] * times

    def repeat_next(self, event: str = "*", times: int = 1) -> None:
        self._plans.repeat += [event] * times

    def hold(self) -> None:
        """Keep deliveries back until `release`."""
        self._held = True

    def release(
        self, order: Callable[[Sequence[Delivery]], Sequence[Delivery]] | None = None
    ) -> None:
        """Let them go, in another order if wanted (`order=lambda ds: ds[::-1]`)."""
        if order is not None:
            self._waiting = deque(order(tuple(self._waiting)))
        self._held = False
        self._changes.tell()

    async def _work(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                seen = self._changes.count
                if self._waiting and not self._held:
                    await self._deliver(session, self._waiting.popleft())
                else:
                    await self._changes.after(seen)

    async def _deliver(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        self._underway += 1
        delivery.attempts += 1
        delivery.status, delivery.error = None, ""
        try:
            request = session.post(
                delivery.hook.url,
                data=delivery.body,
                headers=delivery.headers,
                allow_redirects=False,
            )
            async with request as answer:
                delivery.status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            delivery.error = str(error) or type(error).__name__
        finally:
            self._underway -= 1
            self._changes.tell()
