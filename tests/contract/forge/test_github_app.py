"""A GitHub App's tokens: found per repository, kept, renewed, found again."""

from __future__ import annotations

from typing import Any

import pytest

from prbot.adapters.github import GitHubApp
from prbot.errors.forge import ForgeRefused, NotFound

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any

pytestmark = pytest.mark.parametrize("identity", ["app"])


def tokens(scene: Scene) -> list[str]:
    """The installation tokens the forge has made, oldest first."""
    return [value for value, token in scene.demo.tokens.items() if token.installation]


async def test_token_is_kept(scene: Scene) -> None:
    """It asks for one token, however many calls there are."""
    for _ in range(3):
        await scene.port.pull_request(scene.ref)
    await scene.port.clone_access(scene.repo)
    assert len(tokens(scene)) == 1


async def test_token_is_renewed(scene: Scene) -> None:
    """It has a new token in hand before the hour of the old one is over."""
    first = await scene.port.clone_access(scene.repo)
    scene.clock.ahead = 56 * 60
    second = await scene.port.clone_access(scene.repo)
    assert first.header != second.header
    assert len(tokens(scene)) == 2


async def test_token_ends_early(scene: Scene) -> None:
    """It goes on with a new token when the forge no longer takes the old one."""
    await scene.port.pull_request(scene.ref)
    del scene.demo.tokens[tokens(scene)[0]]
    assert (await scene.port.pull_request(scene.ref)).open


async def test_refused_twice(scene: Scene) -> None:
    """It gives up when a new token is refused, too."""
    scene.demo.fail_next("GET", "/pulls/1$", 401, times=3)
    with pytest.raises(ForgeRefused):
        await scene.port.pull_request(scene.ref)
    assert scene.port.requests_sent == 2


async def test_installed_again(scene: Scene) -> None:
    """It finds the new installation after the App was taken away and installed again."""
    await scene.port.pull_request(scene.ref)
    scene.demo.installations.clear()
    for token in tokens(scene):
        del scene.demo.tokens[token]
    scene.demo.install(scene.app, ["acme/infra"])
    assert (await scene.port.pull_request(scene.ref)).open


async def test_not_installed(scene: Scene) -> None:
    scene.demo.installations.clear()
    with pytest.raises(NotFound):
        await scene.port.pull_request(scene.ref)


async def test_wrong_key(scene: Scene, sign_in: Any, other_key: Any) -> None:
    """It says that the forge refuses an App whose key is another one's."""
    port = sign_in(GitHubApp(scene.app.id, other_key.private))
    for question in (port.probe(), port.pull_request(scene.ref)):
        with pytest.raises(ForgeRefused) as caught:
            await question
        assert "eyJ" not in str(caught.value)


@pytest.mark.parametrize("bad", ["", "no key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"])
async def test_no_key(scene: Scene, sign_in: Any, bad: str) -> None:
    """It refuses at the start what is no private key, without showing it."""
    with pytest.raises(ForgeRefused) as caught:
        sign_in(GitHubApp(scene.app.id, bad))
    assert "PEM" in str(caught.value)
    assert not bad or bad not in str(caught.value)


async def test_credentials_do_not_show(scene: Scene, key: Any) -> None:
    assert key.private not in repr(GitHubApp(1, key.private))
