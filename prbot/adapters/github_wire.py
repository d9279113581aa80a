"""The wire to GitHub: requests in threads, one error for each way they can fail.

PyGithub sends; it is asked for its transport only, because its objects load themselves
again and again and it sleeps between calls by default. Its connections serve one
thread at a time, so that every thread has its own. Nothing is retried here but a token
that was refused: whoever calls (the outbox, the worker) retries, and is told when.

Not promised: fairness between callers, or that a call which was given up was not carried
out by GitHub.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

from github import Auth, GithubException
from github.Requester import Requester

from prbot.adapters.answers import PER_PAGE, Answer, Reader
from prbot.adapters.github_auth import AppPurse, GitHubApp, GitHubToken, Loan, Purse, TokenPurse
from prbot.adapters.github_limits import Limits, Request
from prbot.adapters.github_shapes import GRAPHQL, GraphQLError
from prbot.errors import PrbotError
from prbot.errors.forge import ForgeRefused, NotFound


class Wire(Reader[Request]):
    """`name` is the forge's entry; `timeout` is in seconds, `now` in Unix time.

    Raises ForgeRefused for an empty token, and for a private key that is no key.
    """

    def __init__(
        self,
        name: str,
        api_url: str,
        auth: GitHubToken | GitHubApp,
        timeout: int,
        threads: int,
        now: Callable[[], float],
    ) -> None:
        super().__init__(name, "GitHub")
        self.sent = 0
        self._api_url = api_url.rstrip("/")
        self._timeout = timeout
        self._purse = _purse(name, self._api_url, auth, timeout, now)
        self._limits = Limits(now)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"github-{name}")
        self._lock = threading.Lock()
        self._local = threading.local()
        self._lines: list[_Line] = []
        # at DEBUG PyGithub logs answers, and an answer may be a token
        logging.getLogger("github.Requester").setLevel(logging.INFO)

    async def ask(self, request: Request) -> Answer:
        """Raises NotFound, ForgeRefused or ForgeUnavailable."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, copy_context().run, self._ask, request)

    async def mutate(self, do: str, what: str, repo: str, query: str, subject: str) -> None:
        """A GraphQL mutation of one node. GitHub's API for it is beside the REST API."""
        body = {"query": query, "variables": {"id": subject}}
        path = graphql_path(self._api_url)
        request = Request(do, what, "POST", path, repo, body=body)
        answer = await self.read(request, GRAPHQL)
        if answer.errors:
            raise self._graphql_error(request, answer.errors[0])

    def _graphql_error(self, request: Request, error: GraphQLError) -> PrbotError:
        if error.type == "NOT_FOUND":
            return NotFound(self.name, request.what)
        if error.type in ("RATE_LIMITED", "SERVICE_UNAVAILABLE"):
            return self._unavailable(request, error.type.lower().replace("_", " "), None)
        cause = _TOKEN.sub("***", error.message or error.type)[:300]
        return ForgeRefused(self.name, f"{request.do} {request.what}", cause)

    async def token(self, repo: str) -> str:
        """A token that may read this repository, for git."""
        request = Request("get a token for", f"repository {repo}", "GET", "", repo)
        loop = asyncio.get_running_loop()
        return (
            await loop.run_in_executor(self._pool, copy_context().run, self._lend, request)
        ).token

    async def close(self) -> None:
        """Waits for calls on the wire, at most as long as they may take."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
        for line in self._lines:
            line.requester.close()
        self._purse.close()

    # --- in a thread ---

    def _ask(self, request: Request) -> Answer:
        loan, answer = self._send(request)
        if answer.status == 401 and self._purse.refused(request.repo, loan):
            loan, answer = self._send(request)
        if answer.status >= 300 and not (answer.unchanged and request.etag):
            raise self._refusal(request, answer)
        return answer

    def _send(self, request: Request) -> tuple[Loan, Answer]:
        loan = self._lend(request)
        self._check_limit(request, loan.account)
        try:
            status, headers, text = self._line(loan).requestJson(
                request.verb,
                request.path,
                parameters=dict(request.parameters),
                headers=request.headers,
                input=request.body,
            )
        # whatever PyGithub and requests raise about an odd answer, callers know three errors
        except Exception as error:
            raise self._failure(request, error) from None
        answer = Answer(status, headers, text.replace(loan.token, "***"))
        self._limits.note(loan.account, answer)
        return loan, answer

    def _lend(self, request: Request) -> Loan:
        self._check_limit(request, "app")
        try:
            if request.installation is not None:
                return self._purse.lend_as(request.installation)
            return self._purse.lend(request.repo)
        except GithubException as error:
            answer = Answer(error.status, error.headers or {}, json.dumps(error.data))
            self._limits.note("app", answer)
            raise self._refusal(request, answer) from None
        except Exception as error:
            raise self._failure(request, error) from None

    def _line(self, loan: Loan) -> Requester:
        """This thread's connection, about to send this token."""
        line: _Line | None = getattr(self._local, "line", None)
        if line is None:
            line = self._local.line = _line(self._api_url, self._timeout)
            self._lines.append(line)
        line.auth.lent = loan.token
        self._count()
        return line.requester

    def _count(self) -> None:
        with self._lock:
            self.sent += 1

    # --- what went wrong ---

    def _check_limit(self, request: Request, account: str) -> None:
        wait = self._limits.wait(account)
        if wait > 0:
            raise self._unavailable(request, "its rate limit is used up", wait)

    def _refusal(self, request: Request, answer: Answer) -> PrbotError:
        wait = self._limits.wait_after(answer)
        if wait is not None and (answer.status in (403, 429) or answer.status >= 500):
            used_up = answer.status in (403, 429)
            cause = "its rate limit is used up" if used_up else f"HTTP {answer.status}"
            return self._unavailable(request, cause, wait)
        if answer.status in (404, 410):
            return NotFound(self.name, request.what)
        if answer.status >= 500 or answer.status in (408, 425, 429):
            return self._unavailable(request, f"HTTP {answer.status}", None)
        cause = f"{_message(answer.text)} (HTTP {answer.status})".strip()
        return ForgeRefused(self.name, f"{request.do} {request.what}", cause)

    def _failure(self, request: Request, error: Exception) -> PrbotError:
        if isinstance(error, RuntimeError):
            cause = "it redirects to another address; correct the forge's `api_url`"
            return ForgeRefused(self.name, f"{request.do} {request.what}", cause)
        return self._broken(request, error, self._timeout)


