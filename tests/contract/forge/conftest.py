"""A running demo forge with one pull request, and each adapter signed in to it."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from prbot.adapters.github import GitHubApp, GitHubForge, GitHubToken
from prbot.demo.forge import DemoForge
from prbot.demo.state import App, Pull
from prbot.model import Login, PullRef, RepoRef

TOKEN = "ghp_" + "t0k3n" * 7
NAME = "acme/infra"
SILENT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
APP_RIGHTS = {
    "checks": "write",
    "contents": "read",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}


@dataclass
class Key:
    private: str
    public: bytes


def _new_key() -> Key:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = made.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Key(private.decode(), public)


@pytest.fixture(scope="session")
def key() -> Key:
    """An App's key pair; made once, because that takes a moment."""
    return _new_key()


@pytest.fixture(scope="session")
def other_key() -> Key:
    """Another App's."""
    return _new_key()


async def git(*args: str, cwd: Path) -> int:
    """Real git, without the machine's own configuration; the exit code."""
    process = await asyncio.create_subprocess_exec(
        *("git", *args),
        cwd=cwd,
        env=os.environ | SILENT | {"GIT_TERMINAL_PROMPT": "0"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    return await process.wait()


@pytest.fixture
def run_git() -> Callable[..., Awaitable[int]]:
    return git


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with `main` and a branch `topic` that is one commit ahead; read only."""
    tree = tmp_path_factory.mktemp("source")

    def run(*args: str) -> None:
        me = ("-c", "user.name=ann", "-c", "user.email=ann@forge.test")
        subprocess.run(["git", *me, *args], cwd=tree, env=os.environ | SILENT, check=True)

    run("init", "-q", "-b", "main")
    (tree / "main.tf").write_text("terraform {}\n")
    run("add", ".")
    run("commit", "-qm", "first")
    run("switch", "-qc", "topic")
    (tree / "main.tf").write_text("terraform {}\n# more\n")
    run("commit", "-qam", "more")
    run("switch", "-q", "main")
    return tree


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[DemoForge]:
    forge = DemoForge(tmp_path / "forge")
    await forge.start()
    yield forge
    await forge.stop()


class Clock:
    """The time as the adapter sees it: the real one, plus what a test adds."""

    def __init__(self, demo: DemoForge) -> None:
        self._demo = demo
        self.ahead = 0.0

    def now(self) -> float:
        return self._demo.now().timestamp() + self.ahead


@dataclass
class Scene:
    """`port` is what is tested; `bot` its login; `clock` shifts its time, in seconds."""

    demo: DemoForge
    port: GitHubForge
    bot: Login
    pull: Pull
    clock: Clock
    app: App | None = None

    repo = RepoRef("hub", NAME)

    @property
    def ref(self) -> PullRef:
        return PullRef(self.repo, self.pull.number)

    @property
    def bodies(self) -> list[tuple[str, str]]:
        """(author, body) of each comment, oldest first."""
        comments = self.pull.repo.comments.values()
        return [(comment.user.login, comment.body) for comment in comments]


@pytest.fixture(params=["token", "app"])
def identity(request: pytest.FixtureRequest) -> str:
    """How the adapter signs in."""
    return str(request.param)


@pytest.fixture
def private() -> bool:
    """Whether the repository is; tests override it by parametrisation."""
    return True


@pytest.fixture
async def scene(
    demo: DemoForge, source: Path, key: Key, identity: str, private: bool
) -> AsyncIterator[Scene]:
    people = {"ann": "write", "bob": "write", "carl": "admin", "rita": "read"}
    for login in (*people, "eve"):
        demo.create_user(login)
    await demo.create_repository(NAME, source, private=private, collaborators=people)
    pull = await demo.open_pull(NAME, head="topic", title="More", author="ann")
    clock, app = Clock(demo), None
    auth: GitHubToken | GitHubApp = GitHubToken(TOKEN)
    if identity == "app":
        app = demo.create_app("prbot", "acme", key.public, APP_RIGHTS)
        demo.install(app, [NAME])
        auth = GitHubApp(app.id, key.private)
    else:
        demo.create_user("prbot", token=TOKEN)
        demo.set_permission(NAME, "prbot", "write")
    port = GitHubForge("hub", auth, demo.api_url, demo.url, timeout=1, now=clock.now)
    yield Scene(demo, port, Login("prbot[bot]" if app else "prbot"), pull, clock, app)
    await port.close()


@pytest.fixture
async def sign_in(demo: DemoForge) -> AsyncIterator[Callable[..., GitHubForge]]:
    """Further adapters at the same forge, closed at the end."""
    async with AsyncExitStack() as stack:

        def make(auth: GitHubToken | GitHubApp, api_url: str | None = None) -> GitHubForge:
            port = GitHubForge("hub", auth, api_url or demo.api_url, demo.url, timeout=1)
            stack.push_async_callback(port.close)
            return port

        yield make
