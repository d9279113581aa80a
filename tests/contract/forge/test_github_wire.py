"""Answers GitHub would not give, but proxies, load balancers and strangers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from aiohttp import web

from prbot.adapters import github_limits
from prbot.adapters.github import GitHubForge, GitHubToken
from prbot.errors import PrbotError
from prbot.errors.forge import ForgeRefused, ForgeUnavailable
from prbot.model import Login, PullRef, RepoRef, Sha
from prbot.ports.forge import StatusState

TOKEN = "ghp_secret0123456789"
REPO = RepoRef("hub", "acme/infra")
PULL = PullRef(REPO, 1)

Answer = Callable[[web.Request], web.Response]


class Stranger:
    """A server that gives whatever answer it was told to, and counts."""

    def __init__(self) -> None:
        self.answer: Answer = lambda _: web.Response(status=500)
        self.asked: list[str] = []
        self.now = 1_000.0
        self.port: GitHubForge

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        return self.answer(request)

    def says(self, status: int, text: str = "{}", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = lambda _: web.Response(status=status, text=text, headers=named)


@pytest.fixture
async def stranger() -> AsyncIterator[Stranger]:
    made = Stranger()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v3"
    made.port = GitHubForge("hub", GitHubToken(TOKEN), url, timeout=5, now=lambda: made.now)
    yield made
    await made.port.close()
    await runner.cleanup()


async def read(stranger: Stranger) -> PrbotError:
    with pytest.raises(PrbotError) as caught:
        await stranger.port.pull_request(PULL)
    assert TOKEN not in f"{caught.value} {caught.value!r}"
    return caught.value


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, ""),
        (200, "<html>Sign in to the hotel's network</html>"),
        (200, "{"),
        (200, "[]"),
        (200, "null"),
        (200, "{}"),
        (200, '{"title": 3}'),
        (204, ""),
        (502, "<html>Bad gateway</html>"),
        (502, "{"),
        (503, "[1, 2]"),
        (500, "null"),
        (408, "{}"),
    ],
)
async def test_no_answer_of_githubs(stranger: Stranger, status: int, text: str) -> None:
    """It takes an answer that is not GitHub's for an illness that will pass."""
    stranger.says(status, text)
    assert isinstance(await read(stranger), ForgeUnavailable)


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (401, '{"message": "Bad credentials"}', "Bad credentials (HTTP 401)"),
        (403, '{"message": "Repository was archived"}', "Repository was archived (HTTP 403)"),
        (403, "<html>No</html>", "(HTTP 403)"),
        (403, "[]", "(HTTP 403)"),
        (400, '{"message": null, "errors": null}', "(HTTP 400)"),
        (422, '{"message": "No", "errors": ["too long"]}', "No: too long (HTTP 422)"),
        (422, '{"message": "No", "errors": "too long"}', "No: too long (HTTP 422)"),
        (422, '{"message": "No", "errors": [{"message": "big"}]}', "No: big (HTTP 422)"),
        (422, '{"message": "No", "errors": [{"field": "sha", "code": "x"}]}', "No: sha x"),
        (307, '{"message": "Moved Permanently"}', "Moved Permanently (HTTP 307)"),
    ],
)
async def test_refusals(stranger: Stranger, status: int, text: str, said: str) -> None:
    """It passes on GitHub's own words when it refuses."""
    stranger.says(status, text)
    error = await read(stranger)
    assert isinstance(error, ForgeRefused)
    assert said in str(error)


async def test_long_refusal(stranger: Stranger) -> None:
    """It keeps an endless message short."""
    stranger.says(403, '{"message": "' + "x" * 100_000 + '"}')
    assert len(str(await read(stranger))) < 500


@pytest.mark.parametrize("status", [400, 401, 403, 422, 500])
async def test_echo_of_the_token(stranger: Stranger, status: int) -> None:
    """It never repeats its token, should a proxy send the request back."""

    def echo(request: web.Request) -> web.Response:
        return web.json_response({"message": dict(request.headers)}, status=status)

    stranger.answer = echo
    await read(stranger)


async def test_echo_of_another_token(stranger: Stranger) -> None:
    stranger.says(403, '{"message": "ghs_0123456789abcdef and eyJhbGciOi.eyJpYXQ.c2ln are bad"}')
    assert "*** and *** are bad" in str(await read(stranger))


