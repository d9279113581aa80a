"""`DemoForge`: the small forge as one object, to start, to use and to stop.

    forge = DemoForge(directory)
    await forge.start()
    forge.create_user("alice", token="alice-token")
    await forge.create_repository("acme/infra", source, collaborators={"alice": "write"})
    forge.add_hook(f"{prbot}/hooks/github", secret)
    pull = await forge.open_pull("acme/infra", head="topic", title="More", author="alice")
    await forge.wait_for(lambda: len(pull.comments) > 0)

All of its methods run in the event loop it was started in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from prbot.demo.api import Api
from prbot.demo.customs import GITHUB, GITLAB, KINDS
from prbot.demo.faults import Fault, Faults
from prbot.demo.git_http import GitHttp
from prbot.demo.gitlab.api import GitLabApi
from prbot.demo.gitlab.graphql import GitLabGraphQl
from prbot.demo.gitlab.news import GitLabNews
from prbot.demo.graphql import GraphQl
from prbot.demo.hooks import Delivery
from prbot.demo.limits import WINDOW
from prbot.demo.page import Page
from prbot.demo.state import Pull
from prbot.demo.trains import Trains
from prbot.demo.world import utc_now

T = TypeVar("T")
LARGEST_BODY = 16 * 1024 * 1024
SHUTDOWN = 2.0
"""Seconds that requests under way get when the forge stops."""


class DemoForge(Trains):
    """Acts are inherited: trains.py, accounts.py, pulls.py, branches.py, talk.py, world.py."""

    _runner: web.AppRunner | None = None

    def __init__(
        self,
        directory: Path,
        clock: Callable[[], datetime] = utc_now,
        kind: str = "github",
    ) -> None:
        """`kind`: github or gitlab."""
        super().__init__(directory, clock, KINDS[kind])
        if self.customs is GITLAB:
            self.news = GitLabNews(self)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one."""
        self.api: Api | GitLabApi = GitLabApi(self) if self.customs is GITLAB else Api(self)
        self.faults = Faults(self.changes)
        app = web.Application(middlewares=[self.faults.middleware], client_max_size=LARGEST_BODY)
        app.add_routes(self.api.routes())
        if self.customs is GITHUB:
            app.add_routes(GraphQl(self).routes())
        else:
            app.add_routes(GitLabGraphQl(self).routes())
        app.add_routes(GitHttp(self).routes())
        Page(self).install(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        address = self._runner.addresses[0]
        self.urls.site = f"http://{address[0]}:{address[1]}"
        self.courier.start()

    async def stop(self) -> None:
        """Answer what hangs, forget webhooks that wait, close the door."""
        await self.courier.stop()
        if self._runner is not None:
            self.faults.let_go()
            await self._runner.cleanup()
            self._runner = None

    @property
    def url(self) -> str:
        """Where the pages and the git repositories are."""
        return self.urls.site

    @property
    def api_url(self) -> str:
        """What to give a client as its base URL."""
        return self.urls.api

    def clone_url(self, full_name: str) -> str:
        return self.urls.clone(full_name)

    def page_url(self, pull: Pull) -> str:
        return self.urls.page(pull.repo.full_name, pull.number)

    @property
    def deliveries(self) -> list[Delivery]:
        """Every webhook ever made, oldest first, with its answer or failure."""
        return self.courier.deliveries

    async def wait_for(self, look: Callable[[], T | None], timeout: float = 30.0) -> T:  # noqa: ASYNC109 - it is one, inside
        """Wait until `look` returns something truthy, asked after each change.

        Raises TimeoutError.
        """
        return await self.changes.until(look, timeout)

    async def settled(self, timeout: float = 30.0) -> None:  # noqa: ASYNC109 - it is one, inside
        """Wait until every webhook sent so far was answered or failed."""
        await self.wait_for(lambda: self.courier.idle, timeout)

    def redeliver(self, delivery_id: str) -> Delivery:
        return self.courier.redeliver(delivery_id)

    def fail_next(
        self,
        method: str,
        path_pattern: str,
        status: int = 500,
        *,
        hang: bool = False,
        after: bool = False,
        times: int = 1,
        message: str = "Server Error",
        headers: Mapping[str, str] | None = None,
    ) -> Fault:
        """Order a fault; see faults.py. Status 0 cuts the connection."""
        return self.faults.fail_next(
            method,
            path_pattern,
            status,
            hang=hang,
            after=after,
            times=times,
            message=message,
            headers=headers,
        )

    def exhaust_rate_limit(self, login: str, until: timedelta = WINDOW) -> None:
        """Let `login` have no API calls left; the reset is `until` from now."""
        self.api.limits.exhaust(login, self.now(), until)

    def slow_down(self, login: str, retry_after: int = 60) -> None:
        """Answer `login` with the secondary rate limit and Retry-After."""
        self.api.limits.slow_down(login, retry_after)

    def restore_rate_limit(self, login: str) -> None:
        self.api.limits.restore(login)
