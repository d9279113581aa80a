"""Who prbot is on GitHub: a plain token, or a GitHub App with one token per installation.

Everything here blocks and is called from the wire's threads; one lock stands before the
App, because PyGithub's connections serve one thread at a time.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from github import Auth, GithubException, GithubIntegration

_EARLY = 300.0
"""Seconds before its hour is over that a token is renewed: git may need it for a while."""


@dataclass(frozen=True)
class GitHubToken:
    """A personal access token, classic or fine-grained."""

    value: str = field(repr=False)


@dataclass(frozen=True)
class GitHubApp:
    """A GitHub App: its id and its private key (PEM)."""

    id: int
    private_key: str = field(repr=False)


@dataclass(frozen=True)
class Loan:
    """A token to send now. `account` names whose rate limit it uses."""

    token: str = field(repr=False)
    account: str


class Purse(Protocol):
    """Lends tokens. May raise whatever PyGithub raises."""

    def lend(self, repo: str | None) -> Loan:
        """For calls about `repo` (`owner/name`); None for calls about ourselves."""
        ...

    def lend_as(self, installation: int) -> Loan:
        """For calls in the name of one installation of our App."""
        ...

    def refused(self, repo: str | None, loan: Loan) -> bool:
        """The forge did not take it; whether another one is worth a try."""
        ...

    def close(self) -> None: ...


class TokenPurse:
    def __init__(self, token: GitHubToken) -> None:
        # files end with a newline, which no header may hold
        self._loan = Loan(token.value.strip(), "token")

    def lend(self, repo: str | None) -> Loan:
        return self._loan

    def lend_as(self, installation: int) -> Loan:
        return self._loan

    def refused(self, repo: str | None, loan: Loan) -> bool:
        return False

    def close(self) -> None:
        """Nothing is open."""


class AppPurse:
    """One token per installation, found by repository, kept until shortly before its end.

    `timeout` is in seconds, `now` gives Unix time. Raises ValueError for a bad key.
    """

    def __init__(
        self, app: GitHubApp, api_url: str, timeout: int, now: Callable[[], float]
    ) -> None:
        self._auth = _app_auth(app)
        self._github = GithubIntegration(
            auth=self._auth,
            base_url=api_url,
            timeout=timeout,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        self._now = now
        self._installations: dict[str, int] = {}
        self._tokens: dict[int, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def lend(self, repo: str | None) -> Loan:
        if repo is None:
            return Loan(self._auth.create_jwt(), "app")
        with self._lock:
            known = repo in self._installations
            try:
                return self._loan(repo)
            except GithubException as error:
                if error.status != 404 or not known:
                    raise
                # the App was taken away and perhaps installed again
                del self._installations[repo]
                return self._loan(repo)

    def lend_as(self, installation: int) -> Loan:
        with self._lock:
            return self._loan_of(installation)

    def refused(self, repo: str | None, loan: Loan) -> bool:
        """A clock that goes wrong lets a token end early; a new one is worth one try."""
        with self._lock:
            installation = self._installations.get(repo or "", 0)
            if self._tokens.get(installation, ("",))[0] == loan.token:
                del self._tokens[installation]
        return repo is not None

    def close(self) -> None:
        self._github.close()

    def _loan(self, repo: str) -> Loan:
        return self._loan_of(self._installation(repo))

    def _loan_of(self, installation: int) -> Loan:
        return Loan(self._token(installation), f"installation {installation}")

    def _installation(self, repo: str) -> int:
        if repo not in self._installations:
            owner, _, name = repo.partition("/")
            self._installations[repo] = self._github.get_repo_installation(owner, name).id
        return self._installations[repo]

    def _token(self, installation: int) -> str:
        token, ends = self._tokens.get(installation, ("", 0.0))
        if ends - _EARLY < self._now():
            lent = self._github.get_access_token(installation)
            token, ends = lent.token, lent.expires_at.timestamp()
            self._tokens[installation] = token, ends
        return token


def _app_auth(app: GitHubApp) -> Auth.AppAuth:
    """Signs once, so that a bad key shows now and not at the first webhook."""
    try:
        auth = Auth.AppAuth(app.id, app.private_key)
        auth.create_jwt()
    # the kind of error depends on what is wrong with the key, and on PyJWT's version
    except Exception:
        raise ValueError("not a private key in PEM format") from None
    return auth


def git_header(token: str) -> str:
    """The header that lets git fetch over HTTP with either kind of token.

    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
    """
    pair = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return f"Authorization: Basic {pair}"
