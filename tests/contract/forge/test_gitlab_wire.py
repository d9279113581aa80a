"""Answers GitLab would not give, but proxies, load balancers and strangers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from aiohttp import web

from prbot.adapters import gitlab_limits
from prbot.adapters.gitlab import GitLabForge
from prbot.errors import PrbotError
from prbot.errors.forge import ForgeRefused, ForgeUnavailable
from prbot.model import Login, PullRef, RepoRef, Sha
from prbot.ports.forge import StatusState

TOKEN = "glpat-secret0123456789"
REPO = RepoRef("lab", "acme/platform/infra")
PULL = PullRef(REPO, 1)
PROJECT = "/projects/acme%2Fplatform%2Finfra"


class Stranger:
    """A server that gives whatever answer it was told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: Callable[[web.Request], web.Response] = lambda _: web.Response(status=500)
        self.asked: list[str] = []
        self.now = 1_000.0
        self.port: GitLabForge

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.raw_path.removeprefix('/git/api/v4')}")
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
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/git/api/v4"
    made.port = GitLabForge("lab", TOKEN, url, timeout=5, now=lambda: made.now)
    yield made
    await made.port.close()
    await runner.cleanup()


async def read(stranger: Stranger) -> PrbotError:
    with pytest.raises(PrbotError) as caught:
        await stranger.port.bot_login()
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
        (200, '{"username": 3}'),
        (204, ""),
        (502, "<html>Bad gateway</html>"),
        (503, "[1, 2]"),
        (500, "null"),
        (408, "{}"),
    ],
)
async def test_no_answer_of_gitlabs(stranger: Stranger, status: int, text: str) -> None:
    """It takes an answer that is not GitLab's for an illness that will pass, and asks once."""
    stranger.says(status, text)
    assert isinstance(await read(stranger), ForgeUnavailable)
    assert stranger.asked == ["GET /user"]


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (401, '{"message": "401 Unauthorized"}', "401 Unauthorized (HTTP 401)"),
        (403, '{"message": "403 Forbidden"}', "403 Forbidden (HTTP 403)"),
        (403, '{"error": "insufficient_scope", "error_description": "more"}', "more (HTTP 403)"),
        (403, "<html>No</html>", "(HTTP 403)"),
        (403, "[]", "(HTTP 403)"),
        (400, '{"message": {"note": ["is too long", "no"]}}', "note is too long, no (HTTP 400)"),
        (400, '{"message": null}', "(HTTP 400)"),
        (400, '{"error": "state is missing"}', "state is missing (HTTP 400)"),
    ],
)
async def test_refusals(stranger: Stranger, status: int, text: str, said: str) -> None:
    """It passes on GitLab's own words when it refuses."""
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
    stranger.says(403, '{"message": "glpat-0123456789abcdef and gldt-abc.def are bad"}')
    assert "*** and *** are bad" in str(await read(stranger))


async def test_redirect_elsewhere(stranger: Stranger) -> None:
    """It does not carry its token to another host."""
    stranger.says(301, "", Location="http://evil.test/api/v4/user")
    error = await read(stranger)
    assert isinstance(error, ForgeRefused)
    assert "evil" not in str(error)
    assert "api_url" in str(error)


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"Retry_After": "7"}, 7),
        (429, {"RateLimit_Remaining": "0", "RateLimit_Reset": "1500"}, 500),
        (429, {"RateLimit_Remaining": "0", "RateLimit_Reset": "900"}, 0),
        (429, {"RateLimit_Remaining": "0"}, 60),
        (429, {"Retry_After": "nan"}, 60),
        (429, {}, 60),
        (503, {"Retry_After": "9"}, 9),
        (503, {}, None),
    ],
)
async def test_when_to_come_back(
    stranger: Stranger, status: int, headers: dict[str, str], wait: float | None
) -> None:
    """It reads from the headers how long to wait, and waits in no thread."""
    stranger.says(status, "Retry later", **headers)
    error = await read(stranger)
    assert isinstance(error, ForgeUnavailable)
    assert error.retry_after == wait
    assert len(stranger.asked) == 1


async def test_last_call_of_the_minute(stranger: Stranger) -> None:
    """It uses the last call, and then waits without having been told no."""
    stranger.says(200, '{"username": "prbot"}', RateLimit_Remaining="0", RateLimit_Reset="1030")
    assert await stranger.port.bot_login() == "prbot"
    with pytest.raises(ForgeUnavailable) as caught:
        await stranger.port.probe()
    assert caught.value.retry_after == 30
    assert len(stranger.asked) == 1
    stranger.now = 1031
    await stranger.port.probe()


def test_the_longest_wait_counts() -> None:
    """It keeps to the longer wait when another call hears of a shorter one."""
    limits = gitlab_limits.Limits(lambda: 1000.0)
    for after in ("600", "5"):
        limits.note(gitlab_limits.Answer(429, {"retry-after": after}, ""))
    assert limits.wait == 600


@pytest.mark.parametrize(
    ("act", "asked"),
    [
        (
            lambda port: port.set_status(
                REPO, Sha("a" * 40), "prbot/plan", StatusState.PENDING, ""
            ),
            f"POST {PROJECT}/statuses/{'a' * 40}",
        ),
        (
            lambda port: port.react(PULL, 7),
            f"POST {PROJECT}/merge_requests/1/notes/7/award_emoji",
        ),
        (
            lambda port: port.upsert_comment(PULL, "<!-- m -->", "<!-- m -->", 7),
            f"PUT {PROJECT}/merge_requests/1/notes/7",
        ),
        (
            lambda port: port.permission(REPO, Login("a&b=c/../d")),
            f"GET {PROJECT}/members/all?query=a%26b%3Dc%2F..%2Fd&per_page=100&page=1",
        ),
    ],
)
async def test_one_request(
    stranger: Stranger, act: Callable[[GitLabForge], Coroutine[Any, Any, object]], asked: str
) -> None:
    """It asks what docs/forge-port.md says, once, and nothing besides."""
    await asyncio.gather(act(stranger.port), return_exceptions=True)
    assert stranger.asked == [asked]


async def test_headers(stranger: Stranger) -> None:
    """It says who it is, and shows its token to nobody else's header."""
    seen: dict[str, str] = {}

    def look(request: web.Request) -> web.Response:
        seen.update(request.headers)
        return web.json_response({})

    stranger.answer = look
    await read(stranger)
    assert (seen["User-Agent"], seen["PRIVATE-TOKEN"]) == ("prbot", TOKEN)
    assert "Authorization" not in seen


@pytest.mark.parametrize(
    ("api_url", "clone"),
    [
        ("https://gitlab.com/api/v4", "https://gitlab.com/acme/platform/infra.git"),
        ("https://acme.test:8443/api/v4/", "https://acme.test:8443/acme/platform/infra.git"),
        ("https://acme.test/git/api/v4", "https://acme.test/git/acme/platform/infra.git"),
    ],
)
async def test_clone_url(api_url: str, clone: str) -> None:
    """It derives where git fetches from where the API is, and tells what is secret first."""
    told: list[str] = []
    port = GitLabForge("lab", f"{TOKEN}\n", api_url, register=told.append)
    access = await port.clone_access(REPO)
    assert (access.url, told) == (clone, [TOKEN])
    assert TOKEN not in repr(access)
    await port.close()


def test_an_empty_token() -> None:
    with pytest.raises(ForgeRefused, match="token is empty"):
        GitLabForge("lab", " \n")
