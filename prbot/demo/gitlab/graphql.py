"""GitLab's GraphQL API, one query of it: who wrote a merge request's commits.

REST tells the names and addresses that git knows; here the accounts stand that have these
addresses. Fields: https://docs.gitlab.com/api/graphql/reference/#mergerequest and
https://docs.gitlab.com/api/graphql/reference/#commit; a page has at most 100 nodes.
"""

from __future__ import annotations

import re

from aiohttp import web

from prbot.demo.accounts import Accounts
from prbot.demo.git import CommitInfo
from prbot.demo.gitlab.access import caller_of
from prbot.demo.gitlab.shapes import Json
from prbot.demo.state import Level, Pull, User
from prbot.errors.demo import DemoForgeRefused

PATH = "/api/graphql"
MOST = 100
_QUERY = re.compile(
    r"query \(\$project: ID!, \$number: String!, \$after: String\) \{ "
    r"project\(fullPath: \$project\) \{ mergeRequest\(iid: \$number\) \{ commitCount "
    r"committers\(first: 100\) \{ nodes \{ username \} pageInfo \{ hasNextPage \} \} "
    r"commits\(first: 100, after: \$after\) \{ nodes \{ authorName authorEmail "
    r"author \{ username \} committerName committerEmail \} "
    r"pageInfo \{ hasNextPage endCursor \} \} \} \} \}"
)


class GitLabGraphQl:
    def __init__(self, forge: Accounts) -> None:
        self._forge = forge

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self._serve)]

    async def _serve(self, request: web.Request) -> web.Response:
        """401 for an unknown token; whatever else is wrong has status 200."""
        try:
            caller = caller_of(self._forge, request)
        except DemoForgeRefused as refused:
            return web.json_response(
                {"errors": [{"message": "Invalid token"}]}, status=refused.status
            )
        body = await request.json()
        words = " ".join(str(body.get("query", "")).replace("query(", "query (").split())
        if not _QUERY.fullmatch(words):
            return web.json_response({"errors": [{"message": "this forge knows one query only"}]})
        asked = body.get("variables") or {}
        repo = self._forge.repositories.get(str(asked.get("project", "")).lower())
        may = caller.may("api", "write") or caller.may("read_api", "read")
        if repo is None or not may or caller.level(repo) is Level.NONE:
            return web.json_response({"data": {"project": None}})
        number = str(asked.get("number", ""))
        pull = repo.pulls.get(int(number)) if number.isdecimal() else None
        told = None if pull is None else self._people(pull, str(asked.get("after") or ""))
        return web.json_response({"data": {"project": {"mergeRequest": told}}})

    def _people(self, pull: Pull, after: str) -> Json:
        start = int(after) if after.isdecimal() else 0
        newest = pull.commits[::-1]
        part = newest[start : start + MOST]
        more = start + MOST < len(newest)
        # merge commits are nobody's work there
        plain = (commit for commit in newest if len(commit.parents) < 2)
        people = (self._account(commit.committer.email) for commit in plain)
        logins = sorted({user.login for user in people if user})
        committers = [{"username": login} for login in logins]
        return {
            "commitCount": len(newest),
            "committers": {
                "nodes": committers[:MOST],
                "pageInfo": {"hasNextPage": len(committers) > MOST},
            },
            "commits": {
                "nodes": [self._commit(commit) for commit in part],
                "pageInfo": {"hasNextPage": more, "endCursor": str(start + len(part))},
            },
        }

    def _commit(self, commit: CommitInfo) -> Json:
        account = self._account(commit.author.email)
        return {
            "authorName": commit.author.name,
            "authorEmail": commit.author.email,
            "author": {"username": account.login} if account else None,
            "committerName": commit.committer.name,
            "committerEmail": commit.committer.email,
        }

    def _account(self, email: str) -> User | None:
        return next((u for u in self._forge.users.values() if u.email == email), None)