# --- limits ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "text", "headers", "wait"),
    [
        (403, "{}", {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "1500"}, 500),
        (429, "{}", {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "1500"}, 500),
        (403, "{}", {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "900"}, 0),
        (403, "{}", {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "soon"}, None),
        (403, "{}", {"X_RateLimit_Remaining": "0"}, 60),
        (403, "{}", {"Retry_After": "7"}, 7),
        (429, "{}", {"Retry_After": "7"}, 7),
        (429, "{}", {"Retry_After": "nan"}, 60),
        (429, "{}", {}, 60),
        (403, '{"message": "You have exceeded a secondary rate limit."}', {}, 60),
        (503, "{}", {"Retry_After": "9"}, 9),
        (503, "{}", {}, None),
    ],
)
async def test_when_to_come_back(
    stranger: Stranger, status: int, text: str, headers: dict[str, str], wait: float | None
) -> None:
    """It reads from the headers how long to wait."""
    stranger.says(status, text, **headers)
    error = await read(stranger)
    assert isinstance(error, ForgeUnavailable)
    assert error.retry_after == wait


async def test_last_call_of_the_hour(stranger: Stranger) -> None:
    """It uses the last call, and then waits without having been told no."""
    stranger.says(
        200, '{"permission": "write"}', X_RateLimit_Remaining="0", X_RateLimit_Reset="1500"
    )
    assert (await stranger.port.permission(REPO, Login("ann"))).can_write
    error = await read(stranger)
    assert isinstance(error, ForgeUnavailable)
    assert error.retry_after == 500
    assert len(stranger.asked) == 1
    stranger.now = 1501
    assert (await stranger.port.permission(REPO, Login("ann"))).can_write


@pytest.mark.parametrize("word", ["none", "maintain", "owner", ""])
async def test_unknown_permission(stranger: Stranger, word: str) -> None:
    """It grants nothing for a word it does not know."""
    stranger.says(200, f'{{"permission": "{word}"}}')
    assert not (await stranger.port.permission(REPO, Login("ann"))).can_write


# --- shape of the conversation -----------------------------------------------------------

MARKER = "<!-- m -->"


@pytest.mark.parametrize(
    ("act", "asked"),
    [
        (lambda port: port.pull_request(PULL), ["GET /repos/acme/infra/pulls/1"]),
        (
            lambda port: port.set_status(
                REPO, Sha("a" * 40), "prbot/plan", StatusState.PENDING, ""
            ),
            ["POST /repos/acme/infra/statuses/" + "a" * 40],
        ),
        (
            lambda port: port.react(PULL, 7),
            ["POST /repos/acme/infra/issues/comments/7/reactions"],
        ),
        (
            lambda port: port.upsert_comment(PULL, MARKER, MARKER, 7),
            ["PATCH /repos/acme/infra/issues/comments/7"],
        ),
        (
            lambda port: port.permission(REPO, Login("dependabot[bot]")),
            ["GET /repos/acme/infra/collaborators/dependabot[bot]/permission"],
        ),
    ],
)
async def test_one_request(
    stranger: Stranger,
    act: Callable[[GitHubForge], Coroutine[Any, Any, object]],
    asked: list[str],
) -> None:
    """It asks what docs/forge-port.md says, once, and nothing besides."""
    await asyncio.gather(act(stranger.port), return_exceptions=True)
    assert stranger.asked == [line.replace(" ", " /api/v3") for line in asked]


async def test_headers(stranger: Stranger) -> None:
    """It says who it is and which version of the API it speaks."""
    seen: dict[str, str] = {}

    def look(request: web.Request) -> web.Response:
        seen.update(request.headers)
        return web.json_response({})

    stranger.answer = look
    await read(stranger)
    assert seen["User-Agent"] == "prbot"
    assert seen["Authorization"] == f"Bearer {TOKEN}"
    assert seen["X-GitHub-Api-Version"] == "2022-11-28"


async def test_redirect_elsewhere(stranger: Stranger) -> None:
    """It does not carry its token to another host."""
    stranger.says(301, "", Location="http://evil.test/api/v3/repos/acme/infra/pulls/1")
    error = await read(stranger)
    assert isinstance(error, ForgeRefused)
    assert "evil" not in str(error)


@pytest.mark.parametrize(
    ("api_url", "clone"),
    [
        ("https://api.github.com", "https://github.com/acme/infra.git"),
        ("https://git.acme.test/api/v3", "https://git.acme.test/acme/infra.git"),
        ("https://git.acme.test:8443/api/v3/", "https://git.acme.test:8443/acme/infra.git"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com/acme/infra.git"),
    ],
)
async def test_clone_url(api_url: str, clone: str) -> None:
    """It derives where git fetches from where the API is."""
    port = GitHubForge("hub", GitHubToken(TOKEN), api_url)
    assert (await port.clone_access(REPO)).url == clone
    await port.close()


def test_the_longest_wait_counts() -> None:
    """It keeps to the primary limit's reset when another call hears of a shorter wait."""
    limits = github_limits.Limits(lambda: 1000.0)
    used_up = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1600"}
    for headers in (used_up, {"retry-after": "5"}):
        limits.note("acme", github_limits.Answer(403, headers, "{}"))
    assert limits.wait("acme") == 600
    assert limits.wait("other") == 0
