"""A mirror of releases on this machine, with a key of its own, and programs that can be told
apart: each says which version it is."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import tarfile
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from pysequoia import SignatureMode, Tsk, sign

from prbot.adapters.release_sites import this_platform

PROGRAM = """#!/bin/sh
# the program called {tool}, in version {version}
printf '{{"terraform_version": "{version}"}}\\n'
"""
KEY = Tsk.generate("A mirror of the tests <mirror@example.org>")
STRANGER = Tsk.generate("Somebody else <else@example.org>")


def program(tool: str, version: str) -> bytes:
    return PROGRAM.format(tool=tool, version=version).encode()


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def signed(data: bytes, key: Tsk = KEY) -> bytes:
    return sign(key.signer(), data, mode=SignatureMode.DETACHED)


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Mirror:
    """Serves `files` by path, and counts what was asked; a function answers by itself."""

    url: str = ""
    files: dict[str, bytes | Answer] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.path] += 1
        found = self.files.get(request.path)
        if found is None:
            return web.Response(status=404, text="no such file")
        return web.Response(body=found) if isinstance(found, bytes) else await found(request)

    @property
    def downloads(self) -> int:
        return sum(n for path, n in self.asked.items() if path.endswith((".zip", ".tar.gz")))

    def terraform(self, *versions: str, **changed: bytes) -> None:
        """Release these; `changed` puts other bytes in the place of `archive`, `sums` or
        `signature`, and tells the checksum of `hashed`."""
        builds = {}
        for version in versions:
            name = f"terraform_{version}_{this_platform()}.zip"
            archive = zipped({"terraform": program("terraform", version), "LICENSE.txt": b"a"})
            self._release(f"/terraform/{version}", "terraform", version, name, archive, changed)
            builds[version] = {"version": version, "builds": [{"filename": name}]}
        text = json.dumps({"name": "terraform", "versions": builds})
        self.files["/terraform/index.json"] = text.encode()

    def tofu(self, *versions: str, **changed: bytes) -> None:
        listed = []
        for version in versions:
            name = f"tofu_{version}_{this_platform()}.tar.gz"
            archive = tarred({"LICENSE": b"a", "tofu": program("tofu", version)})
            self._release(f"/tofu/v{version}", "tofu", version, name, archive, changed)
            listed.append({"id": version, "files": [name]})
        self.files["/tofu/api.json"] = json.dumps({"versions": listed}).encode()

    def _release(
        self, place: str, tool: str, version: str, name: str, archive: bytes, changed: dict
    ) -> None:
        archive = changed.get("archive", archive)
        digest = hashlib.sha256(changed.get("hashed", archive)).hexdigest()
        other = f"{'0' * 64}  {tool}_{version}_plan9_386.zip\n"
        sums = changed.get("sums", f"{other}{digest}  {name}\n".encode())
        ending = "sig" if tool == "terraform" else "gpgsig"
        self.files |= {
            f"{place}/{name}": archive,
            f"{place}/{tool}_{version}_SHA256SUMS": sums,
            f"{place}/{tool}_{version}_SHA256SUMS.{ending}": changed.get("signature", signed(sums)),
        }


@dataclass
class Drip:
    """Answers with the beginning of a file, and with the rest when it is `let_go`."""

    data: bytes
    began: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = len(self.data)
        await response.prepare(request)
        half = len(self.data) // 2
        await response.write(self.data[:half])
        self.began.set()
        await self.let_go.wait()
        await response.write(self.data[half:])
        return response


@asynccontextmanager
async def serving_releases() -> AsyncIterator[Mirror]:
    made = Mirror()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}"
    try:
        yield made
    finally:
        await runner.cleanup()
