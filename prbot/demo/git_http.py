"""Git over HTTP: git's own `git http-backend`, started for each request.

The CGI variables are those of https://git-scm.com/docs/git-http-backend. Tokens come by
basic authentication, with any name (`x-access-token:TOKEN`, `login:TOKEN`). After a push
the forge looks which branches moved.
"""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from prbot.demo import access
from prbot.demo.accounts import Accounts
from prbot.demo.git import environment
from prbot.demo.rest.call import Caller
from prbot.demo.rules import not_found
from prbot.demo.state import Level, Repository
from prbot.errors.demo import DemoForgeRefused, DemoGitFailed

SERVICES = ("git-upload-pack", "git-receive-pack")
CHUNK = 64 * 1024


class GitHttp:
    def __init__(self, forge: Accounts) -> None:
        self._forge = forge

    def routes(self) -> list[web.RouteDef]:
        root = "/{owner:.+}/{repo}"
        posts = [web.post(f"{root}/{{rest:{service}}}", self._serve) for service in SERVICES]
        return [web.get(f"{root}/{{rest:info/refs}}", self._serve), *posts]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            service = request.query.get("service", request.match_info["rest"])
            caller = access.caller(self._forge, request.headers.get("Authorization"))
            repo = self._admit(request, caller, service)
        except DemoForgeRefused as refused:
            return _refusal(refused)
        response = await self._run(request, repo)
        if request.match_info["rest"] == "git-receive-pack":
            await self._forge.refresh(repo.full_name, caller.user().login)
        await response.write_eof()
        return response

    def _admit(self, request: web.Request, caller: Caller, service: str) -> Repository:
        if service not in SERVICES:
            raise DemoForgeRefused(403, "Only the smart protocol is spoken here.")
        needed = Level.WRITE if service == "git-receive-pack" else Level.READ
        name = request.match_info["repo"].removesuffix(".git")
        known = self._forge.repositories.get(f"{request.match_info['owner']}/{name}".lower())
        level = caller.level(known) if known else Level.NONE
        if level < needed and caller.token is None:
            raise DemoForgeRefused(401, "Authentication required.")
        if known is None or level is Level.NONE:
            raise not_found()
        if level < needed or not caller.may("contents", needed.word):
            raise DemoForgeRefused(403, "Permission denied.")
        return known

    async def _run(self, request: web.Request, repo: Repository) -> web.StreamResponse:
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_cgi(request, repo),
        )
        writer, reader = _pipes(process)
        feeding = asyncio.create_task(_feed(request, writer))
        try:
            return await _answer(request, reader)
        except BaseException:
            # Only here: to signal a program that has ended takes its exit code from asyncio.
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, process.wait(), return_exceptions=True)


def _cgi(request: web.Request, repo: Repository) -> dict[str, str]:
    """No content length and no encoding: the body is fed as it was decoded, to its end."""
    return environment(
        GIT_PROJECT_ROOT=str(repo.git.path),
        GIT_HTTP_EXPORT_ALL="1",
        PATH_INFO=f"/{request.match_info['rest']}",
        REQUEST_METHOD=request.method,
        QUERY_STRING=request.query_string,
        CONTENT_TYPE=request.headers.get("Content-Type", ""),
        REMOTE_USER="forge",  # whoever may not push was refused before
        REMOTE_ADDR=request.remote or "",
        GIT_PROTOCOL=request.headers.get("Git-Protocol", ""),
    )


def _pipes(
    process: asyncio.subprocess.Process,
) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    if process.stdin is None or process.stdout is None:
        raise DemoGitFailed("http-backend", "it has no pipes")
    return process.stdin, process.stdout


async def _feed(request: web.Request, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        async for chunk in request.content.iter_chunked(CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def _answer(request: web.Request, reader: asyncio.StreamReader) -> web.StreamResponse:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = (line.partition(":") for line in head.decode("latin-1").strip().split("\r\n"))
    headers = {name: value.strip() for name, _, value in lines}
    status = int(headers.pop("Status", "200").split(" ")[0])
    response = web.StreamResponse(status=status, headers=headers)
    await response.prepare(request)
    while chunk := await reader.read(CHUNK):
        await response.write(chunk)
    return response


def _refusal(refused: DemoForgeRefused) -> web.Response:
    wanted = {"WWW-Authenticate": 'Basic realm="GitHub"'} if refused.status == 401 else {}
    return web.Response(status=refused.status, text=refused.message + "\n", headers=wanted)