def graphql_path(api_url: str) -> str:
    """As an address, which the transport takes as it is, whatever its own path: `/graphql` at
    api.github.com, `/api/graphql` on GitHub Enterprise Server.

    https://docs.github.com/en/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint
    """
    return f"{api_url.rstrip('/').removesuffix('/v3')}/graphql"


def _purse(
    name: str,
    api_url: str,
    auth: GitHubToken | GitHubApp,
    timeout: int,
    now: Callable[[], float],
) -> Purse:
    if isinstance(auth, GitHubToken):
        if not auth.value.strip():
            raise ForgeRefused(name, "sign in", "the token is empty")
        return TokenPurse(auth)
    try:
        return AppPurse(auth, api_url, timeout, now)
    except ValueError:
        what = f"sign in as App {auth.id}"
        raise ForgeRefused(name, what, "its private key is not a PEM key") from None


def _message(text: str) -> str:
    """GitHub's own words: `message`, and what it says about single fields."""
    try:
        data = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(data, dict):
        return ""
    details = data.get("errors") or []
    fields = details if isinstance(details, list) else [details]
    said = [data.get("message"), *(_detail(field) for field in fields)]
    return _TOKEN.sub("***", ": ".join(str(part) for part in said if part)[:300])


_TOKEN = re.compile(r"\b(gh[a-z]_|github_pat_|eyJ)[\w.-]+")
"""GitHub's tokens and JWTs, should a proxy send our own headers back to us."""


def _detail(field: object) -> str:
    if not isinstance(field, dict):
        return str(field)
    return str(field.get("message") or f"{field.get('field')} {field.get('code')}")


# --- one connection per thread -----------------------------------------------------------


class _LentAuth(Auth.Auth):
    """Sends the token of the call at hand, and lets PyGithub mask it."""

    lent = ""

    @property
    def token_type(self) -> str:
        return "Bearer"

    @property
    def token(self) -> str:
        return self.lent


@dataclass(frozen=True)
class _Line:
    auth: _LentAuth
    requester: Requester


def _line(api_url: str, timeout: int) -> _Line:
    auth = _LentAuth()
    requester = Requester(
        auth=auth,
        base_url=api_url,
        timeout=timeout,
        user_agent="prbot",
        per_page=PER_PAGE,
        verify=True,
        retry=None,
        pool_size=1,
        seconds_between_requests=None,
        seconds_between_writes=None,
        api_version="2022-11-28",
    )
    return _Line(auth, requester)
