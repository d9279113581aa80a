"""What both forges' wires do with answers: read them as a shape, page by page, and keep lists
that are asked for again and again, so that what did not change is not sent again.

How a call is sent, how long to wait and what a refusal means is each forge's own.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from prbot.errors.forge import ForgeUnavailable

PER_PAGE = 100

_T = TypeVar("_T")


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def unchanged(self) -> bool:
        """The answer to a conditional call is the one its `etag` was of."""
        return self.status == 304

    @property
    def has_next(self) -> bool:
        """GitLab tells it in a header of its own as well."""
        return bool(self.headers.get("x-next-page")) or 'rel="next"' in self.headers.get("link", "")


class Call(Protocol):
    """One call to a forge; `do` and `what` are for people."""

    @property
    def do(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...

    def page(self, number: int) -> Self:
        """The same call for one page of a list, numbered from 1."""
        ...

    def unless(self, etag: str | None) -> Self:
        """The same call, answered by 304 when the answer would be the one of this tag."""
        ...


_C = TypeVar("_C", bound=Call)
PLACE = ("page", "id_after", "state")
"""What tells one page of a list from another, beside its path."""


@dataclass(frozen=True)
class Page(Generic[_T]):
    """A page of a list as it was last sent; kept to be asked for conditionally."""

    parameters: Mapping[str, object]
    etag: str | None
    items: list[_T]
    has_next: bool


class Reader(ABC, Generic[_C]):
    """`name` is the forge's entry, `maker` whose answers they are: GitHub, GitLab."""

    def __init__(self, name: str, maker: str) -> None:
        self.name = name
        self._maker = maker
        self._pages: dict[object, Page[Any]] = {}

    @abstractmethod
    async def ask(self, request: _C) -> Answer:
        """Raises NotFound, ForgeRefused or ForgeUnavailable."""

    async def read(self, request: _C, shape: TypeAdapter[_T]) -> _T:
        """`ask`, with the body read as `shape`; an odd one is ForgeUnavailable."""
        return self._parsed(request, await self.ask(request), shape)

    async def pages(self, request: _C, shape: TypeAdapter[_T]) -> AsyncIterator[_T]:
        """Each page of a list, asked for when it is needed."""
        number, more = 1, True
        while more:
            answer = await self.ask(request.page(number))
            yield self._parsed(request, answer, shape)
            number, more = number + 1, answer.has_next

    async def known_pages(
        self, request: _C, shape: TypeAdapter[list[_T]]
    ) -> AsyncIterator[list[_T]]:
        """As `pages`, for a list that is asked for again and again: what did not change is
        not sent again; GitHub counts it for nothing."""
        number, more = 1, True
        while more:
            page = await self._known_page(request.page(number), shape)
            yield page.items
            number, more = number + 1, page.has_next

    async def _known_page(self, request: _C, shape: TypeAdapter[list[_T]]) -> Page[_T]:
        place = (request.path, *(request.parameters.get(name) for name in PLACE))
        known: Page[_T] | None = self._pages.get(place)
        if known is None or known.parameters != request.parameters:
            known = None
        answer = await self.ask(request.unless(known.etag if known else None))
        if known is not None and answer.unchanged:
            return known
        items = self._parsed(request, answer, shape)
        # a full page may stay the same while a next one begins
        more = answer.has_next or len(items) >= PER_PAGE
        page = Page(request.parameters, answer.headers.get("etag"), items, more)
        self._pages[place] = page
        return page

    def _parsed(self, request: _C, answer: Answer, shape: TypeAdapter[_T]) -> _T:
        try:
            return shape.validate_json(answer.text)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            cause = f"its answer is not {self._maker}'s ({where or 'no JSON'})"
            raise self._unavailable(request, cause, None) from None

    def _unavailable(self, request: _C, cause: str, retry_after: float | None) -> ForgeUnavailable:
        return ForgeUnavailable(self.name, f"{request.do} {request.what}", cause, retry_after)

    def _broken(self, request: _C, error: Exception, timeout: int) -> ForgeUnavailable:
        """No text of foreign errors: it may hold addresses with passwords of proxies.
        All errors of requests are OSErrors."""
        match error:
            case OSError() if "Timeout" in type(error).__name__:
                cause = f"no answer within {timeout} s"
            case OSError():
                cause = f"the connection failed ({type(error).__name__})"
            case _:
                cause = f"its answer is not {self._maker}'s"
        return self._unavailable(request, cause, None)


def number(text: str | None) -> float | None:
    """A header's number; None for what is none, or none that one can wait for."""
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if math.isfinite(found) else None
