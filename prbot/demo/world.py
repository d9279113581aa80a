"""All the forge's records, how to find them, and how news of them leaves the house.

The acts are layered on top: branches.py, talk.py, pulls.py, accounts.py, and forge.py,
which starts the server. Each layer may call the ones below.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from prbot.demo.changes import Changes
from prbot.demo.customs import GITHUB, Customs
from prbot.demo.hooks import Courier
from prbot.demo.news import GitHubNews, News
from prbot.demo.pull_shapes import PullShapes
from prbot.demo.rules import not_found
from prbot.demo.shapes import Json
from prbot.demo.state import App, Comment, Installation, Level, Pull, Repository, Token, User
from prbot.demo.urls import Urls


def utc_now() -> datetime:
    return datetime.now(UTC)


class World:
    """`directory` takes the bare repositories; `clock` gives aware UTC times; `customs` says
    which forge it is."""

    news: News

    def __init__(
        self,
        directory: Path,
        clock: Callable[[], datetime] = utc_now,
        customs: Customs = GITHUB,
    ) -> None:
        self.directory = directory
        self.customs = customs
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.repositories: dict[str, Repository] = {}
        self.teams: dict[str, tuple[str, ...]] = {}
        self.apps: dict[int, App] = {}
        self.gitlab_groups: dict[str, dict[str, Level]] = {}
        self.installations: dict[int, Installation] = {}
        self.urls = Urls(customs)
        self.shapes = PullShapes(self.urls, self._account_of)
        self.changes = Changes()
        self.courier = Courier(self.changes)
        self._clock = clock
        self._ids = itertools.count(1001)
        self.news = GitHubNews(self)

    def now(self) -> datetime:
        """As exact as the forge's own times."""
        now = self._clock()
        kept = now.microsecond // 1000 * 1000 if self.customs.precise else 0
        return now.replace(microsecond=kept)

    def _account_of(self, address: str) -> User | None:
        """Whose e-mail address it is."""
        return next((user for user in self.users.values() if user.email == address), None)

    def next_id(self) -> int:
        return next(self._ids)

    def next_number(self, repo: Repository, among: Iterable[int]) -> int:
        """For a pull request or an issue, `among` others of the same."""
        taken = (*repo.pulls, *repo.issues) if self.customs.counted_together else tuple(among)
        return max(taken, default=0) + 1

    def user(self, login: str) -> User:
        """Raises DemoForgeRefused (404), as all of these do."""
        if user := self.users.get(login.lower()):
            return user
        raise not_found()

    def repository(self, full_name: str) -> Repository:
        if repo := self.repositories.get(full_name.lower()):
            return repo
        raise not_found()

    def pull(self, full_name: str, number: int) -> Pull:
        if pull := self.repository(full_name).pulls.get(number):
            return pull
        raise not_found()

    def comment_of(self, repo: Repository, comment_id: int) -> Comment:
        if comment := repo.comments.get(comment_id):
            return comment
        raise not_found()

    def installation_of(self, repo: Repository, app: App | None = None) -> Installation | None:
        """The installation that covers the repository (of one App, if given)."""
        for installation in self.installations.values():
            if repo.id in installation.repositories and app in (None, installation.app):
                return installation
        return None

    def notify(self, event: str, repo: Repository, sender: User, payload: Json) -> None:
        """Send a webhook about the repository, and wake whoever waits for changes."""
        about: Json = {
            "repository": self.shapes.repository(repo),
            "sender": self.shapes.user(sender),
        }
        if installation := self.installation_of(repo):
            about["installation"] = {"id": installation.id, "node_id": "demo"}
        self.courier.send(event, payload | about, repo.id)
        self.changes.tell()

    def notify_pull(self, action: str, pull: Pull, sender: User, **more: object) -> None:
        pull.updated_at = self.now()
        self.news.pull(action, pull, sender, **more)
        self.changes.tell()
