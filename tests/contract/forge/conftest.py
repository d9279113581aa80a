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
from gitlab_api import request_faults

from prbot.adapters.github import GitHubApp, GitHubForge, GitHubToken
from prbot.adapters.gitlab import GitLabForge
from prbot.demo.forge import DemoForge
from prbot.demo.gitlab.api import GitLabApi
from prbot.demo.state import App, Pull
from prbot.model import Login, PullRef, RepoRef

TOKEN = "ghp_" + "t0k3n" * 7
NAME = "acme/infra"
PATIENCE = 30
SILENT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
APP_RIGHTS = {
    "checks": "write",
    "contents": "read",
    "issues": "write",
    "members": "read",
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
async def demo(tmp_path: Path, identity: str) -> AsyncIterator[DemoForge]:
    kind = "github" if identity in GITHUB else "gitlab"
    forge = DemoForge(tmp_path / "forge", kind=kind)
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


@dataclass(frozen=True)
class Wire:
    """The pull request, its comments, who may do what, new comments; `too_long` a comment is
    refused at; `calls` a pull request takes to read."""

    pull: str
    comments: str
    permission: str
    news: str
    too_long: int
    calls: int
    bad_token: str
    other_head: str
    weak_token: str


WIRES = {
    "github": Wire(
        pull="/pulls/1$",
        comments="/comments$",
        permission="/permission$",
        news="/issues/comments$",
        too_long=70_000,
        calls=1,
        bad_token="Bad credentials",
        other_head="Head branch was modified",
        weak_token="not accessible",
    ),
    "gitlab": Wire(
        pull="/merge_requests/1$",
        comments="/notes$",
        permission="/members/all$",
        news="/events$",
        too_long=1_000_100,
        calls=2,
        bad_token="401 Unauthorized",
        other_head="SHA does not match HEAD of source branch",
        weak_token="higher privileges",
    ),
}


@dataclass
class Scene:
    """`port` is what is tested; `bot` its login; `clock` shifts its time, in seconds."""

    demo: DemoForge
    port: GitHubForge | GitLabForge
    bot: Login
    pull: Pull
    clock: Clock
    app: App | None = None

    repo = RepoRef("hub", NAME)

    @property
    def gitlab(self) -> bool:
        return self.demo.customs.kind == "gitlab"

    @property
    def wire(self) -> Wire:
        """Where on the forge's API things are, as patterns of paths."""
        return WIRES[self.demo.customs.kind]

    @property
    def ref(self) -> PullRef:
        return PullRef(self.repo, self.pull.number)

    @property
    def bodies(self) -> list[tuple[str, str]]:
        """(author, body) of each comment, oldest first."""
        comments = self.pull.repo.comments.values()
        return [(comment.user.login, comment.body) for comment in comments]


GITHUB = ("token", "app")
IDENTITIES = {"github": GITHUB, "gitlab": ("personal",)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`identity` is every way to sign in to every forge that `--forge` names; a test that is
    for some of them says so by parametrising it."""
    own = [str(m.args[0]) for m in metafunc.definition.iter_markers("parametrize")]
    if "identity" in metafunc.fixturenames and "identity" not in own:
        kinds = metafunc.config.getoption("forge") or IDENTITIES
        metafunc.parametrize("identity", [one for kind in kinds for one in IDENTITIES[kind]])


@pytest.fixture
def identity(request: pytest.FixtureRequest) -> str:
    """How the adapter signs in."""
    return str(request.param)  # pragma: no cover - always parametrised


@pytest.fixture
def private() -> bool:
    """Whether the repository is; tests override it by parametrisation."""
    return True


@pytest.fixture
def patience() -> int:
    """Seconds until an adapter gives up a call; a test in which no answer comes says one."""
    return PATIENCE


@pytest.fixture
async def scene(
    demo: DemoForge, source: Path, key: Key, identity: str, private: bool, patience: int
) -> AsyncIterator[Scene]:
    people = {"ann": "write", "bob": "write", "carl": "admin", "rita": "read"}
    for login in (*people, "eve"):
        demo.create_user(login)
    await demo.create_repository(NAME, source, private=private, collaborators=people)
    pull = await demo.open_pull(NAME, head="topic", title="More", author="ann")
    clock, app = Clock(demo), None
    if identity not in GITHUB:
        token, bot = _gitlab_identity(demo, identity)
        lab = GitLabForge("hub", token, demo.api_url, demo.url, timeout=patience, now=clock.now)
        yield Scene(demo, lab, Login(bot), pull, clock)
        await lab.close()
        assert undescribed(demo) == []
        return
    auth: GitHubToken | GitHubApp = GitHubToken(TOKEN)
    if identity == "app":
        app = demo.create_app("prbot", "acme", key.public, APP_RIGHTS)
        demo.install(app, [NAME])
        auth = GitHubApp(app.id, key.private)
    else:
        demo.create_user("prbot", token=TOKEN)
        demo.set_permission(NAME, "prbot", "write")
    port = GitHubForge("hub", auth, demo.api_url, demo.url, timeout=patience, now=clock.now)
    yield Scene(demo, port, Login("prbot[bot]" if app else "prbot"), pull, clock, app)
    await port.close()


def undescribed(demo: DemoForge) -> list[str]:
    """What was asked of the forge in this test that is not in what is known of GitLab."""
    assert isinstance(demo.api, GitLabApi)
    asked = sorted(demo.api.asked)
    return [fault for method, path, name in asked for fault in _faults(method, path, name)]


def _faults(method: str, path: str, name: str) -> list[str]:
    return request_faults(method, path, [name] if name else [])


def _gitlab_identity(demo: DemoForge, identity: str) -> tuple[str, str]:
    """A token and whose it is."""
    if identity == "project":
        token = demo.create_project_token(NAME, "write", "api")
    elif identity == "group":
        token = demo.create_group_token("acme", "write", "api")
    else:
        demo.create_user("prbot", token=TOKEN)
        demo.set_permission(NAME, "prbot", "write")
        token = demo.tokens[TOKEN]
    return token.value, token.user.login


@pytest.fixture
async def sign_in(demo: DemoForge) -> AsyncIterator[Callable[..., GitHubForge | GitLabForge]]:
    """Further adapters at the same forge, closed at the end."""
    async with AsyncExitStack() as stack:

        def make(
            auth: GitHubToken | GitHubApp, api_url: str | None = None
        ) -> GitHubForge | GitLabForge:
            port: GitHubForge | GitLabForge
            url = api_url or demo.api_url
            if demo.customs.kind == "gitlab":
                assert isinstance(auth, GitHubToken)
                port = GitLabForge("hub", auth.value, url, demo.url, timeout=PATIENCE)
            else:
                port = GitHubForge("hub", auth, url, demo.url, timeout=PATIENCE)
            stack.push_async_callback(port.close)
            return port

        yield make
