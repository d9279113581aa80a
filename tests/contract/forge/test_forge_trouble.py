"""What every forge adapter must say when the forge is ill, busy or says no."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from prbot.adapters.github import GitHubToken
from prbot.errors import PrbotError
from prbot.errors.forge import ForgeRefused, ForgeUnavailable, NotFound

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_ill(scene: Scene, status: int) -> None:
    """It tells that the forge is ill, tries only once, and works when the forge does."""
    scene.demo.fail_next("GET", scene.wire.pull, status)
    with pytest.raises(ForgeUnavailable) as caught:
        await scene.port.pull_request(scene.ref)
    assert f"HTTP {status}" in str(caught.value)
    assert caught.value.retry_after is None
    assert scene.port.requests_sent == scene.wire.calls
    assert (await scene.port.pull_request(scene.ref)).open


async def test_cut_connection(scene: Scene) -> None:
    scene.demo.fail_next("GET", scene.wire.pull, 0)
    with pytest.raises(ForgeUnavailable):
        await scene.port.pull_request(scene.ref)


@pytest.mark.parametrize("patience", [1])
async def test_hang(scene: Scene) -> None:
    """It does not wait for ever."""
    scene.demo.fail_next("GET", scene.wire.pull, hang=True)
    with pytest.raises(ForgeUnavailable) as caught:
        await scene.port.pull_request(scene.ref)
    assert "within 1 s" in str(caught.value)
    scene.demo.faults.let_go()


async def test_forge_is_down(scene: Scene) -> None:
    await scene.demo.stop()
    with pytest.raises(ForgeUnavailable):
        await scene.port.pull_request(scene.ref)


async def test_used_up_limit(scene: Scene) -> None:
    """It says when to come back, sends nothing until then, and then goes on."""
    scene.demo.exhaust_rate_limit(scene.bot, timedelta(minutes=10))
    with pytest.raises(ForgeUnavailable) as caught:
        await scene.port.pull_request(scene.ref)
    assert caught.value.retry_after == pytest.approx(600, abs=5)
    sent = scene.port.requests_sent
    with pytest.raises(ForgeUnavailable) as caught:
        await scene.port.react(scene.ref, 1)
    assert caught.value.retry_after == pytest.approx(600, abs=5)
    assert scene.port.requests_sent == sent
    scene.demo.restore_rate_limit(scene.bot)
    scene.clock.ahead = 601
    assert (await scene.port.pull_request(scene.ref)).open


async def test_secondary_limit(scene: Scene) -> None:
    """It keeps to the forge's Retry-After."""
    scene.demo.slow_down(scene.bot, 33)
    with pytest.raises(ForgeUnavailable) as caught:
        await scene.port.pull_request(scene.ref)
    assert caught.value.retry_after == pytest.approx(33, abs=2)
    scene.demo.restore_rate_limit(scene.bot)
    scene.clock.ahead = 34
    assert (await scene.port.pull_request(scene.ref)).open


@pytest.mark.parametrize("identity", ["token", "personal"])
async def test_wrong_token(scene: Scene, sign_in: Any) -> None:
    """It says that the forge refuses, and never what the token was."""
    port = sign_in(GitHubToken("ghp_wrong0123456789"))
    for question in (port.probe(), port.pull_request(scene.ref)):
        with pytest.raises(ForgeRefused) as caught:
            await question
        assert "ghp_wrong" not in _everything(caught.value)
        assert scene.wire.bad_token in str(caught.value)


@pytest.mark.parametrize("identity", ["token", "personal"])
async def test_token_from_a_file(scene: Scene, sign_in: Any) -> None:
    """It takes a token with the newline its file ends with, but not an empty one."""
    scene.demo.create_user("amy", token="amys-token")
    assert await sign_in(GitHubToken("amys-token\n")).bot_login() == "amy"
    with pytest.raises(ForgeRefused):
        sign_in(GitHubToken("\n"))


@pytest.mark.parametrize("identity", ["token", "personal"])
async def test_missing_right(scene: Scene, sign_in: Any) -> None:
    """It passes on why the forge refuses."""
    scene.demo.set_permission("acme/infra", "ann", "write")
    rights = {"metadata": "read", "pull_requests": "read", "read_api": "read"}
    weak = scene.demo.create_token("ann", rights)
    port = sign_in(GitHubToken(weak))
    assert (await port.pull_request(scene.ref)).open
    with pytest.raises(ForgeRefused) as caught:
        await port.upsert_comment(scene.ref, "<!-- m -->", "<!-- m -->", None)
    assert scene.wire.weak_token in str(caught.value)


@pytest.mark.parametrize("identity", ["token", "personal"])
async def test_invisible_repository(scene: Scene, sign_in: Any) -> None:
    scene.demo.create_user("zoe", token="zoes-token")
    with pytest.raises(NotFound):
        await sign_in(GitHubToken("zoes-token")).pull_request(scene.ref)


def _everything(error: PrbotError) -> str:
    """All that a log or a comment could show of an error."""
    return f"{error} {error!r} {error.next_step} {error.args} {error.__cause__!r}"
