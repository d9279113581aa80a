"""A demo forge with people in it, and GitHub's descriptions to hold it against."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7, DRAFT202012

from prbot.demo.forge import DemoForge
from prbot.demo.hooks import Hook
from prbot.demo.state import Pull

SECRET = "a shared secret"
PEOPLE = ("alice", "bob", "carol")
WHO = {
    "GIT_AUTHOR_NAME": "alice",
    "GIT_AUTHOR_EMAIL": "alice@example.com",
    "GIT_COMMITTER_NAME": "alice",
    "GIT_COMMITTER_EMAIL": "alice@example.com",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "PATH": os.environ["PATH"],
    "HOME": os.devnull,
}


def git(directory: Path, *arguments: str, check: bool = True) -> str:
    """Real git, as a person would run it; not in the forge's event loop."""
    done = subprocess.run(
        ["git", *arguments], cwd=directory, env=WHO, capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        raise AssertionError(done.stderr)
    return (done.stdout if check else done.stdout + done.stderr).strip()


def commit(directory: Path, message: str, files: dict[str, str | bytes | None]) -> str:
    """Write or remove files and commit; returns the commit's id."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", message)
    return git(directory, "rev-parse", "HEAD")


@dataclass(frozen=True)
class Tools:
    """What tests call on a work tree: `git(directory, *arguments)` and `commit`."""

    git = staticmethod(git)
    commit = staticmethod(commit)


@pytest.fixture
def tools() -> Tools:
    return Tools()


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository to read: `main`, `topic`, and `clash`, which conflicts with `late`."""
    directory = tmp_path_factory.mktemp("source")
    git(directory, "init", "--quiet", "--initial-branch", "main")
    commit(directory, "First", {"main.tf": "a = 1\n", "old name.tf": "same\n" * 9})
    for branch, files in {
        "topic": {
            "new/ünï.tf": "b = 1\n",
            "logo.png": b"\x00\x01",
            "old name.tf": None,
            "new name.tf": "same\n" * 9,
        },
        "clash": {"main.tf": "a = 2\n"},
        "late": {"main.tf": "a = 3\n"},
    }.items():
        git(directory, "checkout", "--quiet", "-b", branch, "main")
        commit(directory, f"Make {branch}", files)
    git(directory, "checkout", "--quiet", "main")
    return directory


@pytest.fixture
async def forge(tmp_path: Path, source: Path) -> AsyncIterator[DemoForge]:
    """alice and bob may write, carol reads; prbot is a bot that may write."""
    forge = DemoForge(tmp_path / "forge")
    await forge.start()
    for login in PEOPLE:
        forge.create_user(login, token=f"{login}-token")
    forge.create_user("prbot", "Bot", token="prbot-token")
    forge.create_user("root", token="root-token")
    levels = {"alice": "write", "bob": "write", "prbot": "write", "root": "admin"}
    await forge.create_repository("acme/infra", source, collaborators=levels)
    await forge.create_repository("acme/secret", source, private=True, collaborators=levels)
    yield forge
    await forge.stop()


@pytest.fixture
async def pull(forge: DemoForge) -> Pull:
    return await forge.open_pull("acme/infra", head="topic", title="A topic", author="alice")


# --- webhooks -------------------------------------------------------------------------------


@dataclass
class Receiver:
    """A server that takes webhooks and answers `status`."""

    url: str = ""
    status: int = 202
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hooks", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/hooks"
    yield receiver
    await runner.cleanup()


@pytest.fixture
def hook(forge: DemoForge, receiver: Receiver) -> Hook:
    return forge.add_hook(receiver.url, SECRET)


# --- asking the API -------------------------------------------------------------------------


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass
class Client:
    session: aiohttp.ClientSession
    forge: DemoForge

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: str | None = "bob",
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Ask as `by` (None: anonymous), or with a given token."""
        secret = token or (f"{by}-token" if by else None)
        sent = {**(headers or {}), **({"Authorization": f"Bearer {secret}"} if secret else {})}
        url = self.forge.api_url + path
        async with self.session.request(method, url, json=body, headers=sent) as answer:
            text = await answer.text()
            return Reply(answer.status, json.loads(text) if text else None, answer.headers)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def ask(forge: DemoForge, session: aiohttp.ClientSession) -> Client:
    return Client(session, forge)


# --- GitHub's descriptions ------------------------------------------------------------------


class Descriptions:
    """GitHub's OpenAPI 3.0 description and the webhooks' JSON Schemas."""

    def __init__(self, octokit: Path) -> None:
        text = (octokit / "openapi" / "generated" / "api.github.com.json").read_text()
        self._api = _json_schema(json.loads(text))
        self._hooks = json.loads((octokit / "webhooks-schemas" / "schema.json").read_text())
        api = Resource(contents=self._api, specification=DRAFT202012)
        hooks = Resource(contents=self._hooks, specification=DRAFT7)
        self._registry: Registry[Any] = Registry().with_resources(
            [("urn:api", api), ("urn:hooks", hooks)]
        )

    def answer_faults(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """What GitHub's description does not allow in this answer."""
        responses = self._api["paths"][path][method.lower()]["responses"]
        known = responses.get(str(status))
        if known is None and status < 400:
            return [f"GitHub never answers {status} here"]
        if known is None:  # errors are listed incompletely; their shape is the same everywhere
            return self._api_faults("basic-error", body)
        if "$ref" in known:
            known = self._api["components"]["responses"][known["$ref"].split("/")[-1]]
        content = known.get("content", {}).get("application/json")
        if content is None:
            return self._api_faults("basic-error", body) if body is not None else []
        return self._faults(Draft202012Validator, "urn:api", content["schema"], body)

    def _api_faults(self, name: str, body: Any) -> list[str]:
        schema = {"$ref": f"#/components/schemas/{name}"}
        return self._faults(Draft202012Validator, "urn:api", schema, body)

    def webhook_faults(self, event: str, payload: Any) -> list[str]:
        action = payload.get("action", "event")
        schema = {"$ref": f"#/definitions/{event}${action}"}
        return self._faults(Draft7Validator, "urn:hooks", schema, payload)

    def _faults(self, kind: Any, root: str, schema: Any, value: Any) -> list[str]:
        placed = json.loads(json.dumps(schema).replace('"#/', f'"{root}#/'))
        validator = kind(placed, registry=self._registry, format_checker=kind.FORMAT_CHECKER)
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def _json_schema(node: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: `nullable` becomes a choice with null."""
    if isinstance(node, list):
        return [_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _json_schema(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain


@pytest.fixture(scope="session")
def descriptions(octokit: Path) -> Descriptions:
    return Descriptions(octokit)
