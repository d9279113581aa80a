"""One call to GitHub and its answer, and what the answer says about further calls.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from prbot.adapters.answers import PER_PAGE, Answer, number

_SECONDARY_WAIT = 60.0
"""Seconds; GitHub's docs: without a Retry-After, wait at least one minute."""


@dataclass(frozen=True)
class Request:
    """One call. `do` and `what` are for people: "read", "pull request acme/infra#5".

    `repo` is whose installation speaks (`owner/name`), `installation` names it by its id;
    both None for questions about us. `etag` makes it conditional: 304 when the answer
    would be the one that had this tag, which costs nothing of the rate limit.
    """

    do: str
    what: str
    verb: str
    path: str
    repo: str | None
    body: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    installation: int | None = None
    etag: str | None = None

    def page(self, number: int) -> Request:
        """The same call for one page of a list, numbered from 1."""
        numbers = {"per_page": PER_PAGE, "page": number}
        return replace(self, parameters={**self.parameters, **numbers})

    def unless(self, etag: str | None) -> Request:
        return replace(self, etag=etag)

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.etag is None else {"If-None-Match": self.etag}


class Limits:
    """When each account may speak again; `now` gives Unix time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until: dict[str, float] = {}

    def wait(self, account: str) -> float:
        """Seconds until the account may speak; 0 when it may now."""
        return max(0.0, self._until.get(account, 0.0) - self._now())

    def note(self, account: str, answer: Answer) -> None:
        """The longest wait counts: calls side by side may hear of two limits."""
        wait = self.wait_after(answer)
        if wait is not None:
            until = self._now() + wait
            self._until[account] = max(until, self._until.get(account, until))

    def wait_after(self, answer: Answer) -> float | None:
        """Seconds this answer asks to wait; None when it does not."""
        after = number(answer.headers.get("retry-after"))
        if after is not None:
            return max(0.0, after)
        if answer.headers.get("x-ratelimit-remaining") == "0":
            reset = number(answer.headers.get("x-ratelimit-reset"))
            return max(0.0, (reset or self._now() + _SECONDARY_WAIT) - self._now())
        if answer.status == 429 or (answer.status == 403 and "secondary rate" in answer.text):
            return _SECONDARY_WAIT
        return None
