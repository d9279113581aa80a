"""The wire to GitLab: requests in threads, one error for each way they can fail.

python-gitlab sends; it is asked for its transport only, and told neither to wait for rate
limits nor to try again: whoever calls (the outbox, the worker) does, and is told when. Its
connections serve one thread at a time, so that every thread has its own.

Not promised: fairness between callers, or that a call which was given up was not carried
out by GitLab.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from gitlab import Gitlab
from gitlab.exceptions import GitlabError, RedirectError
from pydantic import TypeAdapter

from prbot.adapters.answers import PER_PAGE, Answer, Reader
from prbot.adapters.gitlab_limits import Limits, Request
from prbot.errors import PrbotError
from prbot.errors.forge import ForgeRefused, NotFound

_T = TypeVar("_T")
_S = TypeVar("_S")
_TOKEN = re.compile(r"\b(gl[a-z]{1,6}-)[\w.-]+")
"""GitLab's tokens, should a proxy send our own headers back to us.
https://docs.gitlab.com/security/tokens/#token-prefixes"""


async def both(first: Awaitable[_S], second: Awaitable[_T]) -> tuple[_S, _T]:
    """Two calls side by side. A failure is told when both are back, so that nothing a call
    still learns of the forge's limits comes after it."""
    calls = asyncio.ensure_future(first), asyncio.ensure_future(second)
    try:
        await asyncio.wait(calls)
        return await asyncio.gather(*calls)
    finally:  # given up before both were back
        for call in calls:
            call.cancel()


class Wire(Reader[Request]):
    """`name` is the forge's entry, `url` where GitLab is (without `/api/v4`); `timeout` is in
    seconds, `now` in Unix time. `graphql` is that API's whole address, which a request may
    have as its path. Raises ForgeRefused for an empty token."""

    def __init__(
        self,
        name: str,
        url: str,
        token: str,
        timeout: int,
        threads: int,
        now: Callable[[], float],
    ) -> None:
        super().__init__(name, "GitLab")
        self.sent = 0
        self.token = token.strip()  # files end with a newline, which no header may hold
        if not self.token:
            raise ForgeRefused(name, "sign in", "the token is empty")
        self.graphql = f"{url}/api/graphql"
        self._url = url
        self._timeout = timeout
        self._limits = Limits(now)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"gitlab-{name}")
        self._lock = threading.Lock()
        self._local = threading.local()
        self._lines: list[_Line] = []

    async def ask(self, request: Request) -> Answer:
        """Raises NotFound, ForgeRefused or ForgeUnavailable."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, copy_context().run, self._ask, request)

    async def known_keyset(
        self, request: Request, shape: TypeAdapter[list[_T]], key: Callable[[_T], int]
    ) -> AsyncIterator[list[_T]]:
        """As `known_pages`, where GitLab pages by id: nothing is missed while the list grows."""
        last: int | None = None
        more = True
        while more:
            page = await self._known_page(request.after(last), shape)
            yield page.items
            more = page.has_next and bool(page.items)
            last = key(page.items[-1]) if more else None

    async def close(self) -> None:
        """Waits for calls on the wire, at most as long as they may take."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
        for line in self._lines:
            line.close()

    # --- in a thread ---

    def _ask(self, request: Request) -> Answer:
        answer = self._send(request)
        if answer.status >= 300 and not (answer.unchanged and request.etag):
            raise self._refusal(request, answer)
        return answer

    def _send(self, request: Request) -> Answer:
        if self._limits.wait > 0:
            raise self._unavailable(request, "its rate limit is used up", self._limits.wait)
        line = self._line()
        self._count()
        try:
            status, headers, text = line.send(request)
        # whatever python-gitlab and requests raise about an odd answer, callers know three
        except Exception as error:
            raise self._failure(request, error) from None
        answer = Answer(status, headers, text.replace(self.token, "***"))
        self._limits.note(answer)
        return answer

    def _line(self) -> _Line:
        """This thread's connection."""
        line: _Line | None = getattr(self._local, "line", None)
        if line is None:
            line = self._local.line = _Line(self._url, self.token, self._timeout)
            self._lines.append(line)
        return line

    def _count(self) -> None:
        with self._lock:
            self.sent += 1

    # --- what went wrong ---

    def _refusal(self, request: Request, answer: Answer) -> PrbotError:
        wait = self._limits.wait_after(answer)
        if answer.status == 429:
            return self._unavailable(request, "its rate limit is used up", wait)
        if answer.status in (404, 410):
            return NotFound(self.name, request.what)
        # 409 where another update of the same status is going on
        busy = answer.status == 409 and "in progress" in answer.text
        if busy or answer.status >= 500 or answer.status in (408, 425):
            return self._unavailable(request, f"HTTP {answer.status}", wait)
        cause = f"{_message(answer.text)} (HTTP {answer.status})".strip()
        return ForgeRefused(self.name, f"{request.do} {request.what}", cause)

    def _failure(self, request: Request, error: Exception) -> PrbotError:
        if isinstance(error, RedirectError) or type(error).__name__ == "TooManyRedirects":
            return self._redirected(request)
        return self._broken(request, error, self._timeout)

    def _redirected(self, request: Request) -> ForgeRefused:
        cause = "it redirects to another address; correct the forge's `api_url`"
        return ForgeRefused(self.name, f"{request.do} {request.what}", cause)


def _message(text: str) -> str:
    """GitLab's own words: `message`, a text or what it says of fields; or `error`."""
    try:
        data = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(data, dict):
        return ""
    said = data.get("message") or data.get("error_description") or data.get("error")
    if isinstance(said, dict):
        said = "; ".join(f"{field} {_flat(words)}" for field, words in said.items())
    return _TOKEN.sub("***", str(said or "")[:300])


def _flat(words: object) -> str:
    return ", ".join(map(str, words)) if isinstance(words, list) else str(words)


class _Line:
    """One connection of python-gitlab. The hook sees each answer's headers, which its errors
    do not tell, and keeps requests from following a redirection with our token."""

    def __init__(self, url: str, token: str, timeout: int) -> None:
        self._gitlab = Gitlab(
            url,
            private_token=token,
            timeout=timeout,
            per_page=PER_PAGE,
            retry_transient_errors=False,
            keep_base_url=True,
            user_agent="prbot",
        )
        self._gitlab.session.hooks["response"].append(self._hear)
        self._gitlab.session.max_redirects = 0
        self._headers: Mapping[str, str] = {}

    def send(self, request: Request) -> tuple[int, Mapping[str, str], str]:
        """Status, headers with names in lower case, and text."""
        self._headers = {}
        try:
            response = self._gitlab.http_request(
                request.verb,
                request.path,
                query_data=dict(request.parameters),
                post_data=None if request.body is None else dict(request.body),
                obey_rate_limit=False,
                extra_headers=request.headers,
            )
        except RedirectError:
            raise
        except GitlabError as error:
            body = error.response_body or b""
            text = body if isinstance(body, str) else body.decode("utf-8", "replace")
            return error.response_code or 0, self._headers, text
        return response.status_code, self._headers, response.content.decode("utf-8", "replace")

    def _hear(self, response: Any, *_: Any, **__: Any) -> None:
        self._headers = {name.lower(): value for name, value in response.headers.items()}

    def close(self) -> None:
        self._gitlab.session.close()
