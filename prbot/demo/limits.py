"""The REST API's rate limit: a counter per caller, and ways to use it up.

Headers and answers as in
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from prbot.demo.shapes import Json

SIGNED_IN, ANONYMOUS = 5000, 60
WINDOW = timedelta(hours=1)


@dataclass
class Allowance:
    """What one caller has left until `reset`."""

    limit: int
    reset: datetime
    used: int = 0

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Reset": str(int(self.reset.timestamp())),
            "X-RateLimit-Resource": "core",
        }

    def shape(self) -> Json:
        return {
            "limit": self.limit,
            "remaining": self.remaining,
            "used": self.used,
            "reset": int(self.reset.timestamp()),
        }


class RateLimits:
    def __init__(self) -> None:
        self._allowances: dict[str, Allowance] = {}
        self._secondary: dict[str, int] = {}

    def of(self, login: str | None, now: datetime) -> Allowance:
        """The caller's allowance (None: anonymous), renewed when its hour is over."""
        key = login or ""
        known = self._allowances.get(key)
        if known is None or known.reset <= now:
            known = Allowance(SIGNED_IN if login else ANONYMOUS, now + WINDOW)
            self._allowances[key] = known
        return known

    def exhaust(self, login: str, now: datetime, until: timedelta = WINDOW) -> None:
        """Use up everything `login` has, until some time from now."""
        self._allowances[login] = Allowance(SIGNED_IN, now + until, SIGNED_IN)

    def slow_down(self, login: str, retry_after: int = 60) -> None:
        """Refuse `login` with the secondary limit's answer until `restore`."""
        self._secondary[login] = retry_after

    def restore(self, login: str) -> None:
        self._allowances.pop(login, None)
        self._secondary.pop(login, None)

    def retry_after(self, login: str | None) -> int | None:
        """Seconds the secondary limit tells the caller to wait; None when it does not."""
        return self._secondary.get(login or "")


def overview(allowance: Allowance) -> Json:
    """The answer to `GET /rate_limit`."""
    core = allowance.shape()
    return {"resources": {"core": core, "search": core, "graphql": core}, "rate": core}
