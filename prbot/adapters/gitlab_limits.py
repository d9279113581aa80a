"""One call to GitLab and its answer, and what the answer says about further calls.

https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from prbot.adapters.answers import PER_PAGE, Answer, number

THROTTLED_WAIT = 60.0
"""Seconds; the usual period of GitLab's limits, where no header names one."""


@dataclass(frozen=True)
class Request:
    """One call. `do` and `what` are for people: "read", "merge request acme/infra!5".

    `etag` makes it conditional: 304 when the answer would be the one that had this tag.
    """

    do: str
    what: str
    verb: str
    path: str
    body: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    etag: str | None = None

    def page(self, number: int) -> Request:
        """The same call for one page of a list, numbered from 1."""
        numbers = {"per_page": PER_PAGE, "page": number}
        return replace(self, parameters={**self.parameters, **numbers})

    def after(self, last: int | None) -> Request:
        """The same call for the part of a list, ordered by id, that comes after this id."""
        keys = {"pagination": "keyset", "order_by": "id", "sort": "asc", "per_page": PER_PAGE}
        following = {} if last is None else {"id_after": last}
        return replace(self, parameters={**self.parameters, **keys, **following})

    def unless(self, etag: str | None) -> Request:
        return replace(self, etag=etag)

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.etag is None else {"If-None-Match": self.etag}


class Limits:
    """When we may speak again; `now` gives Unix time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until = 0.0

    @property
    def wait(self) -> float:
        """Seconds until we may speak; 0 when we may now."""
        return max(0.0, self._until - self._now())

    def note(self, answer: Answer) -> None:
        """The longest wait counts: calls side by side may hear of two limits."""
        wait = self.wait_after(answer)
        if wait is not None:
            self._until = max(self._until, self._now() + wait)

    def wait_after(self, answer: Answer) -> float | None:
        """Seconds this answer asks to wait; None when it does not.

        `RateLimit-Remaining: 0` asks for it even on a good answer: the next would be refused.
        """
        after = number(answer.headers.get("retry-after"))
        if after is not None:
            return max(0.0, after)
        if answer.headers.get("ratelimit-remaining") == "0":
            reset = number(answer.headers.get("ratelimit-reset"))
            return max(0.0, (reset or self._now() + THROTTLED_WAIT) - self._now())
        return THROTTLED_WAIT if answer.status == 429 else None
