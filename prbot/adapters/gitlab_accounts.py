"""Which accounts of GitLab are people's.

Names tell tokens' accounts, and service accounts that nobody named. Of any other GitLab itself
says it, of one account at a time, to whoever may see it: https://docs.gitlab.com/api/users/#retrieve-a-user
(`bot`, also of service accounts). What an account is it stays, so that it is asked once.
"""

from __future__ import annotations

import structlog

from prbot.adapters.gitlab_limits import Request
from prbot.adapters.gitlab_shapes import ACCOUNT, Person
from prbot.adapters.gitlab_wire import Wire
from prbot.errors.forge import ForgeRefused, NotFound
from prbot.intake.gitlab_reading import is_bot

log = structlog.get_logger()

REMEMBERED = 10_000
"""Accounts; to ask once more does no harm."""


class Accounts:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._bots: dict[int, bool] = {}

    async def is_person(self, account: Person) -> bool:
        """One request for an account that was not met before. One that GitLab hides from us is
        known by its name alone. Raises ForgeUnavailable."""
        if is_bot(account.username):
            return False
        if account.id is None:
            return True
        if account.id not in self._bots:
            told = await self._ask(account.id)
            if told is None:
                return True
            if len(self._bots) >= REMEMBERED:
                self._bots.pop(next(iter(self._bots)))
            self._bots[account.id] = told
        return not self._bots[account.id]

    async def _ask(self, number: int) -> bool | None:
        request = Request("read", f"account {number}", "GET", f"/users/{number}")
        try:
            return (await self._wire.read(request, ACCOUNT)).bot
        except (ForgeRefused, NotFound) as error:
            log.info("account not seen", action="read", error=str(error))
            return None
