"""What a handler gets and gives: a Call, an Answer; and the Route that joins them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prbot.demo.accounts import Accounts
from prbot.demo.rules import invalid, not_found
from prbot.demo.shapes import Json
from prbot.demo.state import App, Level, Pull, Repository, Token, User
from prbot.errors.demo import DemoForgeRefused


@dataclass(frozen=True)
class Caller:
    """Who asks: somebody with a token, an App with its JWT, or nobody (both None)."""

    token: Token | None = None
    app: App | None = None

    def user(self) -> User:
        if self.token is None:
            raise DemoForgeRefused(401, "Requires authentication")
        return self.token.user

    def may(self, scope: str, level: str) -> bool:
        """Whether a fine-grained token lists the permission; classic ones list nothing."""
        if self.token is None or self.token.permissions is None:
            return True
        granted = self.token.permissions.get(scope, "read" if scope == "metadata" else "")
        return granted in (("read", "write") if level == "read" else ("write",))

    def level(self, repo: Repository) -> Level:
        if self.token is None:
            return Level.NONE if repo.private else Level.READ
        only = self.token.repositories
        if only is not None and repo.id not in only:
            return Level.NONE if repo.private else Level.READ
        return repo.level(self.token.user.login)


@dataclass(frozen=True)
class Call:
    """One request, with its caller's access to the repository checked already."""

    forge: Accounts
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json = field(default_factory=dict)

    @property
    def login(self) -> str:
        return self.caller.user().login

    @property
    def repo(self) -> Repository:
        return self.forge.repository(f"{self.path['owner']}/{self.path['repo']}")

    @property
    def pull(self) -> Pull:
        number = self.path.get("pull_number") or self.path["issue_number"]
        return self.forge.pull(self.repo.full_name, self.number(number))

    def number(self, text: str) -> int:
        if not text.isascii() or not text.isdigit():
            raise not_found()
        return int(text)

    def text(self, key: str, resource: str) -> str | None:
        """An optional string of the body; 422 when it is something else."""
        value = self.body.get(key)
        if value is not None and not isinstance(value, str):
            raise invalid(resource, key, f"{key} is not a string", "invalid")
        return value


@dataclass(frozen=True)
class Answer:
    """`body` None means no content; a list is cut into pages on its way out, and so is
    the list under `listed` in an object that also counts it."""

    body: Any = None
    status: int = 200
    listed: str | None = None

    @property
    def items(self) -> list[Any] | None:
        """What comes in pages; None when nothing does."""
        found = self.body[self.listed] if self.listed else self.body
        return found if isinstance(found, list) else None

    def cut(self, start: int, end: int) -> Answer:
        """The same answer with a part of its items."""
        if self.items is None:
            return self
        part = self.items[start:end]
        body = self.body | {self.listed: part} if self.listed else part
        return Answer(body, self.status, self.listed)


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    """`path` is spelled as in GitHub's OpenAPI description.

    `level` is what the caller needs in the repository (None: the route is not about
    one), `scope` the fine-grained permission a token needs.
    """

    method: str
    path: str
    handler: Handler
    level: Level | None = Level.READ
    scope: tuple[str, str] = ("metadata", "read")
