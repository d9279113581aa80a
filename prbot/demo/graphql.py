"""GitHub's GraphQL API, two mutations of it: folding a comment and unfolding it.

Answers exactly these, in the form GitHub's documentation gives them; errors come with
status 200 and a type, as there:
https://docs.github.com/graphql/reference/mutations#minimizecomment
"""

from __future__ import annotations

import base64
import binascii
import re

from aiohttp import web

from prbot.demo import access
from prbot.demo.accounts import Accounts
from prbot.demo.rest.call import Caller
from prbot.demo.shapes import Json
from prbot.demo.state import Comment, Level
from prbot.errors.demo import DemoForgeRefused

PATH = "/api/graphql"
"""As on GitHub Enterprise Server."""
CLASSIFIERS = ("ABUSE", "DUPLICATE", "OFF_TOPIC", "OUTDATED", "RESOLVED", "SPAM")
_MUTATION = re.compile(
    r"\s*mutation\s*\(\$id: ID!\)\s*\{\s*(minimizeComment|unminimizeComment)"
    r"\(input: \{subjectId: \$id(?:, classifier: ([A-Z_]+))?\}\)"
    r"\s*\{\s*(minimizedComment|unminimizedComment)\s*\{\s*isMinimized\s*\}\s*\}\s*\}\s*\Z"
)


class GraphQl:
    def __init__(self, forge: Accounts) -> None:
        self._forge = forge

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self._serve)]

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            caller = access.caller(self._forge, request.headers.get("Authorization"))
            if caller.token is None:
                raise access.bad_credentials()
        except DemoForgeRefused as refused:
            return web.json_response({"message": refused.message}, status=refused.status)
        return web.json_response(self._answer(caller, await request.json()))

    def _answer(self, caller: Caller, body: Json) -> Json:
        match = _MUTATION.match(str(body.get("query", "")))
        known = match and (match[2] in CLASSIFIERS if match[1] == "minimizeComment" else True)
        if match is None or not known:
            return _error("", "this forge knows two mutations only")
        comment = self._comment(str((body.get("variables") or {}).get("id", "")))
        if comment is None or caller.level(comment.pull.repo) is Level.NONE:
            return _error("NOT_FOUND", "Could not resolve to a node with the global id")
        mine = caller.user() is comment.user
        if not caller.may("issues", "write") or not (
            mine or caller.level(comment.pull.repo) >= Level.WRITE
        ):
            return _error("FORBIDDEN", "Resource not accessible")
        comment.minimised = match[2].lower() if match[1] == "minimizeComment" else ""
        self._forge.changes.tell()
        return {"data": {match[1]: {match[3]: {"isMinimized": bool(comment.minimised)}}}}

    def _comment(self, node: str) -> Comment | None:
        try:
            kind, _, number = base64.b64decode(node, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        wanted = int(number) if kind == "IssueComment" and number.isdecimal() else 0
        found = (repo.comments.get(wanted) for repo in self._forge.repositories.values())
        return next((comment for comment in found if comment), None)


def _error(kind: str, message: str) -> Json:
    return {"data": None, "errors": [{"message": message, **({"type": kind} if kind else {})}]}
