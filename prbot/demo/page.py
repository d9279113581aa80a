"""The pages: a list of pull requests, and each of them to read and to act on.

Forms work without JavaScript; a small script only shows news without a reload. Whoever
reaches the page may act as any user, so requests from other sites, and from names that
are not this server's, are refused: a page elsewhere cannot merge behind one's back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from markupsafe import Markup

from prbot.demo import markdown
from prbot.demo.accounts import Accounts
from prbot.demo.rules import deciding_reviews, merge_blockers
from prbot.demo.shapes import Json, combined_state
from prbot.demo.state import Comment, Level, Pull, Review
from prbot.errors.demo import DemoForgeRefused

HERE = Path(__file__).parent
POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self' https: data:",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
HEARTBEAT = 15.0
"""Seconds between signs of life on the stream of changes."""

Form = Any
Act = Callable[[Pull, str, Form], Awaitable[object]]


class Page:
    def __init__(self, forge: Accounts) -> None:
        self._forge = forge
        self._closing = False
        self._acts: dict[str, Act] = {
            "comment": lambda p, by, form: forge.comment(p, by, form.get("body", "")),
            "approve": lambda p, by, form: forge.review(p, by, "APPROVE", form.get("body", "")),
            "request_changes": lambda p, by, form: forge.review(
                p, by, "REQUEST_CHANGES", form.get("body", "")
            ),
            "merge": lambda p, by, form: forge.merge(p, by, form.get("method", "merge")),
            "close": lambda p, by, form: forge.close(p, by),
            "reopen": lambda p, by, form: forge.reopen(p, by),
            "ready": lambda p, by, form: forge.ready_for_review(p, by),
            "press": lambda p, by, form: self._press(p, by, str(form.get("do"))),
        }

    def install(self, app: web.Application) -> None:
        loader = jinja2.FileSystemLoader(HERE / "templates")
        filters = {"markdown": markdown.render, "diff": _diff}
        aiohttp_jinja2.setup(app, loader=loader, filters=filters, autoescape=True)
        pull = r"/{owner:.+}/{repo}" + self._forge.customs.pull_page.format(r"{number:\d+}")
        app.router.add_static("/-/static", HERE / "static")
        app.router.add_get("/", self._index)
        app.router.add_get(pull, self._read)
        app.router.add_post(pull, self._act)
        app.router.add_get(f"{pull}/changes", self._changes)
        app.router.add_get(
            r"/{owner:.+}/{repo}" + self._forge.customs.issue_page.format(r"{number:\d+}"),
            self._read_issue,
        )
        app.on_shutdown.append(self._close)

    async def _close(self, _: web.Application) -> None:
        self._closing = True
        self._forge.changes.tell()

    async def _index(self, request: web.Request) -> web.StreamResponse:
        self._check_origin(request)
        repositories = sorted(self._forge.repositories.values(), key=lambda r: r.full_name)
        values = {"repositories": repositories, "customs": self._forge.customs}
        return _render(request, "index.html.j2", values)

    async def _read(self, request: web.Request) -> web.StreamResponse:
        self._check_origin(request)
        return await self._show(request, self._pull(request))

    async def _read_issue(self, request: web.Request) -> web.StreamResponse:
        self._check_origin(request)
        match = request.match_info
        try:
            repo = self._forge.repository(f"{match['owner']}/{match['repo']}")
            issue = self._forge.issue(repo, int(match["number"]))
        except DemoForgeRefused as refused:
            raise web.HTTPNotFound(text="There is no such issue.") from refused
        return _render(request, "issue.html.j2", {"issue": issue})

    async def _act(self, request: web.Request) -> web.StreamResponse:
        self._check_origin(request)
        pull, form = self._pull(request), await request.post()
        verb = str(form.get("do")).partition(" ")[0]
        act, by = self._acts.get(verb), str(form.get("as", ""))
        if act is None:
            raise web.HTTPBadRequest(text="No such act.")
        try:
            await act(pull, by, form)
        except DemoForgeRefused as refused:
            said = str(form.get("body", ""))
            return await self._show(request, pull, refused, by=by, body=said)
        seen = web.HTTPSeeOther(f"{request.path}#end")
        seen.set_cookie("as", by, samesite="Strict", httponly=True)
        raise seen

    async def _press(self, pull: Pull, by: str, words: str) -> None:
        """A button of a check run: `press NUMBER IDENTIFIER`."""
        number, _, identifier = words.removeprefix("press ").partition(" ")
        run = self._forge.check_run(pull.repo, int(number) if number.isdecimal() else 0)
        await self._forge.press(pull.repo, run, by, identifier)

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        """A stream of server-sent events, one each time anything changed."""
        self._check_origin(request)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", **HEADERS})
        await stream.prepare(request)
        seen = self._forge.changes.count
        while not self._closing:
            try:
                await asyncio.wait_for(self._forge.changes.after(seen), HEARTBEAT)
            except TimeoutError:
                await stream.write(b":\n\n")
                continue
            seen = self._forge.changes.count
            if not self._closing:
                await stream.write(b"data: changed\n\n")
        return stream

    def _pull(self, request: web.Request) -> Pull:
        match = request.match_info
        try:
            return self._forge.pull(f"{match['owner']}/{match['repo']}", int(match["number"]))
        except DemoForgeRefused as refused:
            raise web.HTTPNotFound(text="There is no such pull request.") from refused

    def _check_origin(self, request: web.Request) -> None:
        """Only this server's own pages, under its own name, may be read or used."""
        site = self._forge.urls.site
        port = site.rpartition(":")[2]
        own = {site.removeprefix("http://"), f"localhost:{port}", f"127.0.0.1:{port}"}
        origin = request.headers.get("Origin")
        foreign = origin is not None and origin.removeprefix("http://") not in own
        crossed = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
        if request.host not in own or foreign or (crossed and request.method != "GET"):
            raise web.HTTPForbidden(text="This page answers only to its own forms.")

    async def _show(
        self,
        request: web.Request,
        pull: Pull,
        refused: DemoForgeRefused | None = None,
        by: str = "",
        body: str = "",
    ) -> web.StreamResponse:
        values = await self._values(pull)
        actor = by or request.cookies.get("as", "") or values["default_actor"]
        more = {"actor": actor, "refused": refused.message if refused else "", "said": body}
        status = refused.status if refused else 200
        return _render(request, "pull.html.j2", values | more, status)

    async def _values(self, pull: Pull) -> Json:
        forge, repo = self._forge, pull.repo
        mergeable = pull.open and await forge.can_merge(pull)
        blockers = merge_blockers(pull, await forge.up_to_date(pull), Level.WRITE)
        people = [user for user in forge.users.values() if user.kind == "User"]
        writers = [user.login for user in people if repo.level(user.login) >= Level.WRITE]
        others = [login for login in writers if login != pull.author.login]
        statuses = sorted(repo.latest_statuses(pull.head_sha), key=lambda s: s.context)
        checks = sorted(repo.latest_checks(pull.head_sha), key=lambda check: check.name)
        return {
            "pull": pull,
            "customs": forge.customs,
            "timeline": _timeline(pull),
            "statuses": statuses,
            "checks": checks,
            "combined": combined_state([*statuses, *checks]) if statuses or checks else "",
            "reviews": deciding_reviews(pull),
            "mergeable": mergeable,
            "blockers": blockers if pull.open else [],
            "people": people,
            "default_actor": next(iter(others or writers), ""),
            "additions": sum(file.additions for file in pull.files),
            "deletions": sum(file.deletions for file in pull.files),
        }


def _timeline(pull: Pull) -> list[tuple[str, Comment | Review]]:
    """Comments and reviews in the order they were made; ids grow with time."""
    said: list[tuple[str, Comment | Review]] = [("comment", c) for c in pull.comments]
    said += [("review", review) for review in pull.reviews]
    return sorted(said, key=lambda entry: entry[1].id)


def _diff(patch: str) -> Markup:
    return Markup(markdown.diff_lines(patch))  # noqa: S704 - each line was escaped


def _render(
    request: web.Request, template: str, values: Json, status: int = 200
) -> web.StreamResponse:
    response = aiohttp_jinja2.render_template(template, request, values, status=status)
    response.headers.update(HEADERS)
    return response
