"""What a GitLab handler gets and gives: a Call, an Answer; and the Route that joins them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from prbot.demo.gitlab.merge_shapes import MergeShapes
from prbot.demo.gitlab.shapes import Json
from prbot.demo.rest.call import Caller
from prbot.demo.state import Issue, Level, Pull, Repository
from prbot.demo.trains import Trains
from prbot.errors.demo import DemoForgeRefused


@dataclass(frozen=True)
class Call:
    """One request, with its caller's access to the project checked already."""

    forge: Trains
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json = field(default_factory=dict)

    @property
    def shapes(self) -> MergeShapes:
        return MergeShapes(self.forge.urls)

    @property
    def login(self) -> str:
        return self.caller.user().login

    @property
    def repo(self) -> Repository:
        return project_of(self.forge, self.path["id"])

    @property
    def pull(self) -> Pull:
        number = self.number("merge_request_iid")
        if pull := self.repo.pulls.get(number):
            return pull
        raise missing("Not found")

    @property
    def issue(self) -> Issue:
        if issue := self.repo.issues.get(self.number("issue_iid")):
            return issue
        raise missing("Not found")

    def number(self, name: str) -> int:
        text = self.path[name]
        if not text.isascii() or not text.isdigit():
            raise bad(f"{name} is invalid")
        return int(text)

    def text(self, name: str) -> str | None:
        """A parameter of the body or the address; 400 when it is no text."""
        value = self.body.get(name, self.query.get(name))
        if value is not None and not isinstance(value, str):
            raise bad(f"{name} is invalid")
        return value

    def flag(self, name: str) -> bool:
        return self.body.get(name, self.query.get(name)) in (True, "true", "1")

    def time(self, name: str) -> datetime | None:
        text = self.query.get(name)
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise bad(f"{name} is invalid") from None
        return at if at.tzinfo else at.replace(tzinfo=UTC)


def project_of(forge: Trains, name: str) -> Repository:
    """By its id, or its path with namespace."""
    if name.isascii() and name.isdigit():
        found = next((r for r in forge.repositories.values() if r.id == int(name)), None)
    else:
        found = forge.repositories.get(name.lower())
    if found is None:
        raise missing("Project Not Found")
    return found


def missing(what: str) -> DemoForgeRefused:
    return DemoForgeRefused(404, f"404 {what}")


def bad(message: str) -> DemoForgeRefused:
    return DemoForgeRefused(400, message)


def too_long(name: str, limit: int) -> DemoForgeRefused:
    """A field that GitLab's records do not hold, told by its name."""
    said = {name: f"is too long (maximum is {limit} characters)"}
    return DemoForgeRefused(400, "", (said,))


@dataclass(frozen=True)
class Answer:
    """`body` None means no content; a list is cut into pages on its way out."""

    body: Any = None
    status: int = 200


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    """`path` is spelled as in GitLab's documentation, without its `/api/v4`.

    `level` is what the caller needs in the project (None: the route is not about one).
    `keyset`: the list may be read by `pagination=keyset`; `paged`: a list is cut at all.
    """

    method: str
    path: str
    handler: Handler
    level: Level | None = Level.READ
    keyset: bool = False
    paged: bool = True
